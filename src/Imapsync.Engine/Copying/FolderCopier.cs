using Imapsync.Engine.Checkpoints;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Brings one pair up to date: recognises what is at the target already, copies what is new, propagates flags.
/// Redone whole after a failure; the checkpoint keeps it from doing anything twice. Removals are left to
/// <see cref="RemovalPhase"/>, because their limit is the whole job's.
/// </summary>
/// <param name="siblings">Other pairs with the same target: what they settled there is not ours to recognise.</param>
/// <param name="pretended">What pairs with the same target did in this dry run, which settles nothing.</param>
internal sealed class FolderCopier(
    JobContext context, FolderPair pair, IReadOnlyList<PairKey> siblings, PretendedWork pretended, FolderTally tally)
{
    private readonly PairKey key = new(pair.Source.Path, pair.Target);
    private readonly JobReporter report = context.Report;
    private readonly MessageFilter filter = pair.Only is null ? context.Job.Messages : context.Job.Messages with { Uids = pair.Only };

    /// <exception cref="MailException">The pair could not be finished; what was committed stays.</exception>
    public async Task<FolderOutcome> RunAsync(CancellationToken abort)
    {
        await using var source = await context.Source.OpenAsync(pair.Source.Path, abort);
        await using var target = await OpenTargetAsync(abort);
        await using var checkpoint = await context.Checkpoints.OpenAsync(key, abort);
        tally.BeginAttempt();
        var isFirstMeeting = Meet(checkpoint, source.Status, target);
        if (context.Job.IsRestore && target is not null)
            isFirstMeeting |= await ForgetMissingAsync(checkpoint, target, abort);
        var listing = await FolderListing.ReadAsync(source, checkpoint, filter, abort);
        if (listing.MissingCount > 0 && !tally.HasListedShort)
        {
            // Mail deleted while it was being listed looks the same: a second look tells.
            tally.HasListedShort = true;
            throw new MailException(FailureScope.Folder, isTransient: true, $"the server lists {listing.MissingCount} messages fewer than it has");
        }

        var chosen = await HeaderChoice.ReadAsync(source, filter, listing.Messages, id => context.FoundMessageIds[id] = true, abort);
        var plan = FolderPlanner.Plan(checkpoint, filter, listing.Messages, listing.Extent, chosen);
        if (listing.MissingCount > 0)
            ReportShortListing(source.Status.Messages, listing);

        var recognized = plan.Copy.Count == 0 || target is null
            ? []
            : await RecognizeAsync(source, target, checkpoint, plan, isFirstMeeting, abort);
        tally.SourceMessages = plan.InPlace + plan.Copy.Count + plan.Skipped + listing.MissingCount + recognized.Count;
        tally.Unlisted = listing.MissingCount;
        tally.Skipped = plan.Skipped;
        tally.AlreadyPresent = plan.InPlace - tally.Copied.Count + recognized.Count;
        report.Tell(new FolderStarted(report.Job, key.Source, key.Target, plan.Copy.Count, plan.Copy.Sum(m => Math.Max(0, m.Size))));
        if (context.Options.DryRun)
            return await PretendAsync(checkpoint, target, plan, isFirstMeeting, recognized, abort);

        // A restore of chosen messages, none of them in this folder.
        if (target is null && plan.Copy.Count == 0)
            return new FolderOutcome(null, [], WasStopped: false);
        await using var created = target is null ? await CreateTargetAsync(checkpoint, source.Status, abort) : null;
        var writable = created ?? (IWritableFolder)target!;
        if (context.Job.Flags == FlagPolicy.Once && !isFirstMeeting)
            await CompleteFlagsAsync(writable, recognized, abort);
        Record(checkpoint, filter.Fingerprint, plan, isFirstMeeting, recognized, writable.UidNext);
        await checkpoint.CommitAsync(abort);
        await new FlagPropagation(context.Job.Flags, writable, checkpoint, tally).ApplyAsync(writable, plan.FlagChanges, recognized, abort);
        var wasStopped = !await CopyAsync(source, writable, checkpoint, plan.Copy, abort);
        if (wasStopped)
            return new FolderOutcome(null, plan.Vanished, WasStopped: true);

        if (tally.Failures.Count == 0 && listing.MissingCount == 0)
            checkpoint.SetSourceModSeq(source.Status.HighestModSeq);
        await checkpoint.CommitAsync(abort);
        return new FolderOutcome(await SummarizeAsync(checkpoint, listing, writable.Status, abort), plan.Vanished, WasStopped: false);
    }

    private async Task<IMailFolder?> OpenTargetAsync(CancellationToken abort)
    {
        if (context.Options.DryRun)
            return await context.LookAtTargetAsync(pair.Target, abort);
        try
        {
            return await context.Target.OpenForWritingAsync(pair.Target, abort);
        }
        catch (MailException e) when (e.Kind == FailureKind.Gone && context.Job.IsRestore)
        {
            return null;
        }
    }

    private async Task<IWritableFolder> CreateTargetAsync(ICheckpoint checkpoint, FolderStatus source, CancellationToken abort)
    {
        await context.Target.CreateFolderAsync(pair.Target, pair.Source.Special, abort);
        if (pair.Source.Subscribed)
            await context.Target.SetSubscribedAsync(pair.Target, true, abort);
        var created = await context.Target.OpenForWritingAsync(pair.Target, abort);
        checkpoint.Reset(source.UidValidity, created.Status.UidValidity, filter.Fingerprint);
        return created;
    }

    /// <summary>Forgets what was restored before and is no longer at the target: it is to come back. True where there was any.</summary>
    private static async Task<bool> ForgetMissingAsync(ICheckpoint checkpoint, IMailFolder target, CancellationToken abort)
    {
        var there = new UidSet();
        await foreach (var message in target.ListAsync(new ListRequest(), abort))
            there.Add(message.Uid);
        var missing = checkpoint.Messages.Where(m => !m.Target.IsNone && !there.Contains(m.Target)).Select(m => m.Source).ToList();
        foreach (var uid in missing)
            checkpoint.Forget(uid);
        return missing.Count > 0;
    }

    /// <summary>Starts the checkpoint over where it cannot speak for these two folders. True when they meet for the first time.</summary>
    private bool Meet(ICheckpoint checkpoint, FolderStatus source, IMailFolder? targetFolder)
    {
        var target = targetFolder?.Status ?? default;
        var reason = checkpoint switch
        {
            { Condition: CheckpointCondition.New } => string.Empty,
            { Condition: CheckpointCondition.Damaged } => $"the checkpoint was damaged ({checkpoint.Damage}) and is set aside",
            _ when source.UidValidity.IsNone => string.Empty,
            _ when checkpoint.SourceValidity != source.UidValidity =>
                $"UIDVALIDITY at the source changed from {checkpoint.SourceValidity} to {source.UidValidity}",
            _ when checkpoint.TargetValidity == target.UidValidity => null,
            _ when targetFolder is null || context.CreatedTargets.Contains(pair.Target) => $"{pair.Target} is no longer at the target",
            _ =>
                $"UIDVALIDITY at the target changed from {checkpoint.TargetValidity} to {target.UidValidity}",
        };
        if (reason is null)
            return false;
        if (reason.Length > 0)
            report.Note(key.Source, $"{reason}; messages are matched again by identity, nothing is removed");
        checkpoint.Reset(source.UidValidity, target.UidValidity, filter.Fingerprint);
        return true;
    }

    private async Task<IReadOnlyList<(MessageInfo Source, MessageInfo Target)>> RecognizeAsync(
        IMailFolder source, IMailFolder target, ICheckpoint checkpoint, FolderPlan plan, bool isFirstMeeting, CancellationToken abort)
    {
        var from = isFirstMeeting || checkpoint.KnownTargetUidNext.IsNone ? new Uid(1) : checkpoint.KnownTargetUidNext;
        var claimed = checkpoint.Messages.Where(m => m.Target >= from).Select(m => m.Target).ToHashSet();
        claimed.UnionWith(pretended.Recognized);
        foreach (var sibling in siblings.Where(s => !pretended.StartedOver.Contains(s)))
        {
            await using var other = await context.Checkpoints.OpenAsync(sibling, abort);
            if (other.TargetValidity == target.Status.UidValidity)
                claimed.UnionWith(other.Messages.Select(m => m.Target));
        }

        var found = await new MessageRecognition(source, target).RecognizeAsync(plan.Copy, from, claimed, abort);
        var uids = found.Select(f => f.Source.Uid).ToHashSet();
        plan.Copy.RemoveAll(m => uids.Contains(m.Uid));
        // A source without lasting UIDs is met anew each time: that its mail is in place is no news.
        if (isFirstMeeting && !source.Status.UidValidity.IsNone && found.Count > 0)
        {
            tally.Adopted += found.Count;
            report.Note(key.Source, $"adopted what was at the target already, messages: {found.Count}");
        }

        return found;
    }

    /// <summary>
    /// Some servers get a message's flags after the message, and an interruption may have come between. What is settled has its flags
    /// for good under this policy, so they come first.
    /// </summary>
    private static async Task CompleteFlagsAsync(
        IWritableFolder target, IReadOnlyList<(MessageInfo Source, MessageInfo Target)> recognized, CancellationToken abort)
    {
        var missing = recognized.Select(r => new FlagChange(r.Target.Uid, r.Source.Flags.Except(r.Target.Flags), FlagSet.Empty)).Where(c => !c.Add.IsEmpty).ToList();
        if (missing.Count > 0)
            await target.SetFlagsAsync(missing, abort);
    }

    private static void Record(
        ICheckpoint checkpoint,
        string rules,
        FolderPlan plan,
        bool isFirstMeeting,
        IReadOnlyList<(MessageInfo Source, MessageInfo Target)> recognized,
        Uid targetUidNext)
    {
        // After an interruption it is our own append that is recognised.
        var settlement = isFirstMeeting ? Settlement.Adopted : Settlement.Copied;
        foreach (var (source, target) in recognized)
        {
            // Flags that only the source's has are still to be carried over: a run that breaks off before must leave them so.
            var common = source.Flags.Except(source.Flags.Except(target.Flags));
            checkpoint.Settle(new SettledMessage(source.Uid, target.Uid, settlement, common));
        }

        foreach (var skipped in plan.Skip)
            checkpoint.Settle(new SettledMessage(skipped.Uid, Uid.None, Settlement.Skipped, skipped.Flags));
        foreach (var returned in plan.Returned)
            checkpoint.Settle(returned with { Settlement = Settlement.Copied });
        foreach (var vanished in plan.Vanished.Where(m => m.Settlement != Settlement.Vanished))
            checkpoint.Settle(vanished with { Settlement = Settlement.Vanished });
        foreach (var uid in plan.Forget)
            checkpoint.Forget(uid);
        checkpoint.SetKnownTargetUidNext(targetUidNext);
        checkpoint.SetRules(rules);
    }

    /// <summary>Copies, asks once more for what may pass, and accounts for what never came. False when stopped before the end.</summary>
    private async Task<bool> CopyAsync(
        IMailFolder source, IWritableFolder target, ICheckpoint checkpoint, List<MessageInfo> messages, CancellationToken abort)
    {
        // A message may be refused with others, then for its flags, then as malformed, and each time for good only next time.
        const int attempts = 9;
        const int waits = 5;
        for (var attempt = 1; messages.Count > 0; attempt++)
        {
            var relay = new MessageRelay(context, source, target, checkpoint, tally);
            if (!await relay.RunAsync(messages, abort))
                return false;
            await AccountForUnseenAsync(source, checkpoint, messages, relay.Seen, abort);
            if (attempt == attempts || relay.IsInVain || (relay.Trouble is not null && attempt > waits))
                break;
            messages = relay.Transient;
            if (relay.Trouble is { } trouble && !await context.Retry.PauseAsync(key.Source.ToString(), trouble, attempt, context.Stop, abort))
                return false;
        }

        foreach (var problem in tally.ToProblems())
            report.Problem(problem);
        return true;
    }

    private async Task AccountForUnseenAsync(
        IMailFolder source, ICheckpoint checkpoint, IReadOnlyList<MessageInfo> asked, UidSet seen, CancellationToken abort)
    {
        var unseen = asked.Where(m => !seen.Contains(m.Uid)).ToDictionary(m => m.Uid);
        if (unseen.Count == 0)
            return;
        await foreach (var there in source.ListAsync(new ListRequest(new UidSet(unseen.Keys)), abort))
        {
            if (!unseen.Remove(there.Uid))
                continue;
            tally.AddFailure(key.Source, there.Uid, "unreadable", "the server lists the message but did not send it");
            checkpoint.Settle(new SettledMessage(there.Uid, Uid.None, Settlement.Failed, there.Flags));
        }

        tally.SourceMessages -= unseen.Count;
        if (unseen.Count > 0)
            report.Note(key.Source, $"vanished from the source before they could be copied, messages: {unseen.Count}");
    }

    private void ReportShortListing(long exists, FolderListing listing) => report.Problem(new Problem(
        FailureScope.Folder, key.Source, null, "listing",
        $"the server says there are {exists} messages and lists {exists - listing.MissingCount}; nothing is removed on such evidence"));

    /// <summary>The same up to the first change of the target, on a checkpoint that is in memory only.</summary>
    private async Task<FolderOutcome> PretendAsync(
        ICheckpoint checkpoint,
        IMailFolder? target,
        FolderPlan plan,
        bool isFirstMeeting,
        IReadOnlyList<(MessageInfo Source, MessageInfo Target)> recognized,
        CancellationToken abort)
    {
        Record(checkpoint, filter.Fingerprint, plan, isFirstMeeting, recognized, target?.Status.UidNext ?? new Uid(1));
        if (target is not null)
            await new FlagPropagation(context.Job.Flags, target, checkpoint, tally).PretendAsync(plan.FlagChanges, recognized, abort);
        foreach (var message in plan.Copy)
            tally.AddCopied(message.Uid, Math.Max(0, message.Size));
        pretended.Recognized.UnionWith(recognized.Select(r => r.Target.Uid));
        if (isFirstMeeting)
            pretended.StartedOver.Add(key);
        return new FolderOutcome(null, plan.Vanished, WasStopped: false);
    }

    /// <summary>Null while something is not in place: then the next run has to look again.</summary>
    private async Task<PairSummary?> SummarizeAsync(
        ICheckpoint checkpoint, FolderListing listing, FolderStatus target, CancellationToken abort)
    {
        var isSettled = tally.Failures.Count == 0 && listing.MissingCount == 0;
        var hasRemovals = context.Job.Deletions != DeletionPolicy.Keep && checkpoint.Count(Settlement.Vanished) > 0;
        // The status as it was before the folder was opened: if anything came since, the next run sees that it differs.
        if (!isSettled || hasRemovals || pair.Source.Status is not { } status)
            return null;
        // Only exact flags depend on what else happens at the target.
        if (context.Job.Flags == FlagPolicy.Exact)
            target = await context.Target.GetStatusAsync(pair.Target, abort);
        return new PairSummary(
            key, status, target, context.Job.Rules,
            checkpoint.Count(Settlement.Copied) + checkpoint.Count(Settlement.Adopted), checkpoint.Count(Settlement.Skipped),
            pair.Source.MailboxId, pair.Source.Subscribed);
    }
}

/// <param name="Summary">How the pair stands, where it is up to date.</param>
/// <param name="Vanished">Settled messages that are no longer at the source.</param>
internal sealed record FolderOutcome(PairSummary? Summary, IReadOnlyList<SettledMessage> Vanished, bool WasStopped);

/// <summary>What a dry run would have written to the checkpoints of pairs that share a target.</summary>
internal sealed class PretendedWork
{
    /// <summary>Target messages that a pair recognised as its own.</summary>
    public HashSet<Uid> Recognized { get; } = [];

    /// <summary>Pairs that met for the first time: what their checkpoints still say is void.</summary>
    public HashSet<PairKey> StartedOver { get; } = [];
}
