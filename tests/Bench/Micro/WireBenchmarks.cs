using System.Buffers;
using System.Text;
using BenchmarkDotNet.Attributes;
using Imapsync.Imap;
using Imapsync.Imap.Wire;

namespace Imapsync.Bench.Micro;

/// <summary>Measures reading a thousand FETCH replies of the kind that the listing of a folder produces.</summary>
public class WireBenchmarks
{
    private const int Replies = 1000;

    private readonly byte[] octets = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(1, Replies).Select(n =>
        $"* {n} FETCH (UID {n + 7000} FLAGS (\\Seen{(n % 3 == 0 ? " $Label1 NonJunk" : "")}) INTERNALDATE \"17-Jul-2024 02:44:25 +0000\" RFC822.SIZE {n * 37} MODSEQ ({n + 123456}))\r\n")));

    private readonly byte[][] lines;

    public WireBenchmarks() =>
        lines = [.. Encoding.ASCII.GetString(octets).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Select(l => Encoding.ASCII.GetBytes(l[l.IndexOf('(', StringComparison.Ordinal)..] + "\r\n"))];

    [Benchmark(OperationsPerInvoke = Replies)]
    public int Frame()
    {
        var reader = new FrameReader(ImapLimits.Default);
        var input = new SequenceReader<byte>(new ReadOnlySequence<byte>(octets));
        var count = 0;
        while (reader.Read(ref input, out _) == FrameStatus.Frame)
            count++;
        return count;
    }

    [Benchmark(OperationsPerInvoke = Replies)]
    public int Tokens()
    {
        var count = 0;
        foreach (var line in lines)
        {
            var tokens = new Tokenizer(line);
            while (tokens.Next().Kind != TokenKind.End)
                count++;
        }

        return count;
    }

    [Benchmark(OperationsPerInvoke = Replies)]
    public long FetchReply()
    {
        var flags = new FlagReader(ImapLimits.Default);
        var sizes = 0L;
        foreach (var line in lines)
            sizes += FetchItems.Read(new Tokenizer(line), flags).Size;
        return sizes;
    }
}
