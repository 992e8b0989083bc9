using System.Collections.Concurrent;
using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Copying;

/// <summary>Which pairs there is nothing to do for, by the counters alone: neither folders nor checkpoints are opened.</summary>
/// <param name="summaries">How pairs stood when they were last up to date.</param>
internal sealed class UnchangedPairs(JobContext context, IReadOnlyDictionary<PairKey, PairSummary> summaries, TargetFolders folders)
{
    private readonly ConcurrentDictionary<PairKey, PairSummary?> judged = new();

    /// <summary>Judges all pairs ahead of their turns, so that where the target has to be asked folder by folder the round trips overlap.</summary>
    public Task LookAheadAsync(IReadOnlyList<FolderPair> pairs, ParallelOptions options) =>
        Parallel.ForEachAsync(pairs, options, async (pair, c) =>
        {
            try
            {
                judged[KeyOf(pair)] = await JudgeAsync(pair, c);
            }
            catch (MailException)
            {
                // Judged again when its turn comes, which has the patience for what may pass.
            }
        });

    /// <summary>How the pair stands, where there is nothing to do for it; else null. A judgement holds once: whoever tries again looks again.</summary>
    public async Task<PairSummary?> FindAsync(FolderPair pair, CancellationToken abort) =>
        context.IsStateOld ? null : judged.TryRemove(KeyOf(pair), out var known) ? known : await JudgeAsync(pair, abort);

    private static PairKey KeyOf(FolderPair pair) => new(pair.Source.Path, pair.Target);

    private async Task<PairSummary?> JudgeAsync(FolderPair pair, CancellationToken abort)
    {
        if (context.Job.IsRestore || pair.Source.Use == FolderUse.View || !summaries.TryGetValue(KeyOf(pair), out var summary) || summary.Rules != context.Job.Rules || !folders.Exists(pair.Target))
            return null;
        if (summary.Source != pair.Source.Status || summary.Source.UidValidity.IsNone)
            return null;
        // Counters that are not told are no equal ones: without these nothing shows that mail came, or went.
        if (pair.Source.Status is { UidNext.IsNone: true, HighestModSeq: null } or { IsCountUnknown: true })
            return null;
        var followsFlags = context.Job.Flags != FlagPolicy.Once;
        if (followsFlags && pair.Source.Status is { Messages: > 0, HighestModSeq: null })
            return null;
        if (summary.Target is not { } target)
            return null;
        var isAsLeft = context.Job.Flags == FlagPolicy.Exact
            ? target.HighestModSeq is not null && target == await folders.StatusAsync(pair.Target, abort)
            : UidMemory.Holds(target, await folders.UidCountersAsync(pair.Target, abort));
        return isAsLeft ? summary : null;
    }
}
