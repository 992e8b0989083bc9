using Imapsync.Engine.Files;

namespace Imapsync.Engine.State;

/// <summary>
/// The journal of one folder pair's checkpoint. It is created atomically with its first batch; each later batch is appended and made
/// durable.
/// </summary>
internal sealed class Journal(IStateMedium medium, PairKey pair) : IDisposable
{
    /// <summary>The size in octets below which a journal is not worth rewriting.</summary>
    private const long MinCompactionBytes = 64 * 1024;

    /// <summary>The approximate size of one message's record in a rewritten journal.</summary>
    private const long BytesPerMessage = 44;

    private IStateLog? log;
    private long length;

    /// <summary>Reads a folder pair's journal without changing it; null if there is none.</summary>
    /// <exception cref="StateDamagedException">The journal is damaged.</exception>
    /// <exception cref="CheckpointVersionException">The journal was written by a newer version.</exception>
    public static async Task<(CheckpointState State, CommittedExtent Extent)?> ReadAsync(IStateMedium medium, PairKey pair, CancellationToken cancellationToken)
    {
        if (await medium.OpenAsync(StateName.Journal(pair), cancellationToken) is not { } opened)
            return null;
        using var journal = opened;
        var extent = await JournalScan.CheckAsync(journal, pair, cancellationToken);
        return (await JournalScan.ReplayAsync(journal, extent, cancellationToken), extent);
    }

    /// <summary>Continues a journal after its last commit; anything after that is truncated.</summary>
    public void Continue(CommittedExtent extent)
    {
        length = extent.CommittedBytes;
        log = medium.Continue(StateName.Journal(pair), length);
    }

    /// <summary>Appends one batch that ends with a commit, and syncs. The first batch creates the file.</summary>
    /// <param name="batch">Its CRC chain continues from the file's last line, or from <see cref="NewHeader"/> in a new file.</param>
    public async Task AppendAsync(ReadOnlyMemory<byte> batch)
    {
        if (log is null)
        {
            var header = NewHeader(pair);
            await medium.ReplaceAsync(StateName.Journal(pair), async (stream, token) =>
            {
                await stream.WriteAsync(header.Written, token);
                await stream.WriteAsync(batch, token);
            }, CancellationToken.None);
            length = header.Written.Length + batch.Length;
            log = medium.Continue(StateName.Journal(pair), length);
            return;
        }

        await log.AppendAsync(batch);
        length += batch.Length;
    }

    /// <summary>Returns the header of a new journal. The CRC chain of the first batch continues from it.</summary>
    public static RecordWriter NewHeader(PairKey pair)
    {
        var writer = new RecordWriter();
        JournalRecords.WriteHeader(writer, pair);
        return writer;
    }

    /// <summary>Returns true if most of a journal consists of superseded records.</summary>
    public static bool IsWorthCompacting(long length, CheckpointState state) =>
        length > MinCompactionBytes && length > 4 * BytesPerMessage * (state.Messages.Count + 16L);

    /// <summary>Rewrites the journal as a snapshot of the state, if that is worth it. Nothing can be appended afterwards.</summary>
    public async Task FinishAsync(CheckpointState state)
    {
        if (log is not null && IsWorthCompacting(length, state))
            await JournalSnapshot.WriteAsync(medium, pair, state, CancellationToken.None);
    }

    public void Dispose() => log?.Dispose();
}
