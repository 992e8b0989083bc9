namespace Imapsync.Imap.Sasl;

/// <summary>Decides which log-in methods to try and in which order. A pure function.</summary>
internal static class SaslChoice
{
    /// <summary>Stands for the LOGIN command, as opposed to the SASL mechanism LOGIN.</summary>
    public const string LoginCommand = "";

    // NTLM comes last: it needs a domain and is weaker than a password under TLS, so it is only for servers that offer nothing else.
    private static readonly string[] Ranked =
        ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "PLAIN", LoginCommand, "LOGIN", "NTLM"];

    /// <summary>Returns the requested mechanism, or all usable ones, strongest first.</summary>
    public static IReadOnlyList<string> Candidates(ImapCredentials who, ImapCapabilities offered)
    {
        if (who.Mechanism?.ToUpperInvariant() is not { } asked)
            return [.. Ranked.Where(n => IsOffered(n, offered) && (string.IsNullOrEmpty(who.AuthorizeAs) || SaslMechanisms.CarriesIdentity(n)))];
        if (asked != "LOGIN")
            return [asked];
        // The LOGIN command must not be sent if the server announces LOGINDISABLED (RFC 9051 §6.2.3).
        return !offered.HasLoginDisabled ? [LoginCommand] : IsOffered(asked, offered) ? [asked] : [];
    }

    /// <summary>Whether the mechanism sends the password itself to the server.</summary>
    public static bool SendsPassword(string name) => name is "PLAIN" or "LOGIN" or LoginCommand;

    private static bool IsOffered(string name, ImapCapabilities offered) =>
        name == LoginCommand ? !offered.HasLoginDisabled : offered.AuthMechanisms.Contains(name);
}
