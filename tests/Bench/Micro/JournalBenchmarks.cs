using BenchmarkDotNet.Attributes;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Bench.Micro;

/// <summary>
/// Measures writing and reading a checkpoint (the record of the messages copied) in a file system in memory,
/// i.e. without the cost of the disk.
/// </summary>
public class JournalBenchmarks : IDisposable
{
    private const int Messages = 20_000;
    private const int Window = 100;

    private static readonly PairKey Written = new(FolderPath.Inbox, FolderPath.Inbox);
    private static readonly PairKey Read = new(new FolderPath("Read"), new FolderPath("Read"));
    private static readonly FlagSet Seen = FlagSet.Parse(["\\Seen"]);

    private readonly TempDir dir = new();

    [GlobalSetup]
    public Task PrepareAsync() => WriteAsync(Read);

    /// <summary>Measures recording messages in the checkpoint and committing them, one batch of messages at a time.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public Task Write()
    {
        Directory.Delete(dir.Create("state"), recursive: true);
        return WriteAsync(Written);
    }

    [Benchmark(OperationsPerInvoke = Messages)]
    public async Task<int> Load()
    {
        await using var store = await CheckpointStore.OpenAsync(dir["read"], TimeProvider.System, readOnly: true, CancellationToken.None);
        await using var checkpoint = await store.OpenAsync(Read, CancellationToken.None);
        return checkpoint.Count(Settlement.Copied);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        dir.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task WriteAsync(PairKey pair)
    {
        await using var store = await CheckpointStore.OpenAsync(dir[pair == Read ? "read" : "state"], TimeProvider.System, readOnly: false, CancellationToken.None);
        await using var checkpoint = await store.OpenAsync(pair, CancellationToken.None);
        checkpoint.Reset(new UidValidity(1), new UidValidity(2), "");
        for (var n = 1u; n <= Messages; n++)
        {
            checkpoint.Settle(new SettledMessage(new Uid(n), new Uid(n), Settlement.Copied, Seen, new MessageChecksum(n * 7919, n)));
            if (n % Window == 0)
                await checkpoint.CommitAsync(CancellationToken.None);
        }
    }
}
