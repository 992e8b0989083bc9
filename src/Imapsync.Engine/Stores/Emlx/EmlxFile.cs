using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Emlx;

/// <summary>
/// The contents of an <c>.emlx</c> file: a line with the message's number of octets, the message, and an XML property list with Apple Mail's metadata.
/// </summary>
/// <param name="Offset">The offset at which the message begins.</param>
/// <param name="Damage">The reason why the message is not whole; null for none.</param>
internal sealed partial record EmlxFile(long Offset, long Length, FlagSet Flags, DateTimeOffset? Received, string? Damage)
{
    private const int MaxFirstLine = 64;

    /// <summary>The longest property list that is read. Those that Mail writes have some hundred octets.</summary>
    private const int MaxListBytes = 1 << 20;

    // The bits of the property "flags", as Mail writes them.
    private static readonly (int Bit, MessageFlags Flag)[] System =
    [
        (0, MessageFlags.Seen), (1, MessageFlags.Deleted), (2, MessageFlags.Answered), (4, MessageFlags.Flagged), (6, MessageFlags.Draft),
    ];

    private static readonly (int Bit, string Keyword)[] Keywords = [(8, "$Forwarded"), (24, "$Junk"), (25, "$NotJunk")];

    /// <summary>Returns null if the first line is not a number of octets. A property list that can't be read counts as empty.</summary>
    public static EmlxFile? Read(Stream file)
    {
        var line = new byte[(int)Math.Min(MaxFirstLine, file.Length)];
        file.Position = 0;
        var count = file.ReadAtLeast(line, line.Length, throwOnEndOfStream: false);
        var end = line.AsSpan(0, count).IndexOf((byte)'\n');
        if (end < 0 || !Utf8Parser.TryParse(line.AsSpan(0, end).TrimStart((byte)' '), out long length, out _) || length < 0
            || line.AsSpan(0, end).TrimStart((byte)' ').TrimEnd(" \r"u8).IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0)
            return null;
        var offset = end + 1L;
        if (length > file.Length - offset)
            return new EmlxFile(offset, 0, FlagSet.Empty, null, $"it has to hold {length} octets of the message and holds {file.Length - offset}: it was cut off");
        file.Position = offset + length;
        var list = new byte[(int)Math.Min(MaxListBytes, file.Length - file.Position)];
        var text = Encoding.UTF8.GetString(list, 0, file.ReadAtLeast(list, list.Length, throwOnEndOfStream: false));
        var received = Number(ReceivedField().Match(text)) is > 0 and < 253402300799 and var seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : (DateTimeOffset?)null;
        return new EmlxFile(offset, length, FlagsOf(Number(FlagsField().Match(text))), received, null);
    }

    private static FlagSet FlagsOf(long bits)
    {
        var flags = MessageFlags.None;
        foreach (var (bit, flag) in System)
            flags |= (bits >> bit & 1) != 0 ? flag : MessageFlags.None;
        return FlagSet.Create(flags, Keywords.Where(k => (bits >> k.Bit & 1) != 0).Select(k => k.Keyword));
    }

    private static long Number(Match match) =>
        match.Success && decimal.TryParse(match.Groups["number"].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number <= long.MaxValue
            ? (long)number
            : 0;

    [GeneratedRegex(@"<key>flags</key>\s*<(?:integer|real)>(?<number>[0-9.]{1,25})</", RegexOptions.None, 1000)]
    private static partial Regex FlagsField();

    [GeneratedRegex(@"<key>date-received</key>\s*<(?:integer|real)>(?<number>[0-9.]{1,25})</", RegexOptions.None, 1000)]
    private static partial Regex ReceivedField();
}
