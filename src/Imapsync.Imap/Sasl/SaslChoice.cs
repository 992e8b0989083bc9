namespace Imapsync.Imap.Sasl;

/// <summary>Which way to log in. Pure.</summary>
internal static class SaslChoice
{
    /// <summary>The mechanism asked for or the strongest offered; null for the LOGIN command.</summary>
    public static SaslMechanism? Choose(ImapCredentials who, ImapCapabilities offered, ImapClientOptions options)
    {
        var name = who.Mechanism?.ToUpperInvariant() ?? Strongest(who, offered);
        return name switch
        {
            "LOGIN" => null,
            "PLAIN" => new PlainMechanism(who.AuthorizeAs, who.User, who.Secret),
            "SCRAM-SHA-256" => new ScramSha256Mechanism(who.AuthorizeAs, who.User, who.Secret),
            "CRAM-MD5" => new CramMd5Mechanism(who.User, who.Secret),
            "XOAUTH2" => new XOAuth2Mechanism(who.User, who.Secret),
            "OAUTHBEARER" => new OAuthBearerMechanism(who.User, who.Secret, options.Host, options.Port),
            "EXTERNAL" => new ExternalMechanism(who.AuthorizeAs),
            _ => throw new ImapConnectionException(ConnectionFailure.Network, $"no way to log in with {name} is known"),
        };
    }

    private static string Strongest(ImapCredentials who, ImapCapabilities offered)
    {
        var mechanisms = offered.AuthMechanisms;
        if (mechanisms.Contains("SCRAM-SHA-256"))
            return "SCRAM-SHA-256";
        // An authorization identity has no place in CRAM-MD5 and LOGIN.
        if (mechanisms.Contains("PLAIN") || who.AuthorizeAs is not null)
            return "PLAIN";
        return mechanisms.Contains("CRAM-MD5") && offered.HasLoginDisabled ? "CRAM-MD5" : "LOGIN";
    }
}
