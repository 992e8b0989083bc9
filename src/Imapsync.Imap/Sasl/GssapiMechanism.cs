using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Text;
using MailKit.Security;

namespace Imapsync.Imap.Sasl;

/// <summary>
/// GSSAPI (RFC 4752) over the system's Kerberos. MailKit's has no place for the identity to act for: whoever's ticket lies there would be
/// logged in, and a job that means bob would take alice's mail for his.
/// </summary>
/// <param name="service">Who the server is, <c>imap/HOST</c>.</param>
/// <param name="credential">A user with a password, or what the credential cache or the client keytab holds.</param>
/// <param name="authorizeAs">The mailbox; empty for that of the ticket.</param>
internal sealed class GssapiMechanism(string service, NetworkCredential credential, string? authorizeAs) : SaslMechanism(credential), IDisposable
{
    private const byte NoSecurityLayer = 1;
    private const int OfferOctets = 4;

    private NegotiateAuthentication? context;

    public override string MechanismName => "GSSAPI";

    public override bool SupportsInitialResponse => true;

    /// <summary>The server has shown, wrapped with the key of the ticket, that it is the service that was meant.</summary>
    public bool IsProven { get; private set; }

    private bool IsByTicket => Credentials.Password.Length == 0;

    public void Dispose() => context?.Dispose();

    protected override byte[] Challenge(byte[]? token, int startIndex, int length, CancellationToken cancellationToken)
    {
        ReadOnlySpan<byte> octets = token is null ? [] : token.AsSpan(startIndex, length);
        if (context is { IsAuthenticated: true })
            return ChooseNoLayer(context, octets);
        try
        {
            context ??= new NegotiateAuthentication(new NegotiateAuthenticationClientOptions
            {
                Package = "Kerberos",
                TargetName = service,
                Credential = Credentials,
                RequireMutualAuthentication = true,
                RequiredProtectionLevel = ProtectionLevel.Sign,
            });
            var answer = context.GetOutgoingBlob(octets, out var status);
            return status is NegotiateAuthenticationStatusCode.Completed or NegotiateAuthenticationStatusCode.ContinueNeeded
                ? answer ?? []
                : throw new SaslFaultException(Explain(status));
        }
        catch (Exception e) when (e is TypeInitializationException or DllNotFoundException or EntryPointNotFoundException or PlatformNotSupportedException)
        {
            throw new SaslFaultException(Explain(NegotiateAuthenticationStatusCode.Unsupported), e);
        }
    }

    /// <summary>What the server offers and what is chosen of it, RFC 4752 §3.1: TLS is the layer, there is no second one inside.</summary>
    private byte[] ChooseNoLayer(NegotiateAuthentication context, ReadOnlySpan<byte> wrapped)
    {
        var offer = wrapped.ToArray();
        if (context.UnwrapInPlace(offer, out var at, out var length, out _) != NegotiateAuthenticationStatusCode.Completed || length != OfferOctets)
            throw new SaslFaultException("the server could not prove that it is the service the ticket is for");
        if ((offer[at] & NoSecurityLayer) == 0)
            throw new SaslFaultException("the server wants Kerberos to encrypt or sign what follows; that is left to TLS");
        var choice = new ArrayBufferWriter<byte>();
        if (context.Wrap([NoSecurityLayer, 0, 0, 0, .. Encoding.UTF8.GetBytes(authorizeAs ?? "")], choice, requestEncryption: false, out _) != NegotiateAuthenticationStatusCode.Completed)
            throw new SaslFaultException("Kerberos can't sign the choice of no security layer");
        IsProven = true;
        return choice.WrittenSpan.ToArray();
    }

    private string Explain(NegotiateAuthenticationStatusCode status) => status switch
    {
        NegotiateAuthenticationStatusCode.UnknownCredentials or NegotiateAuthenticationStatusCode.InvalidCredentials when IsByTicket =>
            "there is no Kerberos ticket and no key in a client keytab (kinit gets a ticket)",
        NegotiateAuthenticationStatusCode.CredentialsExpired => "the Kerberos ticket has expired (kinit gets another)",
        NegotiateAuthenticationStatusCode.Unsupported => "this system has no Kerberos library (on Debian: libgssapi-krb5-2)",
        _ when IsByTicket => $"there is no valid Kerberos ticket for {service} (klist shows what there is, kinit gets a new one; {status})",
        _ => $"Kerberos lets this user with this password get no ticket for {service} ({status})",
    };
}
