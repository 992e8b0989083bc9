using Imapsync.Engine.Folders;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Verifying;

/// <summary>
/// Verifies all pairs (source folder and target folder) of a job. Pairs with the same target folder are verified together.
/// </summary>
internal sealed class MailboxVerifier(VerifyContext context)
{
    public async Task RunAsync(CancellationToken abort)
    {
        if (context.OtherAccounts is { } change && context.Source is not null)
            context.Report.Note(null, $"{change}; messages are matched by identity");
        var recorded = context.OtherAccounts is null ? await context.Checkpoints.FindPairsAsync(abort) : [];
        var there = await context.RetryAsync("the target's folders", context.Target.ListFoldersAsync, abort);
        var listed = context.Source is null ? null : await context.RetryAsync("the source's folders", context.Source.ListFoldersAsync, abort);
        var pairs = listed is null ? RecordedPairs(recorded, there) : Locate(listed, recorded, there);
        var byTarget = recorded.ToLookup(p => p.Target);
        var source = context.Source?.Traits.MaxConcurrentFolders ?? int.MaxValue;
        await Parallel.ForEachAsync(
            pairs.GroupBy(p => p.Target),
            new ParallelOptions
            {
                MaxDegreeOfParallelism = Math.Max(1, Math.Min(source, context.Target.Traits.MaxConcurrentFolders)),
                CancellationToken = context.Stop,
            },
            async (group, _) => await VerifyAsync(new TargetVerifier(context, group.Key, [.. group], [.. byTarget[group.Key]]), group.Key, abort));
        if (listed is not null)
            ReportSilence(listed);
    }

    /// <summary>
    /// Reports a source without any message. Such a comparison proves nothing, because an unmounted disk or a wrong account looks the same.
    /// </summary>
    private void ReportSilence(IReadOnlyList<FolderEntry> listed)
    {
        var settled = context.OtherAccounts is null ? context.Checkpoints.Summaries.Values.Sum(s => s.Settled) : 0;
        if (!listed.Any(f => f.HoldsMessages))
            context.Report.Problem(new Problem(FailureScope.Store, null, null, Reasons.Listing, "the source lists no folder at all, so nothing could be verified"));
        else if (FolderMapper.Map(listed, context.Job.Folders).NoneChosen is { } none)
            context.Report.Problem(new Problem(FailureScope.Store, null, null, Reasons.NotFound, $"{none}; nothing could be verified"));
        else if (settled > 0 && context.Findings.Counts.Messages == 0)
            context.Report.Problem(new Problem(FailureScope.Store, null, null, Reasons.Listing, $"the source shows no message at all, and earlier runs found {settled} there: nothing could be verified"));
    }

    private async Task VerifyAsync(TargetVerifier verifier, FolderPath target, CancellationToken abort)
    {
        try
        {
            await context.RetryAsync(
                target.ToString(),
                async c =>
                {
                    await verifier.RunAsync(c);
                    return true;
                },
                abort);
        }
        catch (MailException e) when (e.Scope != FailureScope.Store)
        {
            context.Report.Problem(new Problem(FailureScope.Folder, target, null, Reasons.Folder, e.Message));
        }
    }

    /// <summary>Returns the pairs with their actual target folders, or with the target folders that the job would create.</summary>
    private IReadOnlyList<FolderPair> Locate(IReadOnlyList<FolderEntry> sources, IReadOnlyList<PairKey> recorded, IReadOnlyList<FolderEntry> there) =>
        FolderMapper.Locate(FolderMapper.Map(sources, context.Job.Folders, there, recorded), context.Target, there, recorded, context.Source).Pairs;

    /// <summary>Returns the pairs that the job's current rules would make, limited to those with a checkpoint.</summary>
    private List<FolderPair> RecordedPairs(IReadOnlyList<PairKey> recorded, IReadOnlyList<FolderEntry> there)
    {
        var sources = recorded.Select(p => p.Source).Distinct().Select(p => new FolderEntry(p)).ToList();
        var known = recorded.ToHashSet();
        List<FolderPair> pairs = [.. Locate(sources, recorded, there).Where(p => known.Contains(new PairKey(p.Source.Path, p.Target)))];
        if (pairs.Count == 0)
        {
            throw new MailException(
                FailureScope.Store, isTransient: false,
                context.OtherAccounts is { } change
                    ? $"{change}: what was recorded says nothing about this mail, only the source can tell what the target has to hold"
                    : $"there is no record of a run in {context.Job.StateDirectory}: without one, only the source can tell what the target has to hold");
        }

        return pairs;
    }
}
