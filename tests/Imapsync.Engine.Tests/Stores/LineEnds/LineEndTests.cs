using Imapsync.Tests.Support;
using Imapsync.Engine.Stores.LineEnds;

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
    public void A_message_in_one_piece_is_converted_in_place()
    {
        byte[] octets = [.. "a\r\n\r\nb\rc\r\n\r"u8];
        var convert = default(CrlfToLf);
        var length = convert.Convert(octets, octets);
        length += convert.Finish(octets.AsSpan(length));
        Assert.Equal("a\n\nb\rc\n\r"u8, octets.AsSpan(0, length));
    }

    private static (LineEndScanner Scanner, byte[] Lf) InPieces(byte[] octets, Random random)
    {
        var scanner = default(LineEndScanner);
        var convert = default(CrlfToLf);
        var lf = new List<byte>();
        var buffer = new byte[octets.Length + 1];
        for (var at = 0; at < octets.Length;)
        {
            var piece = octets.AsSpan(at, Math.Min(octets.Length - at, random.Next(0, 5)));
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
