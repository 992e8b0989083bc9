using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Detects a state directory that was restored from an older copy. The flags propagated last, as recorded there, are then out of date.
/// </summary>
internal sealed class OlderState(JobContext context, FolderPair pair)
{
    /// <summary>
    /// Returns true if the state was restored from an older copy: the target holds copies of source messages (same size and date) that have
    /// no record, although every run ended properly.
    /// </summary>
    public async Task<bool> IsSeenAsync(ICheckpoint checkpoint, bool isFirstMeeting, IReadOnlyList<(MessageInfo Source, MessageInfo Target)> recognized)
    {
        if (isFirstMeeting || context.Job.IsRestore || checkpoint.KnownTargetUidNext.IsNone)
            return false;
        if (!await context.Appending.ExplainsAsync(pair.Target) && recognized.Any(r => r.Target.Uid >= checkpoint.KnownTargetUidNext
            && r.Source.Size >= 0 && r.Source.Size == r.Target.Size && r.Source.InternalDate == r.Target.InternalDate))
        {
            context.Report.Note(pair.Source.Path, "the job's state is older than what lies at the target, as if an older copy of it had been put back; flags are merged as on first meeting");
            context.IsStateOld = true;
        }

        return context.IsStateOld;
    }

    /// <inheritdoc cref="FlagPropagation.Refusal"/>
    public MailException? Refusal { get; private set; }

    /// <summary>
    /// Merges flags without a base, because the flags propagated last are unknown: flags that only the source has are added at the target,
    /// and none are removed.
    /// </summary>
    public async Task MergeFlagsAsync(
        IMessageFolder source, IWritableFolder target, ICheckpoint checkpoint, FolderPlan plan, FolderListing listing, FolderTally tally, CancellationToken abort)
    {
        if (context.Job.Flags != FlagPolicy.Follow)
            return;
        plan.FlagChanges.Clear();
        var here = new Dictionary<Uid, MessageInfo>();
        foreach (var message in listing.Messages)
        {
            if (checkpoint.TryGet(message.Uid, out var known) && !known.Target.IsNone)
                here[known.Target] = message;
        }

        var met = new List<(MessageInfo Source, MessageInfo Target)>();
        await foreach (var there in target.ListAsync(new ListRequest(new UidSet(here.Keys)), abort))
        {
            if (here.TryGetValue(there.Uid, out var message))
                met.Add((message, there));
        }

        // The merged flags are committed before the copies are recorded. Without a record the copies show that the state is old, so the
        // next run detects it again after an interruption here.
        var flags = new FlagPropagation(() => context.Job.Flags, source, target, checkpoint, tally);
        await flags.ApplyAsync(target, [], met, abort);
        Refusal = flags.Refusal;
    }
}
