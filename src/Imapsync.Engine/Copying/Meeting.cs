using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Decides which messages of the target are compared with the messages about to be copied. Messages that arrived at the source since the last run
/// are compared only with those that the target received since. Messages that come in late (excluded by a filter, missing from a listing, or
/// restored) have never been compared with the target, so they are compared with all of it.
/// </summary>
internal sealed class Meeting
{
    /// <param name="source">The pair's source folder.</param>
    /// <param name="predecessors">See <see cref="IMessageFolder.Predecessors"/>.</param>
    /// <param name="remembered">The pair's summary after the last run; null if unknown.</param>
    public static async Task<Meeting> PlanAsync(
        JobContext context, FolderPath source, IReadOnlyDictionary<Uid, Uid> predecessors, ICheckpoint checkpoint, PairSummary? remembered, FolderPlan plan, bool isFirst, CancellationToken abort)
    {
        var job = context.Job;
        var isWhole = isFirst || checkpoint.KnownTargetUidNext.IsNone || job.IsRestore || HaveNotMet(checkpoint, predecessors, remembered, plan.Copy)
            || await IsRestoredToAsync(context, job, abort);
        return new Meeting(job, source, checkpoint, plan, isFirst, isWhole);
    }

    private Meeting(JobDefinition job, FolderPath source, ICheckpoint checkpoint, FolderPlan plan, bool isFirst, bool isWhole)
    {
        OwnFrom = isFirst || checkpoint.KnownTargetUidNext.IsNone ? null : checkpoint.KnownTargetUidNext;
        From = isWhole ? new Uid(1) : checkpoint.KnownTargetUidNext;

        // Until it is removed, the copy of a vanished message can be reused for a message that returns under another UID, for example
        // after a restore.
        var reusable = plan.Reusable.Select(m => m.Target).ToHashSet();
        Claimed = checkpoint.Messages.Where(m => m.Target >= From && !reusable.Contains(m.Target)).Select(m => m.Target).ToHashSet();
        // A message that was removed from the backup but is in the account has already come back, so no target message is claimed.
        if (job.Restores?.IsTrash(source) == true)
            Claimed.Clear();
        var sizes = reusable.Count == 0 || isWhole ? [] : plan.Copy.Select(m => m.Size).ToHashSet();
        Returning = sizes.Count == 0 ? [] : plan.Reusable.Where(m => (m.Checksum?.Length ?? m.Seen?.Size) is { } size && sizes.Contains(size)).Select(m => m.Target).ToHashSet();
    }

    /// <summary>The lowest target UID to compare with.</summary>
    public Uid From { get; }

    /// <summary>From this UID on the target may hold messages that an interrupted run appended; null if no run has settled anything.</summary>
    public Uid? OwnFrom { get; }

    /// <summary>Target UIDs that belong to other source messages.</summary>
    public HashSet<Uid> Claimed { get; }

    /// <summary>Target UIDs below <see cref="From"/> of reusable copies that have the size of a message to copy.</summary>
    private HashSet<Uid> Returning { get; }

    /// <summary>
    /// Returns target UIDs below <see cref="From"/> to compare with as well: reusable copies, and messages without a record that have the size
    /// of a message to copy. Such a message is new to the job and may be at the target all the same: its record was lost when one of the two
    /// mailboxes was put back from a copy, or the target got it by a delivery of its own.
    /// </summary>
    /// <param name="claimed">Target UIDs that belong to messages of other pairs, or of this one at or above <see cref="From"/>.</param>
    public async Task<IReadOnlySet<Uid>> FindWorthALookAsync(
        ICheckpoint checkpoint, IMessageFolder target, IReadOnlySet<Uid> claimed, IReadOnlyList<MessageInfo> about, CancellationToken cancellationToken)
    {
        if (From.Value <= 1 || about.Count == 0)
            return Returning;
        var recorded = checkpoint.Messages.Where(m => !m.Target.IsNone).Select(m => m.Target).Concat(claimed).ToHashSet();
        // As long as the folder holds no more messages than were recorded, this takes no listing of it.
        if (!target.Status.IsCountUnknown && target.Status.Messages <= recorded.Count)
            return Returning;
        var sizes = about.Select(m => m.Size).ToHashSet();
        var found = new HashSet<Uid>(Returning);
        var below = UidSet.Range(new Uid(1), new Uid(From.Value - 1));
        await foreach (var message in target.ListAsync(new ListRequest(below, WithDateAndSize: true), cancellationToken))
        {
            if (message.Uid < From && !recorded.Contains(message.Uid) && sizes.Contains(message.Size))
                found.Add(message.Uid);
        }

        return found;
    }

    /// <summary>Returns true if mail was restored to the source account: it is new in the account, but its backup already has it.</summary>
    private static async Task<bool> IsRestoredToAsync(JobContext context, JobDefinition job, CancellationToken abort)
    {
        await using var restored = context.OpenState(RestoreOrigin.StateOf(job, job.Source));
        return await restored.ExistsAsync(abort);
    }

    /// <summary>
    /// True if a message existed before the last run ended and was not settled by that run. A run copies or skips every message it lists
    /// unless it ends early, so an unsettled message below the source's last known UIDNEXT may have been overlooked. A message that failed
    /// may have failed while it was compared with the target. A message at the place of one that was not settled may be that message, whose
    /// file was put back from a copy.
    /// </summary>
    private static bool HaveNotMet(ICheckpoint checkpoint, IReadOnlyDictionary<Uid, Uid> predecessors, PairSummary? remembered, MessageList messages)
    {
        if (remembered is null)
            return messages.Any(m => !checkpoint.TryGet(m.Uid, out var known) || HasNotMet(known));
        // If the server reports no UIDNEXT, the highest recorded source UID shows how far the last run came.
        var newFrom = remembered.Source.UidNext;
        if (newFrom.IsNone)
            newFrom = checkpoint.Messages.Select(m => m.Source).LastOrDefault();
        return messages.Any(m => checkpoint.TryGet(m.Uid, out var known)
            ? HasNotMet(known)
            : m.Uid < newFrom || (Successors.FindRecorded(predecessors, checkpoint, m.Uid) is { } before && HasNotMet(before)));
    }

    private static bool HasNotMet(in SettledMessage known) => known.Settlement is Settlement.Skipped or Settlement.Failed;
}
