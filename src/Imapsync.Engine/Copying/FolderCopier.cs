using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Brings one pair (a source folder and its target folder) up to date: finds messages that are already at the target, copies new ones and
/// propagates flags. After a failure the whole pair is redone; the checkpoint prevents anything from being done twice. Removals are left to
/// <see cref="RemovalPhase"/>, because their limit applies to the whole job.
/// </summary>
/// <param name="last">The pair's summary after the last run; null if unknown.</param>
/// <param name="siblings">
/// Other pairs with the same target folder. A target message that is recorded for one of them is not taken as a copy of this pair's mail.
/// </param>
internal sealed class FolderCopier(
    JobContext context, FolderPair pair, PairSummary? last, IReadOnlyList<PairKey> siblings, FolderTally tally)
{
    private readonly PairKey key = new(pair.Source.Path, pair.Target);
    private readonly JobReporter report = context.Report;

    private readonly CheckpointPast past = new(context, pair, last);
    private Dictionary<Uid, Sighting> seen = [];
    private List<(Uid Source, Uid Target)> uncompared = [];

    private readonly MessageFilter filter = pair.Only is null ? context.Job.Messages : context.Job.Messages with { Uids = pair.Only };

    /// <exception cref="MailException">The pair could not be finished; what was committed to the checkpoint stays.</exception>
    public async Task<FolderOutcome> RunAsync(CancellationToken abort)
    {
        var (source, target) = await new PairFolders(context, pair).OpenAsync(abort);
        await using var openSource = source;
        await using var openTarget = target;
        await using var checkpoint = await context.Checkpoints.OpenAsync(key, abort);
        tally.BeginAttempt();
        var toldBySource = await ToldUidNext.OfSourceAsync(context.Source, source, checkpoint, last, abort);
        FolderStatus? toldByTarget = target is null ? null : await ToldUidNext.OfTargetAsync(context.Target, target, checkpoint, last, abort);
        var isFirstMeeting = past.Meet(checkpoint, toldBySource, toldByTarget, filter.Fingerprint);
        if (context.Job.IsRestore && target is not null)
            isFirstMeeting |= await ForgetMissingAsync(checkpoint, target, abort);
        if (!isFirstMeeting && await Successors.ResolveAsync(source, checkpoint, abort) is > 0 and var others)
            report.Note(key.Source, $"other mail has taken the names of messages seen before and is copied as new: {others}");
        var listing = await HoldAgainstStatusAsync(source, await FolderListing.ReadAsync(source, checkpoint, filter, abort, last), abort);
        if (listing.MissingCount > 0 && !tally.HasListedShort)
        {
            // The listing has fewer messages than the folder's count. A message deleted during the listing has the same effect, so the
            // folder is listed a second time before the listing is reported as incomplete.
            tally.HasListedShort = true;
            throw new MailException(FailureScope.Folder, isTransient: true, $"the server lists {listing.MissingCount} messages fewer than it has");
        }

        var chosen = await tally.Headers.ReadAsync(
            source, filter, listing.Messages, m => FolderPlanner.NeedsDetails(checkpoint, filter, m), id => context.FoundMessageIds[id] = true, abort);
        if (!tally.Headers.Doubtful.IsEmpty)
            report.Note(key.Source, $"'messages' can't be held against the headers of these, which are empty or can't be read; they are not left out: UID {tally.Headers.Doubtful}");
        var plan = FolderPlanner.Plan(checkpoint, filter, listing.Messages, listing.Extent, chosen);
        if (listing.MissingCount > 0)
            ReportShortListing(Math.Max(source.Status.Messages, listing.Messages.Count + listing.MissingCount), listing);

        if (listing.Messages is MessageList { WithoutKeywords: > 0 and var without })
        {
            report.Problem(new Problem(
                FailureScope.Folder, key.Source, null, Reasons.Flags, $"more than {MessageList.MaxFlagSets} sets of flags differ; the keywords of these messages are left out: {without}"));
        }

        var recognized = plan.Copy.Count == 0 || target is null
            ? []
            : await RecognizeAsync(source, target, checkpoint, plan, isFirstMeeting, abort);
        // LeftOutMail finds mail that the filter now excludes and whose copy is recorded under an earlier source UID. It runs under every
        // deletion policy, because that UID would otherwise be recorded as vanished. A later run under another policy might then remove the
        // copy.
        if (target is not null)
        {
            var recognition = new MessageRecognition(source, target);
            recognized = [.. recognized, .. await LeftOutMail.FindAsync(context, recognition, target, plan, recognized.Select(r => r.Target.Uid), abort)];
            foreach (var (uid, sighting) in recognition.Seen)
                seen[uid] = sighting;
            HoldUncompared(plan, recognition.Uncompared);
        }

        tally.Count(plan, listing, recognized.Count);
        report.Tell(new FolderStarted(report.Job, key.Source, key.Target, plan.Copy.Count, plan.Copy.Sum(m => Math.Max(0, m.Size))));
        // If a restore of chosen messages finds none of them in this folder, the target folder is not created.
        if (target is null && plan.Copy.Count == 0)
            return new FolderOutcome(null, [], WasStopped: false);
        await using var created = target is null ? await CreateTargetAsync(checkpoint, source.Status, abort) : null;
        var writable = created ?? (IWritableFolder)target!;
        if (context.Job.Flags == FlagPolicy.Once && !isFirstMeeting)
            await CompleteFlagsAsync(writable, [.. recognized.Where(r => r.Target.Uid >= checkpoint.KnownTargetUidNext)], abort);
        var older = new OlderState(context, pair);
        if (await older.IsSeenAsync(checkpoint, isFirstMeeting, recognized))
            await older.MergeFlagsAsync(source, writable, checkpoint, plan, listing, tally, abort);
        Record(checkpoint, filter.Fingerprint, plan, isFirstMeeting, recognized, writable.UidNext);
        // The listing is incomplete, so a dropped record may belong to a message that is still at the source. Clearing the MODSEQ makes the
        // next run list the whole folder.
        if (listing.Extent == ListingExtent.Short && plan.Forget.Count > 0)
            checkpoint.SetSourceModSeq(null);
        await checkpoint.CommitAsync(abort);
        recognized = past.WithoutKnown(plan, recognized);
        var flags = new FlagPropagation(() => context.Job.Flags, source, writable, checkpoint, tally);
        await flags.ApplyAsync(writable, plan.FlagChanges, recognized, abort);
        await DoubtStrangersAsync(source, writable, checkpoint, flags.Strangers, abort);
        if (flags.Strangers.Count > 0 && plan.Copy.Count > 0)
        {
            // Some records name target messages that are other mail. A wrong record may have hidden the copy of a message that is about to
            // be copied. So the pair is compared again from the beginning.
            await checkpoint.CommitAsync(abort);
            throw ComparedAgain();
        }

        // The list of all messages is released here. Otherwise the messages to copy, perhaps a million, would be in memory twice during the
        // copying.
        listing = listing with { Messages = [] };
        if (plan.Copy.Count > 0)
            await context.Appending.SetAsync(pair.Target);
        var wasStopped = !await CopyAsync(source, writable, checkpoint, plan.Copy, abort);
        var refusal = flags.Refusal ?? older.Refusal;
        if (refusal is not null)
            report.Problem(new Problem(FailureScope.Folder, key.Source, null, Reasons.Flags, refusal.Message));
        if (wasStopped)
            return new FolderOutcome(null, [], WasStopped: true);

        var areFlagsDone = flags.Strangers.Count == 0 && !flags.IsCutShort && refusal is null;
        // Every listed message has a record by now. Failed ones are tried again though nothing about them changes.
        if (listing.MissingCount == 0 && areFlagsDone)
            checkpoint.SetSourceModSeq(source.Status.HighestModSeq);
        await checkpoint.CommitAsync(abort);
        var isEmptied = !context.RemovesCopied || (areFlagsDone && await new SourceRemoval(context, pair).RunAsync(source, writable, checkpoint, plan.Copy.Select(m => m.Uid), abort));
        var summary = !areFlagsDone || !isEmptied ? null : await SummarizeAsync(checkpoint, listing, writable, abort);
        return new FolderOutcome(summary, Removable(plan), WasStopped: false)
        {
            HasDamaged = checkpoint.DamagedCopies.Count > 0,
            // The listed size counts as well as the delivered length, since either can be wrong.
            Unplaced = [.. plan.Copy.Where(m => tally.Failures.ContainsKey(m.Uid)).SelectMany(m => (long[])[m.Size, tally.DeliveredLengths.GetValueOrDefault(m.Uid, m.Size)]).Distinct()],
            Brought = context.Target.Traits.KeepsWhatItGets ? TargetPresence.BroughtBy(checkpoint) : null,
        };
    }

    private MailException ComparedAgain() => new(FailureScope.Folder, isTransient: true, $"{key.Target} is compared again with what was recorded of it");

    private async Task<IWritableFolder> CreateTargetAsync(ICheckpoint checkpoint, FolderStatus source, CancellationToken abort)
    {
        await context.Target.CreateFolderAsync(pair.Target, pair.Source.Special, abort);
        if (pair.Source.Subscribed)
            await context.Target.SetSubscribedAsync(pair.Target, true, abort);
        var created = await context.Target.OpenForWritingAsync(pair.Target, abort);
        checkpoint.Reset(source.UidValidity, created.Status.UidValidity, filter.Fingerprint);
        return created;
    }

    /// <summary>
    /// In a restore that runs again: drops the records of messages that are no longer at its target, so that they are restored again.
    /// Returns true if there were any.
    /// </summary>
    private static async Task<bool> ForgetMissingAsync(ICheckpoint checkpoint, IMessageFolder target, CancellationToken abort)
    {
        var there = new UidSet();
        await foreach (var message in target.ListAsync(new ListRequest(), abort))
            there.Add(message.Uid);
        var missing = checkpoint.Messages.Where(m => !m.Target.IsNone && !there.Contains(m.Target)).Select(m => m.Source).ToList();
        foreach (var uid in missing)
            checkpoint.Forget(uid);
        if (missing.Count > 0)
            checkpoint.SetSourceModSeq(null);
        return missing.Count > 0;
    }

    private async Task<IReadOnlyList<(MessageInfo Source, MessageInfo Target)>> RecognizeAsync(
        IMessageFolder source, IMessageFolder target, ICheckpoint checkpoint, FolderPlan plan, bool isFirstMeeting, CancellationToken abort)
    {
        var meeting = await Meeting.PlanAsync(context, key.Source, source.Predecessors, checkpoint, last, plan, isFirstMeeting, abort);
        var claimed = meeting.Claimed;
        claimed.UnionWith(checkpoint.DamagedCopies.Keys);
        foreach (var sibling in siblings.Where(s => !IsFromTrash(s) && !IsFromTrash(key)))
        {
            await using var other = await context.Checkpoints.OpenAsync(sibling, abort);
            if (other.TargetValidity == target.Status.UidValidity)
                claimed.UnionWith(other.Messages.Select(m => m.Target).Concat(other.DamagedCopies.Keys));
        }

        var recognition = new MessageRecognition(source, target);
        // A backup folder that was empty when it was opened contains nothing to find.
        var found = context.Target.Traits.KeepsWhatItGets && target.Status.Messages == 0
            ? []
            : await recognition.RecognizeAsync(
                plan.Copy, meeting.From, claimed, abort, await meeting.FindWorthALookAsync(checkpoint, target, claimed, abort), meeting.OwnFrom,
                plan.Reusable.Select(m => m.Target).ToHashSet());
        seen = recognition.Seen;
        uncompared = [.. recognition.Uncompared];
        var uids = found.Select(f => f.Source.Uid).ToHashSet();
        plan.Copy.RemoveAll(m => uids.Contains(m.Uid));
        plan.TakeOver(found.Select(f => f.Target.Uid).ToHashSet());
        // The records are in doubt if a message without a record was found at the target, and no interrupted run explains it. A wrong
        // record may hide the copy of a message that is about to be copied.
        var areRecordsInDoubt = meeting.IsWhole || (found.Count > 0 && !await context.Appending.ExplainsAsync(pair.Target));
        if (areRecordsInDoubt && !isFirstMeeting && await ClaimedCopies.FindWrongAsync(context, source, target, checkpoint, plan.Copy, abort) is { Count: > 0 } wrong)
        {
            await DoubtStrangersAsync(source, target, checkpoint, wrong, abort);
            await checkpoint.CommitAsync(abort);
            throw ComparedAgain();
        }

        // If the source has no lasting UIDs, every run compares all of its messages with the target by their headers. Finding them there is
        // then normal and not reported.
        var adopted = found.Count(f => meeting.OwnFrom is not { } mark || f.Target.Uid < mark);
        if (adopted > 0 && !source.Status.UidValidity.IsNone)
        {
            tally.Adopted += adopted;
            report.Note(key.Source, $"adopted what was at the target already, messages: {adopted}");
        }

        return found;
    }

    /// <summary>
    /// Returns whether the restored folder is the backup's trash. The trash and another folder of the backup may hold the same message, and
    /// the account must get it only once.
    /// </summary>
    private bool IsFromTrash(PairKey restored) => context.Job.Restores?.IsTrash(restored.Source) == true;

    /// <summary>
    /// Removes messages from the plan that the filter excludes, and that could not be compared with the copies of vanished messages. They
    /// count as failed, so the next run compares them again, and copies that may be theirs are not removed.
    /// </summary>
    private void HoldUncompared(FolderPlan plan, IReadOnlyList<(Uid Source, Uid Target)> pairs)
    {
        if (pairs.Count == 0)
            return;
        uncompared.AddRange(pairs);
        var sources = pairs.Select(p => p.Source).ToHashSet();
        plan.Unread.AddRange(plan.Skip.Where(m => sources.Contains(m.Uid)));
        plan.Skip.RemoveAll(m => sources.Contains(m.Uid));
        plan.Skipped -= plan.Unread.Count;
    }

    /// <summary>
    /// Returns the vanished messages whose copies may be removed. A copy stays if it may belong to a message that could not be copied: the
    /// vanished message may be at the source again under another UID.
    /// </summary>
    private List<SettledMessage> Removable(FolderPlan plan)
    {
        var needed = uncompared.Where(p => tally.Failures.ContainsKey(p.Source)).Select(p => p.Target).ToHashSet();
        List<SettledMessage> removable = [.. plan.Vanished.Where(m => !needed.Contains(m.Target))];
        if (removable.Count < plan.Vanished.Count && context.Job.Deletions != DeletionPolicy.Keep)
        {
            report.Problem(new Problem(
                FailureScope.Folder, key.Source, null, Reasons.Removal,
                $"{plan.Vanished.Count - removable.Count} messages that vanished may be among those that could not be read, so they were not removed"));
        }

        return removable;
    }

    /// <summary>
    /// Adds missing flags to messages that an interrupted run appended, because some servers need the flags set after the append. It does
    /// so before the records are written: under <see cref="FlagPolicy.Once"/>, the flags of a message with a record are never changed.
    /// </summary>
    private static async Task CompleteFlagsAsync(
        IWritableFolder target, IReadOnlyList<(MessageInfo Source, MessageInfo Target)> recognized, CancellationToken abort)
    {
        var missing = recognized.Select(r => new FlagChange(r.Target.Uid, r.Source.Flags.Except(r.Target.Flags), FlagSet.Empty)).Where(c => !c.Add.IsEmpty).ToList();
        if (missing.Count > 0)
            await target.SetFlagsAsync(missing, abort);
    }

    private void Record(
        ICheckpoint checkpoint,
        string rules,
        FolderPlan plan,
        bool isFirstMeeting,
        IReadOnlyList<(MessageInfo Source, MessageInfo Target)> recognized,
        Uid targetUidNext)
    {
        foreach (var (source, target) in recognized)
        {
            // A target message at or above the last known UIDNEXT was appended by an interrupted run. It is recorded as copied, not as
            // adopted (already there before).
            var settlement = isFirstMeeting || target.Uid < checkpoint.KnownTargetUidNext ? Settlement.Adopted : Settlement.Copied;
            // Flags that only the source has are not recorded yet, because they have not been propagated. If the run ends before they
            // are propagated, the next run propagates them.
            var common = source.Flags.Except(source.Flags.Except(target.Flags));
            Sighting? sighting = seen.TryGetValue(target.Uid, out var sight) ? sight : null;
            var settled = new SettledMessage(source.Uid, target.Uid, settlement, common, Seen: sighting);
            if (past.Confirmed(source, target) is { } known)
                settled = known with { Flags = past.KeepsFlags ? known.Flags : common, Seen = known.Seen ?? sighting };
            checkpoint.Settle(settled);
        }

        foreach (var skipped in plan.Skip)
            checkpoint.Settle(new SettledMessage(skipped.Uid, Uid.None, Settlement.Skipped, skipped.Flags));
        foreach (var unread in plan.Unread)
        {
            tally.AddFailure(key.Source, unread.Uid, Reasons.Unreadable, "it could not be read, and may be the same as one that vanished, whose copy is kept therefore");
            checkpoint.Settle(new SettledMessage(unread.Uid, Uid.None, Settlement.Failed, unread.Flags));
        }

        foreach (var returned in plan.Returned)
            checkpoint.Settle(returned with { Settlement = Settlement.Copied });
        foreach (var vanished in plan.Vanished.Where(m => m.Settlement != Settlement.Vanished))
            checkpoint.Settle(vanished with { Settlement = Settlement.Vanished });
        foreach (var uid in plan.Forget)
            checkpoint.Forget(uid);
        // These messages are about to be copied. If a record says that former filter rules excluded one of them, the record is dropped.
        // Otherwise a message that this run does not reach would never be copied.
        foreach (var message in plan.Copy)
        {
            if (checkpoint.TryGet(message.Uid, out var known) && known.Settlement == Settlement.Skipped)
                checkpoint.Forget(message.Uid);
        }

        checkpoint.SetKnownTargetUidNext(targetUidNext);
        checkpoint.SetRules(rules);
    }

    /// <summary>
    /// Copies all messages. With <c>NewestFirst</c> the messages are split into parts: the newest part is copied first, and within a part
    /// the source's order is kept. After an interruption, the next run copies what has no record in the checkpoint. Returns false if
    /// stopped before the end.
    /// </summary>
    private async Task<bool> CopyAsync(
        IMessageFolder source, IWritableFolder target, ICheckpoint checkpoint, MessageList messages, CancellationToken abort)
    {
        const int partMessages = 500;
        if (!context.Job.NewestFirst || messages.Count <= partMessages)
            return await CopyPartAsync(source, target, checkpoint, messages, abort);
        for (var end = messages.Count; end > 0; end -= partMessages)
        {
            var part = new MessageList();
            for (var at = Math.Max(0, end - partMessages); at < end; at++)
                part.Add(messages[at]);
            if (!await CopyPartAsync(source, target, checkpoint, part, abort))
                return false;
        }

        return true;
    }

    /// <summary>
    /// Copies messages and retries transient failures. Messages that the source lists but never sent count as failed. Returns false if
    /// stopped before the end.
    /// </summary>
    private async Task<bool> CopyPartAsync(
        IMessageFolder source, IWritableFolder target, ICheckpoint checkpoint, IReadOnlyList<MessageInfo> messages, CancellationToken abort)
    {
        // This limit is high enough for several kinds of refusal in a row: a message may be refused together with others, then for its
        // flags, then as malformed. Each refusal becomes permanent only when it is repeated.
        const int attempts = 9;
        const int waits = 5;
        for (var attempt = 1; messages.Count > 0; attempt++)
        {
            var relay = new MessageRelay(context, source, target, checkpoint, tally);
            if (!await relay.RunAsync(messages, abort))
                return false;
            await AccountForUnseenAsync(source, checkpoint, messages, relay.Seen, abort);
            if (attempt == attempts || relay.IsInVain || (relay.Trouble is { } final && (attempt > waits || context.Retry.IsTooLong(final))))
                break;
            messages = relay.Transient;
            if (relay.Trouble is { } trouble && !await context.Retry.PauseAsync(key.Source.ToString(), trouble, attempt, context.Stop, abort))
                return false;
        }

        await context.Describing.DescribeAsync(source, tally, abort);
        foreach (var problem in tally.ToProblems())
            report.Problem(problem);
        return true;
    }

    private async Task AccountForUnseenAsync(
        IMessageFolder source, ICheckpoint checkpoint, IReadOnlyList<MessageInfo> asked, UidSet seen, CancellationToken abort)
    {
        var unseen = asked.Where(m => !seen.Contains(m.Uid)).ToDictionary(m => m.Uid);
        if (unseen.Count == 0)
            return;
        await foreach (var there in source.ListAsync(new ListRequest(new UidSet(unseen.Keys)), abort))
        {
            if (!unseen.Remove(there.Uid))
                continue;
            tally.AddFailure(key.Source, there.Uid, Reasons.Unreadable, "the server lists the message but did not send it");
            checkpoint.Settle(new SettledMessage(there.Uid, Uid.None, Settlement.Failed, there.Flags));
        }

        tally.SourceMessages -= unseen.Count;
        if (unseen.Count > 0)
            report.Note(key.Source, $"vanished from the source before they could be copied, messages: {unseen.Count}");
    }

    /// <summary>
    /// Drops the records of messages that are not at their recorded target UID. The next attempt or run searches the whole target folder
    /// for these messages and copies what it does not find. All records of the folder are verified, because a server that gave one message
    /// a wrong UID may have done so to others.
    /// </summary>
    /// <param name="strangers">Source UIDs of messages that were found not to be at their recorded UID.</param>
    private async Task DoubtStrangersAsync(
        IMessageFolder source, IMessageFolder target, ICheckpoint checkpoint, IReadOnlyCollection<Uid> strangers, CancellationToken abort)
    {
        if (strangers.Count == 0)
            return;
        List<SettledMessage> settled = [.. checkpoint.Messages.Where(m => m.Settlement is Settlement.Copied or Settlement.Adopted && !m.Target.IsNone)];
        var unproven = await TargetProof.FindUnprovenAsync(source, target, settled, abort);
        unproven.UnionWith(strangers);
        foreach (var uid in unproven)
            checkpoint.Forget(uid);
        checkpoint.SetSourceModSeq(null);
        checkpoint.SetKnownTargetUidNext(new Uid(1));
        report.Problem(new Problem(
            FailureScope.Folder, key.Source, null, Reasons.OtherMail,
            $"{key.Target}: {strangers.Count} messages have the UIDs of what was copied and are other mail; they were not touched, and their copies are looked for again"));
    }

    /// <summary>
    /// Compares the listing with the message count in the folder's STATUS. If the listing has fewer messages, STATUS is requested again.
    /// Messages that it still counts are reported as missing.
    /// </summary>
    private async Task<FolderListing> HoldAgainstStatusAsync(IMessageFolder source, FolderListing listing, CancellationToken abort)
    {
        // Messages that were listed do exist, whatever count the server reported.
        var shown = Math.Max(source.Status.Messages, listing.Extent == ListingExtent.All ? listing.Messages.Count : 0);
        if (listing.MissingCount > 0 || pair.Source.Use == FolderUse.View || pair.Only is not null || pair.Source.Status is not { } told || told.Messages <= shown)
            return listing;
        // If STATUS is refused now or has no count, the earlier count remains valid.
        var counted = await StatusAnswers.UnlessRefusedAsync(context.Source, pair.Source.Path, abort) is { IsCountUnknown: false } now ? now.Messages : told.Messages;
        return counted <= shown ? listing : listing with { Extent = ListingExtent.Short, MissingCount = counted - shown };
    }

    private void ReportShortListing(long exists, FolderListing listing) => report.Problem(new Problem(
        FailureScope.Folder, key.Source, null, Reasons.Listing,
        $"the server says there are {exists} messages and lists {exists - listing.MissingCount}; nothing is removed on such evidence"));

    /// <summary>
    /// Returns the pair's summary. Returns null if the pair is not up to date, or if the target refuses counters that the summary needs.
    /// The next run then scans the pair again.
    /// </summary>
    private async Task<PairSummary?> SummarizeAsync(
        ICheckpoint checkpoint, FolderListing listing, IWritableFolder writable, CancellationToken abort)
    {
        FolderStatus? target = writable.Status;
        var isSettled = tally.Failures.Count == 0 && listing.MissingCount == 0;
        var hasRemovals = context.Job.Deletions != DeletionPolicy.Keep && checkpoint.Count(Settlement.Vanished) > 0;
        // The summary holds the status from before the folder was opened. If mail has arrived since, the next run sees a difference. A
        // status without a message count gives no summary.
        if (!isSettled || hasRemovals || pair.Source.Status is not { IsCountUnknown: false } status)
            return null;
        // The target's status is read again only for exact flags, since only they depend on changes that others make at the target.
        if (context.Job.Flags == FlagPolicy.Exact)
            target = await StatusAnswers.UnlessRefusedAsync(context.Target, pair.Target, abort);
        else if (writable.UidNext > writable.Status.UidNext)
            target = writable.Status with { UidNext = writable.UidNext };
        return target is null ? null : new PairSummary(
            key, status, target, context.Job.Rules,
            checkpoint.Count(Settlement.Copied) + checkpoint.Count(Settlement.Adopted), checkpoint.Count(Settlement.Skipped),
            pair.Source.MailboxId, pair.Source.Subscribed);
    }
}
