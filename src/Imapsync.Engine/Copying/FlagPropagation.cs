using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Propagates flag changes to the target. <see cref="FlagPolicy.Follow"/> is a three-way merge: only what changed at the source since the
/// last propagation is changed at the target, so changes made by the target's users stay.
/// </summary>
/// <param name="policy">Returns the policy in force now: a cut-over may change it while flags are propagated.</param>
internal sealed class FlagPropagation(Func<FlagPolicy> policy, IMessageFolder source, IMessageFolder target, ICheckpoint checkpoint, FolderTally tally)
{
    /// <summary>How many changes are sent before the checkpoint is durably written.</summary>
    private const int BatchSize = 1000;

    /// <summary>
    /// Source UIDs of messages whose recorded target UID now belongs to other mail. The flags of that mail were not changed.
    /// </summary>
    public IReadOnlyCollection<Uid> Strangers { get; private set; } = [];

    /// <summary>
    /// True if the policy changed during propagation. Changes that are not sent yet belong to the old policy and must be determined again.
    /// </summary>
    public bool IsCutShort { get; private set; }

    /// <summary>Why the target refused some of the changes, which remain to be done; null if it accepted all.</summary>
    public MailException? Refusal { get; private set; }

    /// <param name="changed">Messages with a record, each with its current flags at the source.</param>
    /// <param name="recognized">
    /// Messages that this run found at the target, with the flags of both sides. No flags are recorded for them that could be the base of a
    /// merge.
    /// </param>
    public async Task ApplyAsync(
        IWritableFolder writable,
        IReadOnlyList<(SettledMessage Known, FlagSet Now)> changed,
        IReadOnlyList<(MessageInfo Source, MessageInfo Target)> recognized,
        CancellationToken cancellationToken)
    {
        var collectedUnder = policy();
        var changes = await CollectAsync(collectedUnder, changed, recognized, cancellationToken);
        foreach (var batch in changes.Chunk(BatchSize))
        {
            IsCutShort = policy() != collectedUnder;
            if (IsCutShort)
                return;
            List<FlagChange> needed = [.. batch.Select(c => c.Change).Where(c => !IsEmpty(c))];
            var refused = needed.Count == 0 ? null : await SetAsync(writable, needed, cancellationToken);
            foreach (var (settled, change) in batch)
            {
                if (IsEmpty(change) || refused is null || (refused.OnlyFor is { } only && !only.Contains(change.Uid)))
                    checkpoint.Settle(settled);
            }

            await checkpoint.CommitAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Sends the flag changes. A permanent refusal is returned instead of thrown, since it must not keep new mail from being copied.
    /// </summary>
    private async Task<MailException?> SetAsync(IWritableFolder writable, List<FlagChange> changes, CancellationToken cancellationToken)
    {
        try
        {
            tally.FlagsUpdated += await writable.SetFlagsAsync(changes, cancellationToken);
            return null;
        }
        catch (MailException e) when (e is { Scope: not FailureScope.Store, IsTransient: false })
        {
            Refusal ??= e;
            tally.FlagsUpdated += e.OnlyFor is { } only ? changes.Count - (int)only.Count : 0;
            return e;
        }
    }

    private async Task<List<(SettledMessage Settled, FlagChange Change)>> CollectAsync(
        FlagPolicy collected,
        IReadOnlyList<(SettledMessage Known, FlagSet Now)> changed,
        IReadOnlyList<(MessageInfo Source, MessageInfo Target)> recognized,
        CancellationToken cancellationToken)
    {
        if (collected == FlagPolicy.Once)
            return [];
        var changes = new List<(SettledMessage Settled, FlagChange Change)>();
        foreach (var (known, now) in changed)
        {
            if (!known.Target.IsNone)
                changes.Add((known with { Flags = now }, new FlagChange(known.Target, now.Except(known.Flags), known.Flags.Except(now))));
        }

        foreach (var (source, there) in recognized)
        {
            checkpoint.TryGet(source.Uid, out var settled);
            var remove = collected == FlagPolicy.Exact ? there.Flags.Except(source.Flags) : FlagSet.Empty;
            var add = collected == FlagPolicy.Yield ? FlagSet.Empty : source.Flags.Except(there.Flags);
            changes.Add((settled with { Flags = source.Flags }, new FlagChange(there.Uid, add, remove)));
        }

        if (collected == FlagPolicy.Yield)
            await YieldAsync(changes, changed, cancellationToken);

        if (collected == FlagPolicy.Exact)
            await AddDriftAsync(changes, cancellationToken);
        // If the same flags changed on both sides, no change is sent. The message still stays in the list, so that its flags are recorded
        // as the base of the next merge.
        changes.RemoveAll(c => IsEmpty(c.Change) && checkpoint.TryGet(c.Settled.Source, out var known) && known.Flags.Equals(c.Settled.Flags));
        var justSeen = recognized.Select(r => r.Source.Uid).ToHashSet();
        List<SettledMessage> remembered = [.. changes.Where(c => !IsEmpty(c.Change)).Select(c => c.Settled).Where(s => !justSeen.Contains(s.Source))];
        if (remembered.Count == 0)
            return changes;
        Strangers = await TargetProof.FindStrangersAsync(source, target, remembered, cancellationToken);
        changes.RemoveAll(c => Strangers.Contains(c.Settled.Source));
        return changes;
    }

    private static bool IsEmpty(FlagChange change) => change.Add.IsEmpty && change.Remove.IsEmpty;

    /// <summary>
    /// Drops the changes of messages whose flags a user has changed at the target. The records of these messages stay unchanged. Updated
    /// records would later make the user's flags look as if this program had set them.
    /// </summary>
    private async Task YieldAsync(
        List<(SettledMessage Settled, FlagChange Change)> changes, IReadOnlyList<(SettledMessage Known, FlagSet Now)> changed, CancellationToken cancellationToken)
    {
        var propagated = changed.Where(c => !c.Known.Target.IsNone).ToDictionary(c => c.Known.Target, c => c.Known.Flags);
        if (propagated.Count == 0)
            return;
        var untouched = new HashSet<Uid>();
        await foreach (var there in target.ListAsync(new ListRequest(new UidSet(propagated.Keys)), cancellationToken))
        {
            // A missing keyword does not count as a user's change, because the target may never have accepted it.
            if (propagated.TryGetValue(there.Uid, out var before) && there.Flags.Except(before).IsEmpty && before.Except(there.Flags).System == MessageFlags.None)
                untouched.Add(there.Uid);
        }

        for (var i = 0; i < changes.Count; i++)
        {
            if (!untouched.Contains(changes[i].Change.Uid))
                changes[i] = (changes[i].Settled with { Flags = propagated.GetValueOrDefault(changes[i].Change.Uid, changes[i].Settled.Flags) }, changes[i].Change with { Add = FlagSet.Empty, Remove = FlagSet.Empty });
        }
    }

    /// <summary>With <see cref="FlagPolicy.Exact"/>: adds changes that revert what the target's users changed.</summary>
    private async Task AddDriftAsync(List<(SettledMessage Settled, FlagChange Change)> changes, CancellationToken cancellationToken)
    {
        var sourceNow = changes.ToDictionary(c => c.Settled.Target, c => c.Settled);
        var settled = checkpoint.Messages.Where(m => m.Settlement is Settlement.Copied or Settlement.Adopted && !m.Target.IsNone)
            .ToDictionary(m => m.Target);
        changes.Clear();
        await foreach (var there in target.ListAsync(new ListRequest(), cancellationToken))
        {
            if (!sourceNow.TryGetValue(there.Uid, out var message) && !settled.TryGetValue(there.Uid, out message))
                continue;
            changes.Add((message, new FlagChange(there.Uid, message.Flags.Except(there.Flags), there.Flags.Except(message.Flags))));
        }
    }
}
