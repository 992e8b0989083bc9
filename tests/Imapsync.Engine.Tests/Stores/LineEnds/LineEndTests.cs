using Imapsync.Engine.Stores.LineEnds;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.LineEnds;

public sealed class LineEndTests
{
    [Fact]
    public async Task Pieces_of_any_size_give_what_the_whole_gives()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 2_000; round++)
        {
            var octets = Enumerable.Range(0, random.Next(30)).Select(_ => (byte)"\r\n\r\nab"[random.Next(6)]).ToArray();
            var text = string.Concat(octets.Select(o => (char)o));
            var (scanner, lf) = InPieces(octets, random);
            var message = $"seed {seed}, round {round}: {System.Text.Json.JsonSerializer.Serialize(text)}";
            Assert.True(text.Replace("\r\n", "\n", StringComparison.Ordinal) == Text(lf), message);
            var crlf = Text(lf).Replace("\r\n", "\n", StringComparison.Ordinal).Replace("\n", "\r\n", StringComparison.Ordinal);
            Assert.True(scanner.SurvivesLf == (crlf == text), message);
            Assert.True(scanner.OctetsWithCrlf == text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace("\n", "\r\n", StringComparison.Ordinal).Length, message);
            Assert.True(crlf == Text(await ToCrlfAsync(lf, random.Next(2, 9))), message);
        }
    }

    [Fact]
    public void Lines_of_any_length_give_what_looking_at_each_octet_gives()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 3_000; round++)
        {
            // The scanner uses SIMD vectors. So the inputs (1) have rare or frequent line ends, (2) have CRs at every position of a vector,
            // (3) have more vectors than a counter of one octet can count.
            var rarity = random.Next(1, 90);
            var octets = new byte[random.Next(8) == 0 ? random.Next(3_900, 9_000) : random.Next(200)];
            for (var at = 0; at < octets.Length; at++)
                octets[at] = random.Next(rarity) > 0 ? (byte)'a' : (byte)"\r\n\n"[random.Next(3)];
            for (var at = 0; at + 1 < octets.Length; at++)
            {
                if (random.Next(rarity + 1) == 0)
                    (octets[at], octets[at + 1]) = ((byte)'\r', (byte)'\n');
            }

            var message = $"seed {seed}, round {round}, {octets.Length} octets";
            var (crlf, bare, crCrlf) = (0L, 0L, 0L);
            var lf = new List<byte>();
            for (var at = 0; at < octets.Length; at++)
            {
                var isLf = octets[at] == '\n';
                var isCrlf = isLf && at > 0 && octets[at - 1] == '\r';
                crlf += isCrlf ? 1 : 0;
                bare += isLf && !isCrlf ? 1 : 0;
                crCrlf += isCrlf && at > 1 && octets[at - 2] == '\r' ? 1 : 0;
                if (!(octets[at] == '\r' && at + 1 < octets.Length && octets[at + 1] == '\n'))
                    lf.Add(octets[at]);
            }

            var whole = default(LineEndScanner);
            whole.Scan(octets);
            Assert.True((crlf, bare, crCrlf, octets.Length) == (whole.Crlf, whole.BareLf, whole.CrCrlf, whole.Octets), message);
            var (pieces, converted) = InPieces(octets, random, mostOctets: 100);
            Assert.True((crlf, bare, crCrlf, octets.Length) == (pieces.Crlf, pieces.BareLf, pieces.CrCrlf, pieces.Octets), message);
            Assert.True(lf.SequenceEqual(converted), message);
            var convert = default(CrlfToLf);
            var length = convert.Convert(octets, octets);
            length += convert.Finish(octets.AsSpan(length));
            Assert.True(octets.AsSpan(0, length).SequenceEqual(lf.ToArray()), message);
        }
    }

    [Fact]
    public void A_message_in_one_piece_is_converted_in_place()
    {
        byte[] octets = [.. "a\r\n\r\nb\rc\r\n\r"u8];
        var convert = default(CrlfToLf);
        var length = convert.Convert(octets, octets);
        length += convert.Finish(octets.AsSpan(length));
        Assert.Equal("a\n\nb\rc\n\r"u8, octets.AsSpan(0, length));
    }

    private static (LineEndScanner Scanner, byte[] Lf) InPieces(byte[] octets, Random random, int mostOctets = 4)
    {
        var scanner = default(LineEndScanner);
        var convert = default(CrlfToLf);
        var lf = new List<byte>();
        var buffer = new byte[octets.Length + 1];
        for (var at = 0; at < octets.Length;)
        {
            var piece = octets.AsSpan(at, Math.Min(octets.Length - at, random.Next(0, mostOctets + 1)));
            scanner.Scan(piece);
            lf.AddRange(buffer.AsSpan(0, convert.Convert(piece, buffer)));
            at += piece.Length;
        }

        lf.AddRange(buffer.AsSpan(0, convert.Finish(buffer)));
        return (scanner, [.. lf]);
    }

    private static async Task<byte[]> ToCrlfAsync(byte[] octets, int bufferBytes)
    {
        await using var stream = new CrlfStream(new MemoryStream(octets));
        using var result = new MemoryStream();
        await stream.CopyToAsync(result, bufferBytes, TestContext.Current.CancellationToken);
        return result.ToArray();
    }

    private static string Text(byte[] octets) => string.Concat(octets.Select(o => (char)o));
}
