using System.Globalization;
using System.Text;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// Formats and parses flags and keywords as mbox programs write them: <c>Status: RO</c>, <c>X-Status: AFTD</c>, <c>X-Keywords: Work</c>.
/// </summary>
internal static class FlagFields
{
    private static readonly (MessageFlags Flag, char Letter)[] StatusLetters =
    [
        (MessageFlags.Answered, 'A'), (MessageFlags.Flagged, 'F'), (MessageFlags.Draft, 'T'), (MessageFlags.Deleted, 'D'),
    ];

    private const int MozillaForwarded = 0x1000;
    private const int MozillaExpunged = 0x0008;

    private static readonly (int Bit, MessageFlags Flag)[] MozillaFlags =
        [(0x0001, MessageFlags.Seen), (0x0002, MessageFlags.Answered), (0x0004, MessageFlags.Flagged)];

    /// <summary>Returns complete lines with LF; none for a message without flags.</summary>
    public static byte[] Format(FlagSet flags)
    {
        if (flags.IsEmpty)
            return [];
        var text = new StringBuilder();
        if (flags.System.HasFlag(MessageFlags.Seen))
            text.Append("Status: RO\n");
        var letters = string.Concat(StatusLetters.Where(l => flags.System.HasFlag(l.Flag)).Select(l => l.Letter));
        if (letters.Length > 0)
            text.Append("X-Status: ").Append(letters).Append('\n');
        var keywords = string.Join(' ', flags.Keywords.Where(IsWritable));
        if (keywords.Length > 0)
            text.Append("X-Keywords: ").Append(keywords).Append('\n');
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>Returns the given flags and those that a header line states. Any other header field states none.</summary>
    public static FlagSet Read(FlagSet flags, ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        if (colon < 0)
            return flags;
        if (MetadataNames.IsField(line, "Status"u8))
            return line[colon..].Contains((byte)'R') ? flags.Union(FlagSet.Create(MessageFlags.Seen)) : flags;
        if (MetadataNames.IsField(line, "X-Status"u8))
        {
            var system = MessageFlags.None;
            foreach (var (flag, letter) in StatusLetters)
                system |= line[colon..].Contains((byte)letter) ? flag : MessageFlags.None;
            return flags.Union(FlagSet.Create(system));
        }

        if (MozillaBits(line) is { } bits)
        {
            var system = MessageFlags.None;
            foreach (var (bit, flag) in MozillaFlags)
                system |= (bits & bit) != 0 ? flag : MessageFlags.None;
            return flags.Union(FlagSet.Create(system, (bits & MozillaForwarded) != 0 ? ["$Forwarded"] : []));
        }

        if (!MetadataNames.IsField(line, "X-Keywords"u8) && !MetadataNames.IsField(line, "X-Mozilla-Keys"u8))
            return flags;
        var keywords = Encoding.UTF8.GetString(line[(colon + 1)..]).Split([' ', '\t', '\r', '\n', ','], StringSplitOptions.RemoveEmptyEntries);
        return flags.Union(FlagSet.Create(MessageFlags.None, keywords));
    }

    /// <summary>
    /// Returns whether the line marks the message as deleted in Thunderbird. The message stays in the file until Thunderbird compacts the
    /// folder.
    /// </summary>
    public static bool SaysExpunged(ReadOnlySpan<byte> line) => MozillaBits(line) is { } bits && (bits & MozillaExpunged) != 0;

    private static int? MozillaBits(ReadOnlySpan<byte> line) =>
        MetadataNames.IsField(line, "X-Mozilla-Status"u8)
        && int.TryParse(line[(line.IndexOf((byte)':') + 1)..].Trim(" \t\r"u8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits)
            ? bits
            : null;

    /// <summary>Returns the keywords that a header line can't hold; only the index stores them.</summary>
    public static FlagSet Unwritable(FlagSet flags) =>
        FlagSet.Create(MessageFlags.None, flags.Keywords.Where(k => !IsWritable(k)));

    private static bool IsWritable(string keyword) =>
        keyword.Length is > 0 and <= 200 && !keyword.Any(c => c is <= ' ' or ',' or '\u007f' || char.IsSurrogate(c) || char.IsControl(c));
}
