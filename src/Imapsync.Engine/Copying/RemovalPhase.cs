using Imapsync.Engine.Checkpoints;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Removes from the target what vanished at the source, after everything else is done, so that the limit can be held against
/// the whole job before the first message goes.
/// </summary>
internal sealed class RemovalPhase(JobContext context)
{
    private readonly DeletionPolicy policy = context.Job.Deletions;

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
        if (sourceMessages == 0 || !context.Job.DeletionLimit.Allows(count, settled))
        {
            var why = sourceMessages == 0
                ? "the source account shows no message at all"
                : $"that is more than deletion_limit: {context.Job.DeletionLimit} allows";
            context.Report.Problem(new Problem(
                FailureScope.Store, null, null, "deletion_limit",
                $"{count} of {settled} messages vanished from the source; {why}, so none was removed. If it is meant, run once with a higher deletion_limit"));
            return false;
        }

        foreach (var (pair, messages) in vanished.Where(v => v.Value.Count > 0))
        {
            try
            {
                tallies[pair].Deleted += await context.RetryAsync(pair.Source.ToString(), c => RemoveAsync(pair, messages, c), () => 0, abort);
            }
            catch (MailException e) when (e.Scope != FailureScope.Store)
            {
                context.Report.Problem(new Problem(FailureScope.Folder, pair.Source, null, "removal", $"{pair.Target}: {e.Message}"));
            }
        }

        return true;
    }

    private async Task<int> RemoveAsync(PairKey pair, IReadOnlyList<SettledMessage> messages, CancellationToken abort)
    {
        if (context.Options.DryRun)
            return await PretendAsync(pair, messages, abort);
        if (policy == DeletionPolicy.Trash)
            await context.Target.CreateFolderAsync(context.Job.TrashFolder, SpecialFolder.None, abort);
        await using var checkpoint = await context.Checkpoints.OpenAsync(pair, abort);
        await using var target = await OpenTargetAsync(pair.Target, abort);
        if (target is null || target.Status.UidValidity != checkpoint.TargetValidity)
            return 0;
        var uids = new UidSet(messages.Where(m => !m.Target.IsNone).Select(m => m.Target));
        var removed = uids.IsEmpty
            ? 0
            : await target.RemoveAsync(uids, policy == DeletionPolicy.Trash ? context.Job.TrashFolder : null, abort);
        foreach (var message in messages)
            checkpoint.Forget(message.Source);
        await checkpoint.CommitAsync(abort);
        return removed;
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

    private async Task<int> PretendAsync(PairKey pair, IReadOnlyList<SettledMessage> messages, CancellationToken abort)
    {
        await using var checkpoint = await context.Checkpoints.OpenAsync(pair, abort);
        await using var target = await context.LookAtTargetAsync(pair.Target, abort);
        var uids = new UidSet(messages.Where(m => !m.Target.IsNone).Select(m => m.Target));
        if (target is null || target.Status.UidValidity != checkpoint.TargetValidity || uids.IsEmpty)
            return 0;
        return await target.ListAsync(new ListRequest(uids), abort).CountAsync(abort);
    }
}
