using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Decides which target messages are compared with the messages about to be copied.
/// (1) If all of these arrived at the source since the last run: what the target received since then, the copies of vanished messages, and
/// messages without a record that have the size or date of a message to copy.
/// (2) If an earlier run may have missed some, or mail was restored to the source: the whole target.
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
        return new Meeting(context, source, checkpoint, plan, isFirst, isWhole);
    }

    private readonly JobContext context;
    private readonly FolderPlan plan;

    private Meeting(JobContext context, FolderPath source, ICheckpoint checkpoint, FolderPlan plan, bool isFirst, bool isWhole)
    {
        (this.context, this.plan) = (context, plan);
        OwnFrom = isFirst || checkpoint.KnownTargetUidNext.IsNone ? null : checkpoint.KnownTargetUidNext;
        From = isWhole ? new Uid(1) : checkpoint.KnownTargetUidNext;

        // The copy of a vanished message can be reused if the message is at the source again under another UID, for example after a
        // restore.
        var reusable = plan.Reusable.Select(m => m.Target).ToHashSet();
        Claimed = checkpoint.Messages.Where(m => m.Target >= From && !reusable.Contains(m.Target)).Select(m => m.Target).ToHashSet();
        // All target messages are compared when the backup's trash is restored. The account may already hold a message of the trash,
        // recorded as the copy of a message in another folder of the backup.
        if (context.Job.Restores?.IsTrash(source) == true)
            Claimed.Clear();
    }

    /// <summary>Whether the messages are compared with the whole target.</summary>
    public bool IsWhole => From.Value <= 1;

    /// <summary>The lowest UID of the target messages that are compared.</summary>
    public Uid From { get; }

    /// <summary>
    /// From this UID on the target may hold messages that an interrupted run appended; null if no run has recorded anything.
    /// </summary>
    public Uid? OwnFrom { get; }

    /// <summary>Target UIDs that belong to other source messages. These target messages are not compared.</summary>
    public HashSet<Uid> Claimed { get; }

    /// <summary>
    /// Returns target UIDs below <see cref="From"/> to compare as well: copies of vanished messages, and messages without a record that
    /// have the size or date of a message to copy. A copy has no record if a mailbox was restored from an older copy. The same holds if the
    /// target received the message from elsewhere.
    /// </summary>
    /// <param name="claimed">Target UIDs that are recorded for other messages.</param>
    public async Task<IReadOnlySet<Uid>> FindWorthALookAsync(
        ICheckpoint checkpoint, IMessageFolder target, IReadOnlySet<Uid> claimed, CancellationToken cancellationToken)
    {
        // The whole target includes all of them.
        if (IsWhole)
            return new HashSet<Uid>();
        var found = await LikelyCopies.ChooseReusableAsync(context, target, plan.Copy, plan, cancellationToken);
        var recorded = checkpoint.Messages.Where(m => !m.Target.IsNone).Select(m => m.Target).Concat(claimed).ToHashSet();
        // If the folder holds no more messages than are recorded, none is unrecorded, so the folder need not be listed.
        if (!target.Status.IsCountUnknown && target.Status.Messages <= recorded.Count)
            return found;
        var sizes = new LikelySizes(plan.Copy.Select(m => m.Size), context.Source.Traits, context.Target.Traits);
        var dates = plan.Copy.Select(m => m.InternalDate.ToUnixTimeSeconds()).ToHashSet();
        var below = UidSet.Range(new Uid(1), new Uid(From.Value - 1));
        await foreach (var message in target.ListAsync(new ListRequest(below, WithDateAndSize: true), cancellationToken))
        {
            if (message.Uid < From && !recorded.Contains(message.Uid) && (sizes.Contains(message.Size) || dates.Contains(message.InternalDate.ToUnixTimeSeconds())))
                found.Add(message.Uid);
        }

        return found;
    }

    /// <summary>
    /// Returns true if mail was ever restored to the source account. Restored mail is new in the account, but the backup already has it, so
    /// the whole target has to be compared.
    /// </summary>
    private static async Task<bool> IsRestoredToAsync(JobContext context, JobDefinition job, CancellationToken abort)
    {
        await using var restored = context.OpenState(RestoreOrigin.StateOf(job, job.Source));
        return await restored.ExistsAsync(abort);
    }

    /// <summary>
    /// Returns true if a message may have been at the source before the last run ended without having been compared with the target.
    /// (1) It has no record, and its UID is below the source's last known UIDNEXT: the last run may have ended too early.
    /// (2) It was skipped or failed.
    /// (3) It has taken the file name of a message that was skipped or failed (<see cref="Successors"/>).
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
