namespace Imapsync.Imap;

/// <summary>
/// What a server says it can do (RFC 9051 §7.2.2), without regard to case. IMAP4rev2 brings along what it implies
/// (RFC 9051 appendix E). One property for each capability that the client acts on.
/// </summary>
public sealed class ImapCapabilities
{
    private static readonly string[] ImpliedByRev2 =
    [
        "NAMESPACE", "UNSELECT", "UIDPLUS", "ESEARCH", "SEARCHRES", "ENABLE", "IDLE", "SASL-IR", "LIST-EXTENDED", "LIST-STATUS",
        "MOVE", "LITERAL-", "BINARY", "SPECIAL-USE", "STATUS=SIZE",
    ];

    private readonly HashSet<string> names;

    /// <param name="names">As the server listed them.</param>
    public ImapCapabilities(IEnumerable<string> names)
    {
        var all = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        string? last = null;
        foreach (var name in names)
        {
            // "LITERAL +" with a blank has been seen.
            if (name is "+" or "-" && string.Equals(last, "LITERAL", StringComparison.OrdinalIgnoreCase))
                all.Add("LITERAL" + name);
            all.Add(name);
            last = name;
        }

        if (all.Contains("IMAP4rev2"))
            all.UnionWith(ImpliedByRev2);
        this.names = all;
        AuthMechanisms = [.. all.Where(n => n.StartsWith("AUTH=", StringComparison.OrdinalIgnoreCase)).Select(n => n[5..].ToUpperInvariant())];
        AppendLimit = all.Where(n => n.StartsWith("APPENDLIMIT=", StringComparison.OrdinalIgnoreCase))
            .Select(n => long.TryParse(n.AsSpan(12), out var limit) ? limit : (long?)null).FirstOrDefault();
    }

    public static ImapCapabilities None { get; } = new([]);

    /// <summary>Sorted, for people.</summary>
    public IEnumerable<string> Names => names.Order(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyList<string> AuthMechanisms { get; }

    /// <summary>Octets a message may have, where the server says (RFC 7889).</summary>
    public long? AppendLimit { get; }

    /// <summary>Letters of rights besides the common ones (RFC 4314 §6); null where the server is of RFC 2086 or has no ACL.</summary>
    public string? Rights => Names.FirstOrDefault(n => n.StartsWith("RIGHTS=", StringComparison.OrdinalIgnoreCase))?[7..];

    /// <summary>The limit is each folder's own, and STATUS tells it (RFC 7889 §3).</summary>
    public bool HasAppendLimitPerFolder => AppendLimit is null && Has("APPENDLIMIT");

    public bool HasLoginDisabled => Has("LOGINDISABLED");

    public bool HasSaslInitialResponse => Has("SASL-IR");

    public bool HasId => Has("ID");

    public bool HasNamespace => Has("NAMESPACE");

    public bool HasListExtended => Has("LIST-EXTENDED");

    public bool HasListStatus => Has("LIST-STATUS");

    public bool HasSpecialUse => Has("SPECIAL-USE");

    public bool HasCreateSpecialUse => Has("CREATE-SPECIAL-USE");

    public bool HasXList => Has("XLIST");

    /// <summary>CONDSTORE, or QRESYNC which implies it (RFC 7162 §3.2.3).</summary>
    public bool HasCondStore => Has("CONDSTORE") || Has("QRESYNC");

    public bool HasObjectId => Has("OBJECTID");

    public bool HasCompressDeflate => Has("COMPRESS=DEFLATE");

    public bool HasLiteralPlus => Has("LITERAL+");

    /// <summary>Non-synchronising literals up to 4096 octets (RFC 7888 §5).</summary>
    public bool HasLiteralMinus => Has("LITERAL-");

    public bool HasUidPlus => Has("UIDPLUS");

    public bool HasMultiAppend => Has("MULTIAPPEND");

    public bool HasMove => Has("MOVE");

    public bool HasQuota => Has("QUOTA");

    /// <summary>Gmail's extensions, labels among them.</summary>
    public bool HasGmail => Has("X-GM-EXT-1");

    public bool HasAcl => Has("ACL");

    public bool HasIdle => Has("IDLE");

    /// <summary>RFC 5465.</summary>
    public bool HasNotify => Has("NOTIFY");

    public bool Has(string name) => names.Contains(name);

    public override string ToString() => string.Join(' ', Names);
}
