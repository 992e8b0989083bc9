using System.Collections.Concurrent;
using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Processes all pairs (a source folder and its target folder) of a job whose stores are open: plans the folders, finds which of them
/// changed, and copies those.
/// </summary>
internal sealed class MailboxCopier
{
    /// <summary>
    /// Up to this number of messages in total, one worker starts before the others. It has usually copied them all before a second
    /// connection has logged in.
    /// </summary>
    private const int FewMessages = 500;
    private const int MostHeadStarts = 4;
    private static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(250);

    private readonly JobContext context;
    private readonly JobReporter report;
    private readonly MissingFolders missing;
    private readonly FormerRuns former;
    private readonly ConcurrentDictionary<PairKey, PairSummary> summaries;
    private readonly ConcurrentDictionary<PairKey, FolderTally> tallies = new();
    private readonly ConcurrentDictionary<PairKey, IReadOnlyList<SettledMessage>> vanished = new();
    private readonly ConcurrentDictionary<PairKey, IReadOnlyList<long>> unplaced = new();
    private readonly ConcurrentDictionary<FolderPath, bool> failed = new();
    private volatile bool wasStopped;
    private volatile bool looksAgain;
    private bool ranToItsEnd;

    public MailboxCopier(JobContext context)
    {
        (this.context, report, missing) = (context, context.Report, new MissingFolders(context));
        summaries = new ConcurrentDictionary<PairKey, PairSummary>(context.Checkpoints.Summaries);
        former = new FormerRuns(context, summaries);
    }

    public async Task<StopReason> RunAsync(CancellationToken abort)
    {
        // However the work ends, the counts are reported and the summaries of pairs that are up to date are saved.
        StopReason reason;
        try
        {
            reason = await WorkAsync(abort);
        }
        catch
        {
            try
            {
                await FinishAsync();
            }
            catch (CheckpointException)
            {
                // A failure to save the summaries is ignored, because the exception that ended the work must be reported. Without summaries
                // the next run only scans each folder.
            }

            throw;
        }

        await FinishAsync();
        return reason;
    }

    private async Task<StopReason> WorkAsync(CancellationToken abort)
    {
        await former.ForgetOtherAccountsAsync(abort);
        var plan = await context.RetryAsync("the folders", PlanAsync, () => 0, abort);
        if (plan.Doubt is not null)
            report.Problem(new Problem(FailureScope.Store, null, null, Reasons.Listing, $"{plan.Doubt}; what is at the target stays"));
        if (plan.NoneChosen is not null && !context.Job.IsRestore)
            report.Problem(new Problem(FailureScope.Store, null, null, Reasons.NotFound, plan.NoneChosen));
        if (plan.Unmatched is not null)
            report.Note(null, plan.Unmatched);
        if (context.Options.Heal && !context.Target.Traits.KeepsWhatItGets)
            report.Note(null, "--heal looks at backups only: what was removed from an account since it was copied there may have been meant, and stays removed");
        report.Tell(new FoldersPlanned(report.Job, plan.Pairs.Count, plan.Pairs.Sum(p => p.Source.Status?.Messages ?? 0)));
        if (!context.Job.IsRestore)
            former.NoteRemapped(plan.Pairs);
        await former.RememberNewAsync(plan.Pairs, abort);
        await CopyAllAsync(plan, plan.Pairs, abort);
        var mayRemove = !wasStopped && await LookAgainAsync(plan, abort);
        if (wasStopped)
            return StopReason.Cancelled;
        ranToItsEnd = true;
        ReportUnknownMessageIds();
        return !mayRemove || await RemoveVanishedAsync(plan, abort) ? StopReason.None : StopReason.DeletionLimit;
    }

    private async Task FinishAsync()
    {
        foreach (var (pair, tally) in tallies)
            Account(pair, tally);
        await context.Checkpoints.SaveSummariesAsync([.. summaries.Values], CancellationToken.None);
        if (ranToItsEnd && !report.HasProblems)
            await context.Appending.ClearAsync();
    }

