using System.Collections.Concurrent;
using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Copying;

/// <summary>Compares the records of earlier runs with the job's present settings, before any folder is copied.</summary>
/// <param name="summaries">The pairs' summaries from when they were last up to date.</param>
internal sealed class FormerRuns(JobContext context, ConcurrentDictionary<PairKey, PairSummary> summaries)
{
    /// <summary>
    /// Forgets all records if they belong to another account than the job has now, for example because a wrong user name was corrected. All
    /// messages are then compared by their headers, as in a first run, and nothing is removed.
    /// </summary>
    public async Task ForgetOtherAccountsAsync(CancellationToken abort)
    {
        if (context.Job.IsRestore)
            return;
        if (await AccountMark.FindChangeAsync(context.State, context.Job.Source, context.Job.Target, abort) is { } change)
        {
            // Whether a backup's disk is not mounted can only be seen from the records, so this is checked before they are deleted.
            await UnmountedTarget.RefuseAsync(context, summaries.Values, await context.RetryAsync("the folders", context.Target.ListFoldersAsync, () => 0, abort), abort);
            context.Report.Note(null, $"{change}; messages are matched again by identity, nothing is removed");
            summaries.Clear();
            await AccountMark.ForgetAsync(context.State, context.Checkpoints, change, abort);
        }

        await AccountMark.SetAsync(context.State, context.Job.Source, context.Job.Target, abort);
    }

    /// <summary>
    /// Reports source folders whose target folder has changed, because their mail will be at the target twice. The old copies stay where
    /// they are, because the former target folder may also hold mail of its owner.
    /// </summary>
    public void NoteRemapped(IReadOnlyList<FolderPair> pairs)
    {
        var targets = pairs.ToLookup(p => p.Source.Path, p => p.Target);
        foreach (var (source, former) in summaries.Values.Where(s => s.Settled > 0).Select(s => (s.Pair.Source, s.Pair.Target)))
        {
            if (targets.Contains(source) && !targets[source].Contains(former) && targets[source].FirstOrDefault(t => !summaries.ContainsKey(new PairKey(source, t))) is { } now)
                context.Report.Note(source, $"goes to {now} from now on; what earlier runs copied to {former} stays there as it is, remove it if it is not wanted twice");
        }
    }

    /// <summary>
    /// Saves a summary of each new folder before copying, if removals are enabled. This run may be killed, and the folder may then be
    /// deleted at the source. Only the summary tells later runs that the copies have to be removed.
    /// </summary>
    public async Task RememberNewAsync(IReadOnlyList<FolderPair> pairs, CancellationToken abort)
    {
        if (context.Job.Deletions == DeletionPolicy.Keep)
            return;
        List<PairSummary> added = [.. pairs.Select(p => (Pair: p, Key: new PairKey(p.Source.Path, p.Target))).Where(p => !summaries.ContainsKey(p.Key))
            .Select(p => Unsettled(p.Pair, p.Key, null, new FolderTally()))];
        if (added.Count > 0)
            await context.Checkpoints.SaveSummariesAsync([.. summaries.Values, .. added], abort);
    }

    /// <summary>
    /// Returns a summary that makes the next run scan the pair again. It also records that the pair existed, in case its folder is renamed
    /// or deleted before that run.
    /// </summary>
    public static PairSummary Unsettled(FolderPair pair, PairKey key, PairSummary? before, FolderTally tally) => new(
        key, pair.Source.Status ?? before?.Source ?? default, Target: null, PairSummary.Unsettled,
        Math.Max(before?.Settled ?? 0, tally.InPlace), tally.Skipped, pair.Source.MailboxId, before?.Subscribed ?? false);
}
