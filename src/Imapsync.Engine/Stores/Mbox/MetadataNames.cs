
namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// The header fields by which mbox programs keep their own notes inside a message. They belong to the file and not to the message:
/// reading leaves them out. A message that arrives with such a field gets it escaped by <see cref="Escape"/> in front of the
/// name, each time once more, so that a sender can set no flags and the field comes back.
/// </summary>
internal static class MetadataNames
{
    private static readonly byte[][] Names =
        [.. new[] { "Status", "X-Status", "X-Keywords", "X-UID", "X-IMAP", "X-IMAPbase", "Content-Length", "X-Mozilla-Status", "X-Mozilla-Status2", "X-Mozilla-Keys" }.Select(System.Text.Encoding.ASCII.GetBytes)];

    /// <summary>
    /// What such programs (mutt, Rmail, Evolution, Gnus, Thunderbird) write besides, and senders too. It is handed out as it is found, since a backup may have it
    /// from the sender; in a comparison it counts for nothing.
    /// </summary>
    public static IReadOnlyList<string> Noted { get; } =
        ["Lines", "X-RMAIL-Attributes", "X-RMAIL-Keywords", "X-Evolution", "X-Evolution-Source", "X-Gnus-Newsgroup", "X-Account-Key", "X-UIDL"];

    public static ReadOnlySpan<byte> Escape => "X-Imapsync-"u8;

    /// <summary>Octets from the start of a line (or after an escape) that suffice to decide.</summary>
    public const int DecisionLength = 32;

    /// <summary>True for octets a field of interest may begin with.</summary>
    public static bool MayBegin(byte first) => (first | 0x20) is 's' or 'x' or 'c';

    public static bool StartsWithEscape(ReadOnlySpan<byte> line) => StartsWith(line, Escape);

    /// <summary>True when a line begins with one of the names and a colon, with at most eight blanks between (RFC 5322 §4.5 allows them).</summary>
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