    /// <summary>
    /// Lists the folders and creates or renames the target's to match. It can be repeated after a failure, since it recognises what it has
    /// already done.
    /// </summary>
    private async Task<CopyPlan> PlanAsync(CancellationToken abort)
    {
        failed.Clear();
        var listing = context.Source.ListFoldersAsync(abort);
        var lookingThere = context.Target.ListFoldersAsync(abort);
        await Task.WhenAll(listing, lookingThere);
        var (listed, there) = (await listing, await lookingThere);
        await UnmountedTarget.RefuseAsync(context, summaries.Values, there, abort);
        IReadOnlyList<PairKey> remembered = [.. summaries.Keys, .. await RestoredPairs.ReadAsync(context, abort)];
        var mapping = FolderMapper.Map(listed, context.Job.Folders, there, remembered);
        var folders = new TargetFolders(context, there, mapping.Pairs, remembered);
        string? doubt = null;
        if (!context.Job.IsRestore)
        {
            var renames = RenameDetector.FindRenames(summaries.Values, folders.Pairs, listed);
            foreach (var rename in await folders.FollowRenamesAsync(renames, abort))
                summaries.TryRemove(rename.From, out _);
            doubt = missing.FindDoubt(summaries.Values, listed, hasRenames: renames.Count > 0);
        }

        var created = await folders.CreateAsync(abort);
        var pairs = await WithStatusAsync(created, abort);
        var usable = created.Select(p => p.Source.Path).ToHashSet();
        List<FolderPair> uncreated = [.. folders.Pairs.Where(p => !usable.Contains(p.Source.Path))];
        await GiveUpAsync(uncreated, abort);
        return new CopyPlan(listed, doubt, mapping.NoneChosen, mapping.UnmatchedText, folders, pairs, uncreated);
    }

    /// <summary>
    /// Before anything is removed, lists those folders again that have changed since their first listing (see <see cref="SecondLook"/>).
    /// </summary>
    /// <returns>False if nothing may be removed in this run.</returns>
    private async Task<bool> LookAgainAsync(CopyPlan plan, CancellationToken abort)
    {
        looksAgain = true;
        var look = new SecondLook(report, context.Job.Folders);
        var pairs = plan.Pairs;
        for (var looks = 0; looks < SecondLook.Most && context.Job.Deletions != DeletionPolicy.Keep && vanished.Values.Any(v => v.Count > 0); looks++)
        {
            var listed = await context.RetryAsync("the folders", context.Source.ListFoldersAsync, () => 0, abort);
            if (!look.KnowsAll(plan.Listed, [.. pairs, .. plan.Uncreated], listed))
                return false;
            var entries = listed.DistinctBy(f => f.Path).ToDictionary(f => f.Path);
            await GiveUpAsync([.. plan.Uncreated.Select(p => p with { Source = entries[p.Source.Path] })], abort);
            var now = await WithStatusAsync([.. pairs.Select(p => p with { Source = entries[p.Source.Path] })], abort);
            // A folder whose counters can't be read now may have received any message, so nothing is removed. The failure itself was
            // reported when the counters were requested.
            if (now.Count < pairs.Count)
                return false;
            var before = pairs.ToDictionary(p => new PairKey(p.Source.Path, p.Target));
            var changed = now.Where(p => SecondLook.HasChanged(before[new PairKey(p.Source.Path, p.Target)], p)).ToList();
            if (changed.Count == 0)
                break;
            var gone = vanished.ToDictionary();
            await CopyAllAsync(plan, changed, abort);
            foreach (var (pair, messages) in vanished)
                vanished[pair] = SecondLook.StillGone(gone.GetValueOrDefault(pair, []), messages);
            if (wasStopped)
                return false;
            pairs = now;
        }

        return true;
    }

