using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Removes messages from the target that vanished at the source. It runs after all folders have been copied, because the deletion limit
/// applies to the whole job.
/// </summary>
internal sealed class RemovalPhase(JobContext context)
{
    private readonly DeletionPolicy policy = context.Job.Deletions;
    private IEnumerable<PairKey> pairs = [];

    /// <param name="vanished">Vanished messages by pair; only from complete listings.</param>
    /// <param name="settled">How many messages the job has at the target, including the vanished ones.</param>
    /// <param name="sourceMessages">How many messages the whole source has.</param>
    /// <returns>False if the limit was exceeded; then nothing was removed.</returns>
    public async Task<bool> RunAsync(
        IReadOnlyDictionary<PairKey, IReadOnlyList<SettledMessage>> vanished,
        IReadOnlyDictionary<PairKey, FolderTally> tallies,
        long settled,
        long sourceMessages,
        CancellationToken abort)
    {
        var count = vanished.Values.Sum(v => (long)v.Count);
        if (policy == DeletionPolicy.Keep || count == 0)
            return true;
        if (sourceMessages == 0 || !context.Job.DeletionLimit.Allows(count + context.Options.RemovedBefore, settled + context.Options.RemovedBefore))
        {
            var why = sourceMessages == 0
                ? "the source account shows no message at all"
                : $"that is more than deletion_limit: {context.Job.DeletionLimit} allows"
                    + (context.Options.RemovedBefore > 0 ? $" with the {context.Options.RemovedBefore} removed lately" : "");
            context.Report.Problem(new Problem(
                FailureScope.Store, null, null, Reasons.DeletionLimit,
                $"{count} of {settled} messages vanished from the source; {why}, so none was removed. If it is meant, run once with a higher deletion_limit"));
            return false;
        }

        pairs = tallies.Keys;
        foreach (var (pair, messages) in vanished.Where(v => v.Value.Count > 0))
        {
            try
            {
                tallies[pair].Deleted += await context.RetryAsync(pair.Source.ToString(), c => RemoveAsync(pair, messages, c), () => 0, abort);
            }
            catch (MailException e) when (e.Scope != FailureScope.Store)
            {
                context.Report.Problem(new Problem(FailureScope.Folder, pair.Source, null, Reasons.Removal, $"{pair.Target}: {e.Message}"));
            }
        }

        return true;
    }

    private async Task<int> RemoveAsync(PairKey pair, IReadOnlyList<SettledMessage> vanished, CancellationToken abort)
    {
        await using var checkpoint = await context.Checkpoints.OpenAsync(pair, abort);
        // The trash is read before the target folder is opened, because there may be no connection for a second open folder.
        var trash = policy == DeletionPolicy.Trash ? await LookIntoTrashAsync(checkpoint.MoveUnderWay, abort) : null;
        if (await RemoveFromTargetAsync(pair, checkpoint, vanished, trash, abort) is not { } removed)
            return 0;
        if (trash is not null && checkpoint.MoveUnderWay is not null)
            await TrashOrigins.NoteAsync(context.State, await StatusAnswers.EvenByOpeningAsync(context.Target, context.Job.TrashFolder, abort), null, abort);
        foreach (var message in vanished)
            checkpoint.Forget(message.Source);
        checkpoint.SetMoveUnderWay(null);
        await checkpoint.CommitAsync(abort);
        return removed;
    }

    /// <param name="trash">The trash folder; null if messages are not moved there.</param>
    /// <returns>How many messages were removed; null if nothing may be removed because the records are in doubt.</returns>
    private async Task<int?> RemoveFromTargetAsync(
        PairKey pair, ICheckpoint checkpoint, IReadOnlyList<SettledMessage> vanished, TrashFolder? trash, CancellationToken abort)
    {
        await using var target = await OpenTargetAsync(pair.Target, abort);
        if (target is not null && UidMemory.DoubtTarget(checkpoint, null, await ToldUidNext.OfTargetAsync(context.Target, target, checkpoint, null, abort)) is { } doubt)
        {
            context.Report.Note(pair.Source, $"{pair.Target}: {doubt}; nothing is removed");
            return null;
        }

        var messages = OwnersOfCopies(checkpoint, vanished);
        // There is nothing to remove if the target folder is gone. If the target folder is the trash folder itself, its messages stay
        // there.
        var uids = target is null || IsInTrash(pair) ? new UidSet() : new UidSet(messages.Where(m => !m.Target.IsNone).Select(m => m.Target));
        if (target is not null && !uids.IsEmpty)
        {
            (uids, var others) = await TargetProof.OfVanishedAsync(target, messages, context.Target.Traits.NotedFields, abort);
            if (others > 0)
            {
                context.Report.Problem(new Problem(
                    FailureScope.Folder, pair.Source, null, Reasons.Removal,
                    $"{pair.Target}: {others} messages have the UIDs of what vanished and are other mail, to judge by what was recorded; they were not touched"));
            }

            var inherited = await LastCopies.KeepAsync(checkpoint, target, [.. messages.Where(m => uids.Contains(m.Target))], abort);
            uids = new UidSet(uids.Enumerate().Where(u => !inherited.Contains(u)));
        }

        return uids.IsEmpty || target is null ? 0
            : trash is not null ? await MoveToTrashAsync(pair, checkpoint, target, uids, trash, abort)
            : await target.RemoveAsync(uids, null, abort);
    }

