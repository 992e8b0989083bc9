using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Removes from the target what vanished at the source, after everything else is done, so that the limit can be held against
/// the whole job before the first message goes.
/// </summary>
internal sealed class RemovalPhase(JobContext context)
{
    private readonly DeletionPolicy policy = context.Job.Deletions;
    private IEnumerable<PairKey> pairs = [];

    /// <param name="vanished">By pair; only from listings that were complete.</param>
    /// <param name="settled">Messages the job has at the target, those vanished included.</param>
    /// <param name="sourceMessages">Messages the whole source shows.</param>
    /// <returns>False when the limit stopped it; then nothing was removed.</returns>
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

    private async Task<int> RemoveAsync(PairKey pair, IReadOnlyList<SettledMessage> messages, CancellationToken abort)
    {
        await using var checkpoint = await context.Checkpoints.OpenAsync(pair, abort);
        // Before the target's folder is opened: there may be no connection for a second one.
        var isTrashPairs = policy == DeletionPolicy.Trash && pairs.Any(p => p.Target.Equals(context.Job.TrashFolder));
        var inTrash = policy == DeletionPolicy.Trash ? await LookIntoTrashAsync(checkpoint.MoveUnderWay, isTrashPairs, abort) : [];
        await using var target = await OpenTargetAsync(pair.Target, abort);
        if (target is not null && UidMemory.DoubtTarget(checkpoint, null, target.Status) is { } doubt)
        {
            context.Report.Note(pair.Source, $"{pair.Target}: {doubt}; nothing is removed");
            return 0;
        }

        // With the folder all that was to be removed is gone. What lies in the trash folder itself, because the source has one of that name, is where it belongs.
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
        }

        var removed = uids.IsEmpty || target is null ? 0
            : policy == DeletionPolicy.Trash ? await MoveToTrashAsync(pair, checkpoint, target, uids, inTrash, abort)
            : await target.RemoveAsync(uids, null, abort);
        foreach (var message in messages)
            checkpoint.Forget(message.Source);
        checkpoint.SetMoveUnderWay(null);
        await checkpoint.CommitAsync(abort);
        return removed;
    }

    private bool IsInTrash(PairKey pair) => policy == DeletionPolicy.Trash && pair.Target.Equals(context.Job.TrashFolder);

    /// <summary>
    /// Few stores move in one step; the others copy first and remove then. What an attempt that ended in between has copied lies
    /// behind the mark that it made before.
    /// </summary>
    private async Task<Dictionary<Likeness, int>> LookIntoTrashAsync(TrashMark? underWay, bool isTrashPairs, CancellationToken abort)
    {
        await context.Target.CreateFolderAsync(context.Job.TrashFolder, SpecialFolder.None, abort);
        // A local folder gets lasting UIDs when it is first opened for writing: before that there is no mark, and nobody knows later what came from where.
        if (context.Target.Traits.KeepsWhatItGets)
            await (await context.Target.OpenForWritingAsync(context.Job.TrashFolder, abort)).DisposeAsync();
        if (underWay is not { UidNext.IsNone: false } && !isTrashPairs)
            return [];
        await using var trash = await context.Target.OpenAsync(context.Job.TrashFolder, abort);
        // Where the trash folder is also the copy of a folder, what its owner moved there has come with that. And under another UIDVALIDITY,
        // as after a power cut that took an mbox's index, the mark says nothing of where the move began.
        var isMarked = !isTrashPairs && underWay!.Value.Validity == trash.Status.UidValidity;
        var begin = isMarked ? underWay!.Value.UidNext : new Uid(1);
        var likenesses = await DescribeAsync(trash, UidSet.Range(begin, new Uid(uint.MaxValue)), abort);
        return likenesses.Where(l => l.Uid >= begin).CountBy(l => l.Likeness).ToDictionary();
    }

    private async Task<int> MoveToTrashAsync(
        PairKey pair, ICheckpoint checkpoint, IWritableFolder target, UidSet uids, Dictionary<Likeness, int> inTrash, CancellationToken abort)
    {
        var removed = 0;
        if (inTrash.Count > 0)
        {
            // Where fewer lie there than look the same, nobody knows which of them: rather one too many in the trash than one too few.
            var copied = new UidSet((await DescribeAsync(target, uids, abort)).GroupBy(m => m.Likeness, m => m.Uid)
                .Where(alike => inTrash.GetValueOrDefault(alike.Key) >= alike.Count()).SelectMany(alike => alike));
            removed = copied.IsEmpty ? 0 : await target.RemoveAsync(copied, null, abort);
        }

        var status = await context.Target.GetStatusAsync(context.Job.TrashFolder, abort);
        checkpoint.SetMoveUnderWay(new TrashMark(status.UidValidity, status.UidNext));
        await checkpoint.CommitAsync(abort);
        await TrashOrigins.NoteAsync(context.State, status, pair.Source, abort);
        removed += await target.RemoveAsync(uids, context.Job.TrashFolder, abort);
        await TrashOrigins.NoteAsync(context.State, await context.Target.GetStatusAsync(context.Job.TrashFolder, abort), null, abort);
        return removed;
    }

    private static async Task<IReadOnlyList<(Uid Uid, Likeness Likeness)>> DescribeAsync(IMessageFolder folder, UidSet uids, CancellationToken abort)
    {
        var messages = new Dictionary<Uid, MessageInfo>();
        await foreach (var message in folder.ListAsync(new ListRequest(uids, WithDateAndSize: true), abort))
            messages[message.Uid] = message;
        var identities = await MessageRecognition.IdentifyAsync(folder, messages, abort);
        return [.. identities.Select(i => (i.Uid, new Likeness(i.Header, i.Info.Size, i.Info.InternalDate.ToUnixTimeSeconds())))];
    }

    /// <summary>Null where the folder is gone, and with it all that was to be removed.</summary>
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

    /// <summary>What a copy within a store has of its original.</summary>
    private readonly record struct Likeness(UInt128 Header, long Size, long Date);
}
