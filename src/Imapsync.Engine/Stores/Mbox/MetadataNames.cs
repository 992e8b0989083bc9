
namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// The header fields in which mbox programs store metadata inside a message. Reading leaves them out. If a message arrives with such a
/// field, <see cref="Escape"/> is written before its name, even if the name is already escaped. Reading removes one escape. So a sender
/// can't set flags, and the field is restored.
/// </summary>
internal static class MetadataNames
{
    private static readonly byte[][] Names =
        [.. new[] { "Status", "X-Status", "X-Keywords", "X-UID", "X-IMAP", "X-IMAPbase", "Content-Length", "X-Mozilla-Status", "X-Mozilla-Status2", "X-Mozilla-Keys" }.Select(System.Text.Encoding.ASCII.GetBytes)];

    /// <summary>
    /// Fields that both mail programs (mutt, Rmail, Evolution, Gnus, Thunderbird) and senders write. Reading keeps them, because they may
    /// come from the sender. Comparisons of messages ignore them.
    /// </summary>
    public static IReadOnlyList<string> Noted { get; } =
        ["Lines", "X-RMAIL-Attributes", "X-RMAIL-Keywords", "X-Evolution", "X-Evolution-Source", "X-Gnus-Newsgroup", "X-Account-Key", "X-UIDL"];

    public static ReadOnlySpan<byte> Escape => "X-Imapsync-"u8;

    /// <summary>
    /// The number of octets, from the start of a line or after an escape, that show whether a metadata field or an escape begins there.
    /// </summary>
    public const int DecisionLength = 32;

    /// <summary>Returns whether the name of a metadata field may begin with this octet.</summary>
    public static bool MayBegin(byte first) => (first | 0x20) is 's' or 'x' or 'c';

    public static bool StartsWithEscape(ReadOnlySpan<byte> line) => StartsWith(line, Escape);

    /// <summary>
    /// Returns whether a line begins with one of the names and a colon, with at most eight blanks between them (allowed by RFC 5322 §4.5).
    /// </summary>
    public static bool StartsWithName(ReadOnlySpan<byte> line)
    {
        if (line.IsEmpty || !MayBegin(line[0]))
            return false;
        foreach (var name in Names)
        {
            if (IsField(line, name))
                return true;
        }

        return false;
    }

    public static bool IsField(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name)
    {
        if (!StartsWith(line, name))
            return false;
        for (var i = name.Length; i < line.Length && i <= name.Length + 8; i++)
        {
            if (line[i] == ':')
                return true;
            if (line[i] is not ((byte)' ' or (byte)'\t'))
                return false;
        }

        return false;
    }

    private static bool StartsWith(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name) =>
        line.Length >= name.Length && System.Text.Ascii.EqualsIgnoreCase(line[..name.Length], name);
}
