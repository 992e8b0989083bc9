using System.Text;

namespace Imapsync.Tests.Support;

/// <summary>Damages octets as broken and hostile servers do.</summary>
public static class Mutation
{
    /// <summary>Words that have caused failures in programs that read mail protocols.</summary>
    public static IReadOnlyList<byte[]> Nasty { get; } =
    [
        .. new[]
        {
            "18446744073709551616", "9223372036854775807", "4294967296", "-1", "0", "1e308", "{0}\r\n", "{4294967296}\r\n", "{3}\r\n", "~{7}\r\n",
            "((((((((((((((((((((((((((((((((((((((((", "))))", "\"", "\\", "[", "]", "NIL", "\r\n", "\n", "\0", "\xFF\xFE", "* ", "+ \r\n", "* BYE\r\n",
            "A1 OK\r\n", "A2 NO [", "A3 BAD\r\n", "* 1 FETCH (UID 1 BODY[] {9}\r\n", "* 4294967295 EXISTS\r\n", "* LIST () \"/\" ", "BODY[", "<0>", "  ",
        }.Select(Encoding.Latin1.GetBytes),
    ];

    /// <param name="other">Other octets, from which parts are inserted.</param>
    public static byte[] Apply(byte[] octets, byte[] other, Random random) => Apply(octets, other, Nasty, random);

    /// <param name="other">Other octets, from which parts are inserted.</param>
    /// <param name="words">Words to insert, which the tested reader interprets or which made similar readers fail.</param>
    public static byte[] Apply(byte[] octets, byte[] other, IReadOnlyList<byte[]> words, Random random)
    {
        var changed = octets.ToList();
        for (var times = 1 + random.Next(4); times > 0; times--)
            Once(changed, other, words, random);
        return [.. changed];
    }

    private static void Once(List<byte> octets, byte[] other, IReadOnlyList<byte[]> words, Random random)
    {
        var at = random.Next(octets.Count + 1);
        var count = Math.Min(octets.Count - at, 1 + random.Next(random.Next(4) == 0 ? 60 : 4));
        switch (random.Next(9))
        {
            case 0 when at < octets.Count:
                octets[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when at < octets.Count:
                octets[at] = (byte)random.Next(256);
                break;
            case 2:
                octets.RemoveRange(at, count);
                break;
            case 3:
                octets.InsertRange(at, octets.GetRange(at, count));
                break;
            case 4:
                octets.RemoveRange(at, random.Next(6) == 0 ? octets.Count - at : count);
                break;
            case 5:
                var from = random.Next(other.Length + 1);
                octets.InsertRange(at, other[from..Math.Min(other.Length, from + random.Next(120))]);
                break;
            case 6:
                ReplaceNumber(octets, at, random);
                break;
            case 7:
                MoveLine(octets, at, random);
                break;
            default:
                octets.InsertRange(at, words[random.Next(words.Count)]);
                break;
        }
    }

    /// <summary>Duplicates, removes or moves a line.</summary>
    private static void MoveLine(List<byte> octets, int at, Random random)
    {
        var start = at == 0 ? 0 : octets.LastIndexOf((byte)'\n', at - 1) + 1;
        var end = octets.IndexOf((byte)'\n', at) + 1;
        if (end == 0)
            return;
        var line = octets.GetRange(start, end - start);
        if (random.Next(3) > 0)
            octets.RemoveRange(start, line.Count);
        if (random.Next(3) > 0)
            octets.InsertRange(octets.IndexOf((byte)'\n', random.Next(octets.Count + 1)) + 1, line);
    }

    private static void ReplaceNumber(List<byte> octets, int at, Random random)
    {
        while (at < octets.Count && octets[at] is < (byte)'0' or > (byte)'9')
            at++;
        var end = at;
        while (end < octets.Count && octets[end] is >= (byte)'0' and <= (byte)'9')
            end++;
        octets.RemoveRange(at, end - at);
        octets.InsertRange(at, Encoding.ASCII.GetBytes(random.Next(3) == 0 ? random.Next(100).ToString() : ((ulong)random.NextInt64() << random.Next(2)).ToString()));
    }
}
