using Imapsync.Engine.Files;
using Imapsync.Imap;

namespace Imapsync.Engine.State;

/// <summary>The checkpoint of a folder pair, kept in a journal.</summary>
internal sealed class JournalCheckpoint : ICheckpoint
{
    private readonly CheckpointState state;
    private readonly Journal journal;
    private readonly string path;
    private readonly RecordWriter staged;
    private readonly Action<bool> onClosed;
    private Task lastCommit = Task.CompletedTask;
    private bool isClosed;

    /// <param name="crc">The CRC of the journal's last line, or of its header if it is new.</param>
    /// <param name="path">The journal's location, for people.</param>
    /// <param name="onClosed">Called once on closing. The argument is true if a commit failed, so that the journal's end can't be trusted.</param>
    public JournalCheckpoint(CheckpointState state, uint crc, Journal journal, string path, CheckpointCondition condition, string? damage, Action<bool> onClosed)
    {
        (this.state, this.journal, this.path, this.onClosed) = (state, journal, path, onClosed);
        staged = new RecordWriter(crc);
        (Condition, Damage) = (condition, damage);
    }

    public CheckpointCondition Condition { get; }

    public string? Damage { get; }

    public UidValidity SourceValidity => state.SourceValidity;

    public UidValidity TargetValidity => state.TargetValidity;

    public ModSeq? SourceModSeq => state.SourceModSeq;

    public Uid KnownTargetUidNext => state.KnownTargetUidNext;

    public TrashMark? MoveUnderWay => state.MoveUnderWay;

    public IReadOnlyDictionary<Uid, Uid> DamagedCopies => state.DamagedCopies;

    public string Rules => state.Rules;

    public IEnumerable<SettledMessage> Messages => state.Messages.Enumerate().Select(state.ToMessage);

    public int Count(Settlement settlement) => state.Count(settlement);

    public bool TryGet(Uid source, out SettledMessage message)
    {
        var found = state.Messages.TryGet(source, out var entry);
        message = found ? state.ToMessage(entry) : default;
        return found;
    }

    public void Reset(UidValidity source, UidValidity target, string rules)
    {
        ObjectDisposedException.ThrowIf(isClosed, this);
        JournalRecords.WriteReset(staged, source, target, rules);
        state.Reset(source, target, rules);
    }

    public void Settle(SettledMessage message)
    {
        ThrowUnlessBegun();
        ArgumentOutOfRangeException.ThrowIfZero(message.Source.Value, nameof(message));
        if (!state.Flags.TryGetNumber(message.Flags, out var flags))
        {
            flags = state.Flags.Add(message.Flags);
            JournalRecords.WriteFlags(staged, flags, message.Flags);
        }

        var entry = new SettledList.Entry(message.Source.Value, message.Target.Value, message.Settlement, flags, message.Checksum, message.Seen);
        JournalRecords.WriteSettled(staged, entry, flags);
        state.Settle(entry);
    }

    public void Forget(Uid source)
    {
        ThrowUnlessBegun();
        if (state.Forget(source))
            JournalRecords.WriteForget(staged, source);
    }

    public void SetSourceModSeq(ModSeq? modSeq)
    {
        ThrowUnlessBegun();
        if (modSeq == state.SourceModSeq)
            return;
        JournalRecords.WriteModSeq(staged, modSeq);
        state.SourceModSeq = modSeq;
    }

    public void SetRules(string rules)
    {
        ThrowUnlessBegun();
        if (rules == state.Rules)
            return;
        JournalRecords.WriteRules(staged, rules);
        state.Rules = rules;
    }

    public void SetKnownTargetUidNext(Uid uidNext)
    {
        ThrowUnlessBegun();
        if (uidNext == state.KnownTargetUidNext)
            return;
        JournalRecords.WriteKnownTargetUidNext(staged, uidNext);
        state.KnownTargetUidNext = uidNext;
    }

    public void SetMoveUnderWay(TrashMark? mark)
    {
        ThrowUnlessBegun();
        if (mark == state.MoveUnderWay)
            return;
        JournalRecords.WriteMoveUnderWay(staged, mark);
        state.MoveUnderWay = mark;
    }

    public void MarkDamaged(Uid target, Uid source)
    {
        ThrowUnlessBegun();
        ArgumentOutOfRangeException.ThrowIfZero(target.Value, nameof(target));
        JournalRecords.WriteDamaged(staged, target, source);
        state.DamagedCopies[target] = source;
    }

    public void ForgetDamaged(Uid target)
    {
        ThrowUnlessBegun();
        if (state.DamagedCopies.Remove(target))
            JournalRecords.WriteRemovedDamaged(staged, target);
    }

    public ValueTask CommitAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(isClosed, this);
        cancellationToken.ThrowIfCancellationRequested();
        if (!staged.IsEmpty)
        {
            JournalRecords.WriteCommit(staged);
            // Only one task calls this method, so the batches are queued here in order; each is written after the one before.
            lastCommit = AppendAfterAsync(lastCommit, staged.Take());
        }

        return new ValueTask(lastCommit.WaitAsync(cancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        if (isClosed)
            return;
        isClosed = true;
        await lastCommit.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            // The journal is rewritten only if nothing uncommitted is staged, because a snapshot would make uncommitted changes durable.
            if (lastCommit.IsCompletedSuccessfully && staged.IsEmpty)
                await journal.FinishAsync(state);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            // The failure is ignored: the existing journal is complete, and the next closing tries the compaction again.
        }
        finally
        {
            journal.Dispose();
            onClosed(lastCommit.IsFaulted);
        }
    }

    private async Task AppendAfterAsync(Task before, ReadOnlyMemory<byte> batch)
    {
        // This throws if an earlier batch failed. The end of the file is then unknown, so nothing may follow, and every later commit fails too.
        await before;
        try
        {
            await journal.AppendAsync(batch);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw new CheckpointException($"the checkpoint {path} can't be written: {FileErrors.Explain(e)}", e);
        }
    }

    private void ThrowUnlessBegun()
    {
        ObjectDisposedException.ThrowIf(isClosed, this);
        if (!state.HasBegun)
            throw new InvalidOperationException("a checkpoint begins with Reset");
    }
}
