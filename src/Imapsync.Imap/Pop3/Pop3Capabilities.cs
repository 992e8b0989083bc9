namespace Imapsync.Imap.Pop3;

/// <summary>The capabilities a server announces (CAPA, RFC 2449). If the server lacks CAPA, every command is tried.</summary>
public sealed class Pop3Capabilities
{
    private readonly List<string> lines;

    internal Pop3Capabilities(IEnumerable<string> lines, bool areTold)
    {
        this.lines = [.. lines];
        AreTold = areTold;
        var mechanisms = this.lines.Where(l => NameOf(l) == "SASL").SelectMany(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1));
        IEnumerable<string> asImap = mechanisms.Select(m => "AUTH=" + m);
        // USER and PASS in POP3 correspond to LOGIN in IMAP, so a missing USER is expressed as LOGINDISABLED.
        LogIn = new ImapCapabilities(areTold && !Has("USER") ? asImap.Append("LOGINDISABLED") : asImap);
    }

    public static Pop3Capabilities None { get; } = new([], areTold: false);

    /// <summary>Whether the server has announced its capabilities; false if it does not support CAPA.</summary>
    public bool AreTold { get; }

    public bool HasStls => Has("STLS");

    public bool HasUidl => !AreTold || Has("UIDL");

    public bool HasTop => !AreTold || Has("TOP");

    /// <summary>Whether several commands may be sent before the first is answered.</summary>
    public bool HasPipelining => Has("PIPELINING");

    /// <summary>The available log-in methods, expressed as IMAP capabilities.</summary>
    public ImapCapabilities LogIn { get; }

    public override string ToString() => AreTold ? string.Join(", ", lines) : "not told";

    private bool Has(string name) => lines.Exists(l => NameOf(l) == name);

    private static string NameOf(string line) => line.Split(' ', 2)[0].ToUpperInvariant();
}