    /// <param name="pairs">The pairs to bring up to date now: all pairs, or only those that changed since they were listed.</param>
    private async Task CopyAllAsync(CopyPlan plan, IReadOnlyList<FolderPair> pairs, CancellationToken abort)
    {
        await plan.Folders.SubscribeTogetherAsync(pairs, summaries, abort);
        var unchanged = new UnchangedPairs(context, summaries, plan.Folders);
        await unchanged.LookAheadAsync(pairs, Asking(context.Target, abort));
        // Pairs with the same target folder are processed one after the other, because each must know which messages the others stored
        // there.
        var together = plan.Pairs.ToLookup(p => p.Target, p => new PairKey(p.Source.Path, p.Target));
        var groups = pairs.GroupBy(p => p.Target).Select(g => g.ToList()).OrderBy(g => context.Job.NewestFirst && !g[0].Source.Path.IsInbox).ToList();
        var degree = Math.Max(1, Math.Min(context.Source.Traits.MaxConcurrentFolders, context.Target.Traits.MaxConcurrentFolders));
        var workers = Math.Min(degree, groups.Count);
        context.Spare.Add(context.Source.Traits.MaxReaders - workers);
        var queue = new ConcurrentQueue<List<FolderPair>>(groups);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(abort);
        using var emptied = CancellationTokenSource.CreateLinkedTokenSource(over.Token);
        var isLittle = pairs.Sum(p => p.Source.Status?.Messages ?? 0) <= FewMessages;
        var working = new Task[workers];
        for (var n = 0; n < workers; n++)
            working[n] = WorkAsync(waits: n > 0 && isLittle);
        await Task.WhenAll(working);
        context.Spare.Add(-context.Source.Traits.MaxReaders);

        async Task WorkAsync(bool waits)
        {
            await Task.Yield();
            try
            {
                // If at least half of the folders were begun or finished meanwhile, this worker waits once more. The first worker will
                // probably finish the rest before another connection could help.
                for (var round = 0; waits && !emptied.IsCancellationRequested && (round == 0 || (round < MostHeadStarts && queue.Count <= groups.Count / 2)); round++)
                    await Task.Delay(HeadStart, context.Time, emptied.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                while (queue.TryDequeue(out var group))
                {
                    over.Token.ThrowIfCancellationRequested();
                    await CopyGroupAsync(group, [.. together[group[0].Target]], plan.Folders, unchanged, over.Token);
                }

                await emptied.CancelAsync();
            }
            catch
            {
                // The exception ends the whole job, so the other workers are cancelled.
                await over.CancelAsync();
                throw;
            }

            // The queue is empty, so this worker's connection is made available to the workers that are still busy.
            context.Spare.Add(1);
        }
    }

    /// <summary>For folders that could not be created at the target: counts their messages as failed.</summary>
    private async Task GiveUpAsync(IReadOnlyList<FolderPair> uncreated, CancellationToken abort)
    {
        foreach (var pair in await WithStatusAsync(uncreated, abort))
        {
            var tally = tallies[new PairKey(pair.Source.Path, pair.Target)] = new FolderTally();
            tally.GiveUp(pair.Source.Status?.Messages ?? 0);
        }
    }

    /// <summary>Requests the status of those folders that were listed without one. Many requests run at once.</summary>
    private async Task<IReadOnlyList<FolderPair>> WithStatusAsync(IReadOnlyList<FolderPair> pairs, CancellationToken abort)
    {
        if (pairs.All(p => p.Source.Status is not null))
            return pairs;
        var complete = new FolderPair?[pairs.Count];
        await Parallel.ForEachAsync(pairs.Index(), Asking(context.Source, abort), async (indexed, c) =>
        {
            var (at, pair) = indexed;
            try
            {
                var path = pair.Source.Path;
                var status = pair.Source.Status
                    ?? await context.RetryAsync(path.ToString(), token => StatusAnswers.EvenByOpeningAsync(context.Source, path, token), () => 0, c);
                complete[at] = pair with { Source = pair.Source with { Status = status } };
            }
            catch (MailException e) when (e.Scope != FailureScope.Store)
            {
                FolderFailed(pair, e);
            }
        });
        return [.. complete.OfType<FolderPair>()];
    }

    private static ParallelOptions Asking(IMessageStore store, CancellationToken abort) =>
        new() { MaxDegreeOfParallelism = store.Traits.MaxConcurrentQuestions, CancellationToken = abort };

    /// <param name="together">All pairs of the job with the group's target.</param>
    private async Task CopyGroupAsync(
        List<FolderPair> group, IReadOnlyList<PairKey> together, TargetFolders folders, UnchangedPairs unchanged, CancellationToken abort)
    {
        foreach (var pair in group)
        {
            if (context.Stop.IsCancellationRequested)
            {
                wasStopped = true;
                return;
            }

            var key = new PairKey(pair.Source.Path, pair.Target);
            var remembered = summaries.GetValueOrDefault(key);
            var tally = tallies.GetOrAdd(key, _ => new FolderTally());
            try
            {
                await context.RetryAsync(pair.Source.Path.ToString(), BringUpToDateAsync, () => tally.Progress, abort);
            }
            catch (OperationCanceledException) when (context.Stop.IsCancellationRequested && !abort.IsCancellationRequested)
            {
                // The job was stopped while this worker waited before another attempt, so the pair is not finished.
                wasStopped = true;
                tally.GiveUp(pair.Source.Status?.Messages ?? 0);
                return;
            }
            catch (MailException e) when (e.Kind == FailureKind.Limit)
            {
                // Reaching the limit stops the job. The other workers finish their current work, as after any stop.
                context.ReachLimit(Reasons.Limit, e.Message);
                summaries[key] = FormerRuns.Unsettled(pair, key, remembered, tally);
                wasStopped = true;
                return;
            }
            catch (MailException e) when (e.Scope != FailureScope.Store)
            {
                FolderFailed(pair, e);
                tally.GiveUp(pair.Source.Status?.Messages ?? 0);
                summaries[key] = FormerRuns.Unsettled(pair, key, remembered, tally);
            }

            // SUBSCRIBE runs in parallel with opening the folders, so its round trip costs no extra time. The pair is done when both are
            // done.
            async Task<bool> BringUpToDateAsync(CancellationToken c)
            {
                var copying = CopyOneAsync(c);
                await Task.WhenAll(copying, folders.SubscribeAsync(pair, remembered, c));
                if (await copying is { } summary)
                    summaries[key] = summary;
                return true;
            }

            async Task<PairSummary?> CopyOneAsync(CancellationToken c)
            {
                await new AccessCopy(context).CopyAsync(pair, c);
                var presence = new TargetPresence(context, key, folders);
                if (!await presence.ForgetLostAsync(t => UnsettleAsync(pair, key, tally, t), c) && await unchanged.FindAsync(pair, c) is { } known)
                {
                    tally.CountUnchanged(known);
                    return await presence.CheckAsync(known with { Subscribed = pair.Source.Subscribed }, isRemembered: true, tally, c);
                }

                var (summary, brought) = await CopyAsync(pair, key, [.. together.Where(k => k != key)], presence, tally, c);
                return await presence.CheckAsync(summary, isRemembered: false, tally, c, brought) ?? FormerRuns.Unsettled(pair, key, remembered, tally);
            }
        }
    }

    /// <returns>A null summary if the next run has to scan the pair again.</returns>
    private async Task<(PairSummary? Summary, BroughtMessages? Brought)> CopyAsync(
        FolderPair pair, PairKey key, IReadOnlyList<PairKey> siblings, TargetPresence presence, FolderTally tally, CancellationToken abort)
    {
        using var trace = report.Trace?.BeginFolder(key.Source, key.Target);
        var copier = new FolderCopier(context, pair, summaries.GetValueOrDefault(key), siblings, tally);
        var outcome = await copier.RunAsync(abort);
        trace?.End(tally.ToCounts());
        wasStopped |= outcome.WasStopped;
        vanished[key] = outcome.Vanished;
        unplaced[key] = outcome.Unplaced;
        if (outcome.HasDamaged)
            await presence.RemoveDamagedAsync(abort);
        return (outcome.Summary, outcome.Brought);
    }

    private Task UnsettleAsync(FolderPair pair, PairKey key, FolderTally tally, CancellationToken abort)
    {
        summaries[key] = summaries.TryGetValue(key, out var known) ? known with { Rules = PairSummary.Unsettled } : FormerRuns.Unsettled(pair, key, null, tally);
        return context.Checkpoints.SaveSummariesAsync([.. summaries.Values], abort);
    }

    private async Task<bool> RemoveVanishedAsync(CopyPlan plan, CancellationToken abort)
    {
        var unlisted = RenameDetector.FindVanished(summaries.Values, plan.Listed);
        if (context.Job.Deletions == DeletionPolicy.Keep)
        {
            // A folder that is missing from the folder list may still hold mail to copy. So the source is asked for it by name, even if
            // nothing is removed (DeletionPolicy.Keep). Once the source confirms that the folder is gone, later runs don't ask again.
            var open = context.Job.IsRestore ? [] : unlisted.Where(s => s.Rules != PairSummary.Gone && IsWanted(s)).ToList();
            foreach (var summary in await missing.FindGoneAsync(open, plan.Listed, abort))
                summaries[summary.Pair] = summary with { Rules = PairSummary.Gone };
            return true;
        }

        var gone = await missing.FindGoneAsync(unlisted, plan.Listed, abort);
        if (plan.Doubt is not null && gone.Count > 0)
            return false;
        if (gone.Count > 0 && report.HasUnreadPlaces)
        {
            report.Problem(new Problem(
                FailureScope.Store, null, null, Reasons.Listing,
                $"folders that the source does not list keep their copies while places at the source can't be read, since they may be there: {gone.Count}, {gone[0].Pair.Source} first"));
            gone = [];
        }

        // Mail of a folder that the job's rules no longer include is kept at the target.
        foreach (var summary in gone
            .Where(s => (s.Settled > 0 || s.Rules == PairSummary.Unsettled) && IsWanted(s)))
        {
            await using var checkpoint = await context.Checkpoints.OpenAsync(summary.Pair, abort);
            vanished[summary.Pair] = [.. checkpoint.Messages.Where(m => m.Settlement is Settlement.Copied or Settlement.Adopted or Settlement.Vanished)];
            tallies[summary.Pair] = new FolderTally();
        }

        var settled = tallies.Values.Sum(t => t.InPlace) + vanished.Values.Sum(v => (long)v.Count);
        if (new UnplacedMail(report, tallies, failed.Keys, unplaced).MustWait(vanished))
            return true;
        var isWithinLimit = await new RemovalPhase(context).RunAsync(vanished, tallies, settled, tallies.Values.Sum(t => t.SourceMessages), abort);
        if (isWithinLimit)
        {
            foreach (var summary in gone)
                summaries.TryRemove(summary.Pair, out _);
        }

        return isWithinLimit;
    }

    private bool IsWanted(PairSummary summary) => FolderMapper.Map([new FolderEntry(summary.Pair.Source)], context.Job.Folders).Pairs.Count > 0;

    /// <summary>
    /// Reports the folder's failures, unless they were reported already, and its message counts. Messages that an interrupted run did not
    /// reach count as failed, so that the counts add up to the source's messages.
    /// </summary>
    private void Account(PairKey pair, FolderTally tally)
    {
        foreach (var problem in tally.ToProblems())
            report.Problem(problem);
        if (!ranToItsEnd)
            tally.GiveUp(tally.SourceMessages);
        var counts = tally.ToCounts();
        var untold = counts.SourceMessages - counts.Copied - counts.AlreadyPresent - counts.Skipped - counts.Failed;
        if (untold != 0)
        {
            report.Problem(new Problem(
                FailureScope.Folder, pair.Source, null, Reasons.Accounting, $"{untold} of {counts.SourceMessages} messages are not accounted for"));
            if (summaries.TryGetValue(pair, out var summary))
                summaries[pair] = summary with { Rules = PairSummary.Unsettled };
        }

        report.Finished(new FolderReport(pair.Source, pair.Target, counts));
    }

    private void ReportUnknownMessageIds()
    {
        foreach (var id in context.Job.Messages.MessageIds.Except(context.FoundMessageIds.Keys).Order(StringComparer.Ordinal))
            report.Problem(new Problem(FailureScope.Store, null, null, Reasons.NotFound, $"no message in the folders chosen has the Message-ID <{id}>; looked in {LookedIn()}"));
    }

    private string LookedIn()
    {
        const int shown = 20;
        var folders = tallies.Keys.Select(k => k.Source).Distinct().Order().ToList();
        return folders.Count == 0 ? "none" : string.Join(", ", folders.Take(shown)) + (folders.Count > shown ? $" and {folders.Count - shown} more" : "");
    }

    private void FolderFailed(FolderPair pair, MailException e)
    {
        // If the source lists a folder but then answers that it does not exist, the folder holds no mail, and removals go on. This is
        // different when the folders are listed again before removals: the folder may just have been renamed, and its mail may be in a
        // folder that was not listed.
        if (e.Kind != FailureKind.Gone || looksAgain)
            failed[pair.Source.Path] = true;
        report.Problem(new Problem(FailureScope.Folder, pair.Source.Path, null, e.Kind == FailureKind.Gone ? Reasons.Gone : Reasons.Folder, e.Message));
    }

    /// <param name="Listed">The source's folders.</param>
    /// <param name="Doubt">
    /// Why the copies of folders that the source does not list must not be removed; null if they may be removed.
    /// </param>
    /// <param name="NoneChosen">See <see cref="FolderMapping.NoneChosen"/>.</param>
    /// <param name="Unmatched">See <see cref="FolderMapping.UnmatchedText"/>.</param>
    /// <param name="Pairs">The pairs to bring up to date.</param>
    /// <param name="Uncreated">Pairs whose target folder could not be created.</param>
    private sealed record CopyPlan(
        IReadOnlyList<FolderEntry> Listed, string? Doubt, string? NoneChosen, string? Unmatched, TargetFolders Folders, IReadOnlyList<FolderPair> Pairs, IReadOnlyList<FolderPair> Uncreated);
}
