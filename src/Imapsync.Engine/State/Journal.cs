using Imapsync.Engine.Files;

namespace Imapsync.Engine.State;

/// <summary>One pair's journal. Created with its first batch, whole or not at all; added to and made durable batch by batch.</summary>
internal sealed class Journal(IStateMedium medium, PairKey pair) : IDisposable
{
    /// <summary>Below this a journal isn't worth rewriting.</summary>
    private const long MinCompactionBytes = 64 * 1024;

    /// <summary>How many octets a message costs when written anew, near enough.</summary>
    private const long BytesPerMessage = 44;

    private IStateLog? log;
    private long length;

    /// <summary>Reads it; null where there is none. Nothing is changed.</summary>
    /// <exception cref="StateDamagedException">It can't be trusted.</exception>
    /// <exception cref="CheckpointVersionException">It is of a newer version.</exception>
    public static async Task<(CheckpointState State, CommittedExtent Extent)?> ReadAsync(IStateMedium medium, PairKey pair, CancellationToken cancellationToken)
    {
        if (await medium.OpenAsync(StateName.Journal(pair), cancellationToken) is not { } opened)
            return null;
        using var journal = opened;
        var extent = await JournalScan.CheckAsync(journal, pair, cancellationToken);
        return (await JournalScan.ReplayAsync(journal, extent, cancellationToken), extent);
    }

    /// <summary>Goes on after what was read; what follows it is cut off.</summary>
    public void Continue(CommittedExtent extent)
    {
        length = extent.CommittedBytes;
        log = medium.Continue(StateName.Journal(pair), length);
    }

    /// <summary>Appends one batch that ends with a commit, and syncs. The first creates the file.</summary>
    /// <param name="batch">Its first line goes on from the last one's CRC: the file's, or <see cref="NewHeader"/>'s.</param>
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

    /// <summary>What a file that is not there yet begins with; the first batch goes on from its CRC.</summary>
    public static RecordWriter NewHeader(PairKey pair)
    {
        var writer = new RecordWriter();
        JournalRecords.WriteHeader(writer, pair);
        return writer;
    }

    /// <summary>Most of the file is history.</summary>
    public static bool IsWorthCompacting(long length, CheckpointState state) =>
        length > MinCompactionBytes && length > 4 * BytesPerMessage * (state.Messages.Count + 16L);

    /// <summary>Writes the state in place of its history, if that is worth it. Nothing can be appended afterwards.</summary>
    public async Task FinishAsync(CheckpointState state)
    {
        if (log is not null && IsWorthCompacting(length, state))
            await JournalSnapshot.WriteAsync(medium, pair, state, CancellationToken.None);
    }

    public void Dispose() => log?.Dispose();
}
