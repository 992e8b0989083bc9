using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>A state directory that was put back from an older copy: what flags it says were propagated last is not true any more.</summary>
internal sealed class OlderState(JobContext context, FolderPair pair)
{
    /// <summary>What was appended to the octet and to the second, and no record says so though every run came to its end: the state is of a time before.</summary>
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

    /// <summary>What flags were propagated last is not known any more: what the source has and the target lacks is added, nothing is taken away.</summary>
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

        // Recorded before anything that shows how old the state is: a run that breaks off here begins with it again.
        await new FlagPropagation(() => context.Job.Flags, source, target, checkpoint, tally).ApplyAsync(target, [], met, abort);
    }
}
