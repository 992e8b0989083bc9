using System.Globalization;
using System.Text;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mh;

/// <summary>
/// The field <c>X-Evolution: 0000002a-0013</c>: a number and the flags, both hexadecimal. It is the first field of a message that Evolution
/// stores.
/// </summary>
internal static class EvolutionFlags
{
    private const int MaxTop = 4096;

    private static readonly (int Bit, MessageFlags Flag)[] Bits =
        [(0x01, MessageFlags.Answered), (0x02, MessageFlags.Deleted), (0x04, MessageFlags.Draft), (0x08, MessageFlags.Flagged), (0x10, MessageFlags.Seen)];

    /// <summary>Reads the flags; empty where the message does not begin with this field.</summary>
    public static FlagSet Read(Stream file)
    {
        var top = new byte[(int)Math.Min(MaxTop, file.Length)];
        var text = Encoding.Latin1.GetString(top, 0, file.ReadAtLeast(top, top.Length, throwOnEndOfStream: false));
        foreach (var line in text.Split('\n'))
        {
            if (!line.StartsWith("X-", StringComparison.OrdinalIgnoreCase))
                break;
            if (!line.StartsWith("X-Evolution:", StringComparison.OrdinalIgnoreCase))
                continue;
            var words = line["X-Evolution:".Length..].Trim().Split('-', 2);
            if (words.Length < 2 || !int.TryParse(words[1].AsSpan(0, Math.Min(4, words[1].Length)), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits))
                break;
            var flags = MessageFlags.None;
            foreach (var (bit, flag) in Bits)
                flags |= (bits & bit) != 0 ? flag : MessageFlags.None;
            return FlagSet.Create(flags);
        }

        return FlagSet.Empty;
    }
}
