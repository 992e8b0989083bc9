using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using MailKit.Security;

namespace Imapsync.Imap.Sasl;

/// <summary>Creates MailKit's mechanisms for a user and works around their defects.</summary>
internal static class SaslMechanisms
{
    /// <summary>
    /// Whether the mechanism can carry an authorization identity. SCRAM is not in the list because MailKit's version never sends the <c>a=</c>
    /// attribute (RFC 5802 §7).
    /// </summary>
    public static bool CarriesIdentity(string name) => name is "PLAIN" or "DIGEST-MD5" or "EXTERNAL" or "GSSAPI";

    /// <summary>Creates a mechanism; returns null if the name is unknown.</summary>
    public static SaslMechanism? Create(string name, ImapCredentials who, ImapClientOptions options)
    {
        var mechanism = Make(name, who, options);
        if (mechanism is SaslMechanismOAuthBearer or SaslMechanismDigestMd5)
            SetUri(mechanism, new UriBuilder(options.Service, options.Host, options.Port).Uri);
        return mechanism;
    }

    private static SaslMechanism? Make(string name, ImapCredentials who, ImapClientOptions options) => name switch
    {
        "PLAIN" => new SaslMechanismPlain(Encoding.UTF8, who.User, who.Secret) { AuthorizationId = who.AuthorizeAs },
        "LOGIN" => new SaslMechanismLogin(Encoding.UTF8, who.User, who.Secret),
        "CRAM-MD5" => new SaslMechanismCramMd5(who.User, who.Secret),
        "DIGEST-MD5" => new SaslMechanismDigestMd5(who.User, who.Secret) { AuthorizationId = who.AuthorizeAs },
        "SCRAM-SHA-1" => new ScramSha1(who.User, who.Secret),
        "SCRAM-SHA-256" => new ScramSha256(who.User, who.Secret),
        "SCRAM-SHA-512" => new ScramSha512(who.User, who.Secret),
        // An empty workstation keeps this machine's name from the server.
        "NTLM" => new SaslMechanismNtlm(who.User, who.Secret) { Workstation = "" },
        // Without a password the existing Kerberos ticket is used.
        "GSSAPI" => new GssapiMechanism(
            $"{options.Service}/{options.Host}",
            who.Secret.Length == 0 ? CredentialCache.DefaultNetworkCredentials : new NetworkCredential(who.User, who.Secret),
            string.IsNullOrEmpty(who.AuthorizeAs) ? who.User : who.AuthorizeAs),
        // MailKit's OAuth mechanisms send each character as one octet, so the text is first converted to one character for each UTF-8 octet.
        "XOAUTH2" => new SaslMechanismOAuth2(Octets(who.User), Octets(who.Secret)),
        "OAUTHBEARER" => new SaslMechanismOAuthBearer(Escape(who.User), Octets(who.Secret)),
        "ANONYMOUS" => new SaslMechanismAnonymous(Encoding.UTF8, who.User),
        "EXTERNAL" => new ExternalMechanism(who.AuthorizeAs),
        _ => null,
    };

    private static string Octets(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    /// <summary>Escapes a name as a saslname (RFC 5801 §4).</summary>
    private static string Escape(string name) =>
        name.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal);

    /// <summary>
    /// Sets the server's address as MailKit's own clients do; two mechanisms need it and MailKit offers no public way to set it.
    /// </summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Uri")]
    private static extern void SetUri(SaslMechanism mechanism, Uri value);
}
