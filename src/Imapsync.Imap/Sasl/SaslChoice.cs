namespace Imapsync.Imap.Sasl;

/// <summary>Which ways to log in, and in which order. Pure.</summary>
internal static class SaslChoice
{
    /// <summary>The LOGIN command, as opposed to the mechanism of that name.</summary>
    public const string LoginCommand = "";

    // NTLM wants a domain and is weaker than a password under TLS; it is for servers that have nothing else.
    private static readonly string[] Ranked =
        ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "PLAIN", LoginCommand, "LOGIN", "NTLM"];

    /// <summary>The one asked for, or all that fit, strongest first.</summary>
    public static IReadOnlyList<string> Candidates(ImapCredentials who, ImapCapabilities offered)
    {
        if (who.Mechanism?.ToUpperInvariant() is not { } asked)
            return [.. Ranked.Where(n => IsOffered(n, offered) && (string.IsNullOrEmpty(who.AuthorizeAs) || SaslMechanisms.CarriesIdentity(n)))];
        if (asked != "LOGIN")
            return [asked];
        // RFC 9051 §6.2.3: the command must not be sent where the server says that it is disabled.
        return !offered.HasLoginDisabled ? [LoginCommand] : IsOffered(asked, offered) ? [asked] : [];
    }

    /// <summary>The password itself goes over the line.</summary>
    public static bool SendsPassword(string name) => name is "PLAIN" or "LOGIN" or LoginCommand;

    private static bool IsOffered(string name, ImapCapabilities offered) =>
        name == LoginCommand ? !offered.HasLoginDisabled : offered.AuthMechanisms.Contains(name);
}
