using Imapsync.Engine.Files;

namespace Imapsync.Engine.State;

/// <summary>Replaces the journal of a folder pair by a new one that contains the pair's present state in one batch.</summary>
internal static class JournalSnapshot
{
    private const int ChunkBytes = 64 * 1024;

    /// <summary>Writes the new journal. It contains only the flag sets that are in use.</summary>
    public static async Task<CommittedExtent> WriteAsync(IStateMedium medium, PairKey pair, CheckpointState state, CancellationToken cancellationToken)
    {
        var writer = Journal.NewHeader(pair);
        var length = 0L;
        await medium.ReplaceAsync(StateName.Journal(pair), async (stream, token) =>
        {
            WriteBeginning(writer, state);
            var numbers = new int[state.Flags.Count];
            var used = 0;
            foreach (var entry in state.Messages.Enumerate())
            {
                var flags = entry.Flags;
                if (flags != 0 && numbers[flags] == 0)
                {
                    numbers[flags] = ++used;
                    JournalRecords.WriteFlags(writer, used, state.Flags[flags]);
                }

                JournalRecords.WriteSettled(writer, entry, numbers[flags]);
                if (writer.Written.Length >= ChunkBytes)
                    length += await FlushAsync(writer, stream, token);
            }

            JournalRecords.WriteCommit(writer);
            length += await FlushAsync(writer, stream, token);
        }, cancellationToken);
        return new CommittedExtent(length, writer.Crc, JournalRecords.Version, length);
    }

    private static void WriteBeginning(RecordWriter writer, CheckpointState state)
    {
        JournalRecords.WriteReset(writer, state.SourceValidity, state.TargetValidity, state.Rules);
        if (!state.KnownTargetUidNext.IsNone)
            JournalRecords.WriteKnownTargetUidNext(writer, state.KnownTargetUidNext);
        if (state.MoveUnderWay is not null)
            JournalRecords.WriteMoveUnderWay(writer, state.MoveUnderWay);
        foreach (var (target, source) in state.DamagedCopies)
            JournalRecords.WriteDamaged(writer, target, source);
        if (state.SourceModSeq is not null)
            JournalRecords.WriteModSeq(writer, state.SourceModSeq);
    }

    private static async Task<int> FlushAsync(RecordWriter writer, Stream stream, CancellationToken cancellationToken)
    {
        var length = writer.Written.Length;
        await stream.WriteAsync(writer.Written, cancellationToken);
        writer.Clear();
        return length;
    }
}
