using System.Buffers;
using System.IO.Pipelines;
using Imapsync.Engine.Stores.Limits;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Limits;

public sealed class PacedReaderTests
{
    private readonly ManualClock clock = new();
    private readonly byte[] octets = [.. Enumerable.Range(0, 1000).Select(i => (byte)i)];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_body_comes_whole_and_no_faster_than_the_bucket_lets_it()
    {
        var began = clock.GetUtcNow();
        var body = new PacedReader(PipeReader.Create(new ReadOnlySequence<byte>(octets)), new TokenBucket(100, clock));
        var seen = new List<byte>();
        for (var isDone = false; !isDone;)
        {
            var read = await ReadAsync(body);
            seen.AddRange(read.Buffer.ToArray());
            isDone = read.IsCompleted;
            body.AdvanceTo(read.Buffer.End);
            // At most the burst plus the rate times the elapsed seconds may have been read.
            Assert.True(seen.Count <= 25 + (100 * (clock.GetUtcNow() - began).TotalSeconds) + 1e-6);
        }

        Assert.Equal(octets, seen);
    }

    [Fact]
    public async Task A_consumer_that_looks_until_it_has_all_pays_once()
    {
        var began = clock.GetUtcNow();
        var body = new PacedReader(PipeReader.Create(new ReadOnlySequence<byte>(octets)), new TokenBucket(100, clock));
        ReadResult read;
        while (!(read = await ReadAsync(body)).IsCompleted)
            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        Assert.Equal(octets, read.Buffer.ToArray());
        Assert.InRange((clock.GetUtcNow() - began).TotalSeconds, 9.7, 9.8);
    }

    /// <summary>Reads while advancing the clock, so time passes only while the reader waits.</summary>
    private async Task<ReadResult> ReadAsync(PacedReader body)
    {
        var reading = body.ReadAsync(Token).AsTask();
        while (!reading.IsCompleted)
            clock.Advance(TimeSpan.FromMilliseconds(5));
        return await reading;
    }
}
