using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Which messages of the target those about to be copied have to be held against. What arrived at the source since the last
/// run is looked for among what the target got since. Anything else that comes in only now (a filter kept it out, a listing
/// did not show it, it is restored) has never met the target and is held against all of it.
/// </summary>
internal sealed class Meeting
{
    private readonly ICheckpoint checkpoint;
    private readonly FolderPlan plan;
    private readonly Dictionary<Uid, Uid> vanished;

    /// <param name="source">The pair's source folder.</param>
    /// <param name="remembered">How the pair stood after the last run; null where that is not known.</param>
    public static async Task<Meeting> PlanAsync(
        JobContext context, FolderPath source, ICheckpoint checkpoint, PairSummary? remembered, FolderPlan plan, bool isFirst, CancellationToken abort)
    {
        var job = context.Job;
        var isWhole = isFirst || checkpoint.KnownTargetUidNext.IsNone || job.IsRestore || HaveNotMet(checkpoint, remembered, plan.Copy)
            || await IsRestoredToAsync(context, job, abort);
        return new Meeting(job, source, checkpoint, plan, isFirst, isWhole);
    }

    private Meeting(JobDefinition job, FolderPath source, ICheckpoint checkpoint, FolderPlan plan, bool isFirst, bool isWhole)
    {
        (this.checkpoint, this.plan) = (checkpoint, plan);
        OwnFrom = isFirst || checkpoint.KnownTargetUidNext.IsNone ? null : checkpoint.KnownTargetUidNext;
        From = isWhole ? new Uid(1) : checkpoint.KnownTargetUidNext;

        // What vanished is there, until it is removed, for a message that comes back under another UID, after a restore perhaps.
        vanished = plan.Vanished.Where(m => !m.Target.IsNone).ToLookup(m => m.Target, m => m.Source).ToDictionary(g => g.Key, g => g.First());
        Claimed = checkpoint.Messages.Where(m => m.Target >= From && !vanished.ContainsKey(m.Target)).Select(m => m.Target).ToHashSet();
        // What was removed from a backup and is in its account has come back, whoever brought it.
        if (job.Restores?.IsTrash(source) == true)
            Claimed.Clear();
        var sizes = vanished.Count == 0 || isWhole ? [] : plan.Copy.Select(m => m.Size).ToHashSet();
        Returning = sizes.Count == 0 ? [] : plan.Vanished.Where(m => !m.Target.IsNone && (m.Checksum?.Length ?? m.Seen?.Size) is { } size && sizes.Contains(size)).Select(m => m.Target).ToHashSet();
    }

    /// <summary>The lowest UID of the target to look at.</summary>
    public Uid From { get; }

    /// <summary>From here on the target may hold what an interrupted run appended; null where no run has settled anything.</summary>
    public Uid? OwnFrom { get; }

    /// <summary>Target UIDs that are some other message's.</summary>
    public HashSet<Uid> Claimed { get; }

    /// <summary>Lower target UIDs to look at as well.</summary>
    public IReadOnlySet<Uid> Returning { get; }

    /// <summary>What was recognised may have been another message's that vanished: it has one only.</summary>
    public void TakeOver(HashSet<Uid> recognized)
    {
        var successors = vanished.Where(v => recognized.Contains(v.Key)).Select(v => v.Value).ToHashSet();
        if (successors.Count == 0)
            return;
        plan.Vanished.RemoveAll(m => successors.Contains(m.Source));
        plan.Forget.AddRange(successors);
    }

    /// <summary>An account that mail was restored to gets by it new mail that its backup has had all the time.</summary>
    private static async Task<bool> IsRestoredToAsync(JobContext context, JobDefinition job, CancellationToken abort)
    {
        await using var restored = context.OpenState(RestoreOrigin.StateOf(job, job.Source));
        return await restored.ExistsAsync(abort);
    }

    /// <summary>
    /// True where a message was there before the last run ended and was not brought in by it. Whatever a run lists it copies,
    /// or settles as skipped, or comes to an end before: so what is not settled and below the UIDs that were to come may have been overlooked.
    /// What failed may have failed while it was held against what is there.
    /// </summary>
    private static bool HaveNotMet(ICheckpoint checkpoint, PairSummary? remembered, MessageList messages)
    {
        if (remembered is null)
            return messages.Any(m => !checkpoint.TryGet(m.Uid, out var known) || HasNotMet(known));
        // A server that tells no UIDNEXT shows by its messages how far it had come.
        var newFrom = remembered.Source.UidNext;
        if (newFrom.IsNone)
            newFrom = checkpoint.Messages.Select(m => m.Source).LastOrDefault();
        return messages.Any(m => checkpoint.TryGet(m.Uid, out var known) ? HasNotMet(known) : m.Uid < newFrom);
    }

    private static bool HasNotMet(in SettledMessage known) => known.Settlement is Settlement.Skipped or Settlement.Failed;
}
