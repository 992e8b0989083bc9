using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Text;
using MailKit.Security;

namespace Imapsync.Imap.Sasl;

/// <summary>
/// GSSAPI (RFC 4752) over the system's Kerberos. MailKit's own version can't send an authorization identity. It would log in as the owner
/// of whatever ticket is present, so a job for bob could copy alice's mail.
/// </summary>
/// <param name="service">The server's service name, <c>imap/HOST</c>.</param>
/// <param name="credential">
/// A user with a password; or the default credentials, which are those of the credential cache or the client keytab.
/// </param>
/// <param name="authorizeAs">The user whose mailbox is to be opened; empty for the owner of the ticket.</param>
internal sealed class GssapiMechanism(string service, NetworkCredential credential, string? authorizeAs) : SaslMechanism(credential), IDisposable
{
    private const byte NoSecurityLayer = 1;
    private const int OfferOctets = 4;

    private NegotiateAuthentication? context;

    public override string MechanismName => "GSSAPI";

    public override bool SupportsInitialResponse => true;

    /// <summary>Whether the server has proved, with a message wrapped in the ticket's key, that it is the intended service.</summary>
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

    /// <summary>
    /// Answers the server's offer of security layers (RFC 4752 §3.1) by choosing none, because TLS already protects the connection.
    /// </summary>
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
