using System.Text;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>Flags and keywords as mbox programs write them: <c>Status: RO</c>, <c>X-Status: AFTD</c>, <c>X-Keywords: Work</c>.</summary>
internal static class FlagFields
{
    private static readonly (MessageFlags Flag, char Letter)[] StatusLetters =
    [
        (MessageFlags.Answered, 'A'), (MessageFlags.Flagged, 'F'), (MessageFlags.Draft, 'T'), (MessageFlags.Deleted, 'D'),
    ];

    /// <summary>Whole lines with LF; none for a message without flags.</summary>
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

    /// <summary>Adds to the flags what one such line says; other lines say nothing.</summary>
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

        if (!MetadataNames.IsField(line, "X-Keywords"u8))
            return flags;
        var keywords = Encoding.UTF8.GetString(line[(colon + 1)..]).Split([' ', '\t', '\r', '\n', ','], StringSplitOptions.RemoveEmptyEntries);
        return flags.Union(FlagSet.Create(MessageFlags.None, keywords));
    }

    /// <summary>The keywords that a header line cannot hold; the index alone has them.</summary>
    public static FlagSet Unwritable(FlagSet flags) =>
        FlagSet.Create(MessageFlags.None, flags.Keywords.Where(k => !IsWritable(k)));

    private static bool IsWritable(string keyword) =>
        keyword.Length is > 0 and <= 200 && !keyword.Any(c => c is <= ' ' or ',' or '\u007f' || char.IsSurrogate(c) || char.IsControl(c));
}
