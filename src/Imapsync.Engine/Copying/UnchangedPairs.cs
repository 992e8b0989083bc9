using System.Collections.Concurrent;
using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Copying;

/// <summary>Finds folder pairs that need no work by comparing counters only, without opening a folder or a checkpoint.</summary>
/// <param name="summaries">The pairs' summaries from when they were last up to date.</param>
internal sealed class UnchangedPairs(JobContext context, IReadOnlyDictionary<PairKey, PairSummary> summaries, TargetFolders folders)
{
    private readonly ConcurrentDictionary<PairKey, PairSummary?> judged = new();

    /// <summary>Checks all pairs in advance. Where the target has to be asked about each folder, the requests then overlap.</summary>
    public Task LookAheadAsync(IReadOnlyList<FolderPair> pairs, ParallelOptions options) =>
        Parallel.ForEachAsync(pairs, options, async (pair, c) =>
        {
            try
            {
                judged[KeyOf(pair)] = await JudgeAsync(pair, c);
            }
            catch (MailException)
            {
                // The failure is ignored here: the pair is checked again when it is processed, where transient failures are retried.
            }
        });

    /// <summary>
    /// Returns the pair's summary if it needs no work, else null. The result of a check made in advance is used only once, so a retry
    /// checks the pair again.
    /// </summary>
    public async Task<PairSummary?> FindAsync(FolderPair pair, CancellationToken abort) =>
        context.IsStateOld ? null : judged.TryRemove(KeyOf(pair), out var known) ? known : await JudgeAsync(pair, abort);

    private static PairKey KeyOf(FolderPair pair) => new(pair.Source.Path, pair.Target);

    private async Task<PairSummary?> JudgeAsync(FolderPair pair, CancellationToken abort)
    {
        if (context.Job.IsRestore || pair.Source.Use == FolderUse.View || !summaries.TryGetValue(KeyOf(pair), out var summary) || summary.Rules != context.Job.Rules || !folders.Exists(pair.Target))
            return null;
        if (summary.Source != pair.Source.Status || summary.Source.UidValidity.IsNone)
            return null;
        // Without UIDNEXT and HIGHESTMODSEQ, or without the message count, mail could arrive or leave unnoticed, so the pair is not
        // skipped.
        if (pair.Source.Status is { UidNext.IsNone: true, HighestModSeq: null } or { IsCountUnknown: true })
            return null;
        // A message count below the number of recorded messages is wrong, and a wrong count may stay the same in spite of changes.
        if (summary.Source.Messages < summary.Settled + summary.Skipped)
            return null;
        var followsFlags = context.Job.Flags != FlagPolicy.Once;
        if (followsFlags && pair.Source.Status is { Messages: > 0, HighestModSeq: null })
            return null;
        if (summary.Target is not { } target)
            return null;
        try
        {
            var isAsLeft = context.Job.Flags == FlagPolicy.Exact
                ? target.HighestModSeq is not null && target == await folders.StatusAsync(pair.Target, abort)
                : UidMemory.Holds(target, await folders.UidCountersAsync(pair.Target, abort));
            return isAsLeft ? summary : null;
        }
        catch (MailException e) when (e is { Scope: FailureScope.Folder, IsTransient: false })
        {
            // The target refused to report the counters, so the pair is not skipped; the counters are known once the folder is opened.
            return null;
        }
    }
}