    /// <summary>
    /// Returns the vanished messages, except those whose copy is now recorded for another message. An earlier attempt at this removal may
    /// have done that (<see cref="LastCopies"/>).
    /// </summary>
    private static IReadOnlyList<SettledMessage> OwnersOfCopies(ICheckpoint checkpoint, IReadOnlyList<SettledMessage> vanished)
    {
        var gone = new UidSet(vanished.Select(m => m.Source));
        var copies = new UidSet(vanished.Where(m => !m.Target.IsNone).Select(m => m.Target));
        var given = new UidSet(checkpoint.Messages
            .Where(m => m.Settlement is Settlement.Copied or Settlement.Adopted && copies.Contains(m.Target) && !gone.Contains(m.Source)).Select(m => m.Target));
        return given.IsEmpty ? vanished : [.. vanished.Where(m => !given.Contains(m.Target))];
    }

    private bool IsInTrash(PairKey pair) => policy == DeletionPolicy.Trash && pair.Target.Equals(context.Job.TrashFolder);

    /// <summary>
    /// Counts the messages in the trash that an interrupted move may have copied there, because most stores move by copying and then
    /// removing. These copies have UIDs at or above the UIDNEXT of the trash that was recorded before the move.
    /// </summary>
    private async Task<TrashFolder> LookIntoTrashAsync(TrashMark? underWay, CancellationToken abort)
    {
        var isTrashPairs = pairs.Any(p => p.Target.Equals(context.Job.TrashFolder));
        await context.Target.CreateFolderAsync(context.Job.TrashFolder, SpecialFolder.None, abort);
        // The trash folder is opened for writing once, because a local folder gets lasting UIDs only then. Without lasting UIDs, neither
        // its UIDNEXT nor the origin of removed messages could be recorded.
        if (context.Target.Traits.KeepsWhatItGets)
            await (await context.Target.OpenForWritingAsync(context.Job.TrashFolder, abort)).DisposeAsync();
        var status = await StatusAnswers.EvenByOpeningAsync(context.Target, context.Job.TrashFolder, abort);
        if (underWay is not { UidNext.IsNone: false } && !isTrashPairs)
            return new TrashFolder(status, []);
        await using var trash = await context.Target.OpenAsync(context.Job.TrashFolder, abort);
        // The whole trash is compared if the recorded UIDNEXT is no use. (1) The trash folder is the target of a pair, so its owner may
        // have moved mail there. (2) Its UIDVALIDITY has changed, for example because a power cut destroyed an mbox's index.
        var isMarked = !isTrashPairs && underWay!.Value.Validity == trash.Status.UidValidity;
        var begin = isMarked ? underWay!.Value.UidNext : new Uid(1);
        var likenesses = await DescribeAsync(trash, UidSet.Range(begin, new Uid(uint.MaxValue)), abort);
        return new TrashFolder(status, likenesses.Where(l => l.Uid >= begin).CountBy(l => l.Likeness).ToDictionary());
    }

    private async Task<int> MoveToTrashAsync(
        PairKey pair, ICheckpoint checkpoint, IWritableFolder target, UidSet uids, TrashFolder trash, CancellationToken abort)
    {
        var removed = 0;
        if (trash.Moved.Count > 0)
        {
            // Messages whose copies are already in the trash only have to be deleted from the target folder. If the trash has too few
            // copies of equal messages, all of these are moved: a duplicate in the trash is better than a loss.
            var copied = new UidSet((await DescribeAsync(target, uids, abort)).GroupBy(m => m.Likeness, m => m.Uid)
                .Where(alike => trash.Moved.GetValueOrDefault(alike.Key) >= alike.Count()).SelectMany(alike => alike));
            removed = copied.IsEmpty ? 0 : await target.RemoveAsync(copied, null, abort);
        }

        checkpoint.SetMoveUnderWay(new TrashMark(trash.Status.UidValidity, trash.Status.UidNext));
        await checkpoint.CommitAsync(abort);
        await TrashOrigins.NoteAsync(context.State, trash.Status, pair.Source, abort);
        return removed + await target.RemoveAsync(uids, context.Job.TrashFolder, abort);
    }

    private static async Task<IReadOnlyList<(Uid Uid, Likeness Likeness)>> DescribeAsync(IMessageFolder folder, UidSet uids, CancellationToken abort)
    {
        var messages = new Dictionary<Uid, MessageInfo>();
        await foreach (var message in folder.ListAsync(new ListRequest(uids, WithDateAndSize: true), abort))
            messages[message.Uid] = message;
        var identities = await MessageRecognition.IdentifyAsync(folder, messages, abort);
        return [.. identities.Select(i => (i.Uid, new Likeness(i.Header, i.Info.Size, i.Info.InternalDate.ToUnixTimeSeconds())))];
    }

    /// <summary>Opens the target folder; null if it is gone, together with the messages to be removed.</summary>
    private async Task<IWritableFolder?> OpenTargetAsync(FolderPath path, CancellationToken abort)
    {
        try
        {
            return await context.Target.OpenForWritingAsync(path, abort);
        }
        catch (MailException e) when (e.Kind == FailureKind.Gone)
        {
            return null;
        }
    }

    /// <summary>The trash folder before anything is moved to it.</summary>
    /// <param name="Status">The folder's counters.</param>
    /// <param name="Moved">For each <see cref="Likeness"/>, how many messages an interrupted move may have copied to the folder.</param>
    private sealed record TrashFolder(FolderStatus Status, Dictionary<Likeness, int> Moved);

    /// <summary>The properties that a copy within a store shares with its original.</summary>
    private readonly record struct Likeness(UInt128 Header, long Size, long Date);
}
