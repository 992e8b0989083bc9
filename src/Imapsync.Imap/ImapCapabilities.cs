namespace Imapsync.Imap;

/// <summary>
/// The capabilities a server announces (RFC 9051 §7.2.2), compared without regard to case. IMAP4rev2 also adds all capabilities that it
/// implies (RFC 9051 appendix E).
/// </summary>
public sealed class ImapCapabilities
{
    private static readonly string[] ImpliedByRev2 =
    [
        "NAMESPACE", "UNSELECT", "UIDPLUS", "ESEARCH", "SEARCHRES", "ENABLE", "IDLE", "SASL-IR", "LIST-EXTENDED", "LIST-STATUS",
        "MOVE", "LITERAL-", "BINARY", "SPECIAL-USE", "STATUS=SIZE",
    ];

    private readonly HashSet<string> names;

    /// <param name="names">The names as the server lists them.</param>
    public ImapCapabilities(IEnumerable<string> names)
    {
        var all = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        string? last = null;
        foreach (var name in names)
        {
            // Some servers send "LITERAL +" with a blank instead of "LITERAL+".
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

    /// <summary>The capability names, sorted, for display.</summary>
    public IEnumerable<string> Names => names.Order(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyList<string> AuthMechanisms { get; }

    /// <summary>The most octets a message may have (RFC 7889); null if the server does not say.</summary>
    public long? AppendLimit { get; }

    /// <summary>
    /// The ACL rights that the server supports besides the standard ones (RFC 4314 §6); null if it follows RFC 2086 or has no ACL.
    /// </summary>
    public string? Rights => Names.FirstOrDefault(n => n.StartsWith("RIGHTS=", StringComparison.OrdinalIgnoreCase))?[7..];

    /// <summary>Whether each folder has its own size limit, which STATUS reports (RFC 7889 §3).</summary>
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

    /// <summary>Whether CONDSTORE is offered, or QRESYNC, which implies it (RFC 7162 §3.2.3).</summary>
    public bool HasCondStore => Has("CONDSTORE") || Has("QRESYNC");

    public bool HasObjectId => Has("OBJECTID");

    public bool HasCompressDeflate => Has("COMPRESS=DEFLATE");

    public bool HasLiteralPlus => Has("LITERAL+");

    /// <summary>Whether non-synchronising literals of up to 4096 octets are offered (RFC 7888 §5).</summary>
    public bool HasLiteralMinus => Has("LITERAL-");

    public bool HasUidPlus => Has("UIDPLUS");

    public bool HasMultiAppend => Has("MULTIAPPEND");

    public bool HasMove => Has("MOVE");

    public bool HasQuota => Has("QUOTA");

    /// <summary>Whether the server offers Gmail's extensions, which include labels.</summary>
    public bool HasGmail => Has("X-GM-EXT-1");

    public bool HasAcl => Has("ACL");

    public bool HasIdle => Has("IDLE");

    /// <summary>Whether NOTIFY (RFC 5465) is offered, by which the server reports changes in folders that are not selected.</summary>
    public bool HasNotify => Has("NOTIFY");

    public bool Has(string name) => names.Contains(name);

    public override string ToString() => string.Join(' ', Names);
}
