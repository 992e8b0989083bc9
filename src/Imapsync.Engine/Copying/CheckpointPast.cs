using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Decides whether the checkpoint of a pair (a source folder and its target folder) is still valid. If it is reset, decides which of its
/// records may be kept.
/// </summary>
/// <param name="last">The pair's summary after the last run; null if unknown.</param>
internal sealed class CheckpointPast(JobContext context, FolderPair pair, PairSummary? last)
{
    /// <summary>The messages of the checkpoint before its reset, by source UID; empty unless both UIDVALIDITYs are unchanged.</summary>
    private Dictionary<Uid, SettledMessage> remembered = [];

    /// <summary>
    /// True if the checkpoint was reset only because the source's MODSEQs restarted, so the flags propagated last are still valid.
    /// </summary>
    public bool KeepsFlags { get; private set; }

    /// <summary>
    /// Resets the checkpoint if it is not valid for these two folders. Returns true if it was reset: the folders are then compared as if
    /// for the first time.
    /// </summary>
    /// <param name="targetStatus">Null if the target folder does not exist.</param>
    public bool Meet(ICheckpoint checkpoint, FolderStatus source, FolderStatus? targetStatus, string rules)
    {
        var target = targetStatus ?? default;
        NoteUnremovable(source, target, isThere: targetStatus is not null);
        var reason = checkpoint switch
        {
            { Condition: CheckpointCondition.New } => string.Empty,
            { Condition: CheckpointCondition.Damaged } => $"the checkpoint was damaged ({checkpoint.Damage}) and is set aside",
            _ when source.UidValidity.IsNone || (targetStatus is not null && target.UidValidity.IsNone) => string.Empty,
            _ when UidMemory.DoubtSource(checkpoint, last, source) is { } doubt => doubt,
            // The target folder may be missing without a reset if no run has stored mail in it yet. Otherwise a missing folder counts as
            // deleted.
            _ when targetStatus is null && checkpoint.TargetValidity.IsNone && !checkpoint.Messages.Any(m => m.Settlement is Settlement.Copied or Settlement.Adopted) => null,
            _ when (checkpoint.TargetValidity != target.UidValidity || target.UidValidity.IsNone) && (targetStatus is null || context.CreatedTargets.Contains(pair.Target)) =>
                $"{pair.Target} is no longer at the target",
            _ => UidMemory.DoubtTarget(checkpoint, last, target),
        };
        if (reason is null)
            return false;
        if (reason.Length > 0)
            context.Report.Note(pair.Source.Path, $"{reason}; messages are matched again by identity, nothing is removed");
        // After the reset, messages are matched again by their headers. A message that gets the same pair of UIDs as before keeps its
        // recorded check sum. If only the MODSEQs restarted, the flags propagated last are kept too.
        var isGood = checkpoint.Condition == CheckpointCondition.Good;
        var isSameSource = isGood && !source.UidValidity.IsNone && checkpoint.SourceValidity == source.UidValidity;
        var isSameTarget = isGood && !target.UidValidity.IsNone && checkpoint.TargetValidity == target.UidValidity;
        if (isSameSource && isSameTarget)
        {
            remembered = checkpoint.Messages.Where(m => !m.Target.IsNone).ToDictionary(m => m.Source);
            KeepsFlags = reason == UidMemory.DoubtModSeq(checkpoint, source);
        }

        var damaged = isSameTarget ? checkpoint.DamagedCopies.ToList() : [];
        checkpoint.Reset(source.UidValidity, target.UidValidity, rules);
        foreach (var (copy, of) in damaged)
            checkpoint.MarkDamaged(copy, isSameSource ? of : Uid.None);
        return true;
    }

    private void NoteUnremovable(FolderStatus source, FolderStatus target, bool isThere)
    {
        if (context.Job.Deletions == DeletionPolicy.Keep || (!source.UidValidity.IsNone && (!isThere || !target.UidValidity.IsNone)))
            return;
        var side = source.UidValidity.IsNone ? "the source" : "the target";
        context.Report.Note(pair.Source.Path, $"{side} tells no UIDVALIDITY, so what is deleted at the source is not removed at the target");
    }

    /// <summary>Returns the record from before the reset that contains the UIDs of these two messages; null if there is none.</summary>
    public SettledMessage? Confirmed(MessageInfo source, MessageInfo target) =>
        remembered.TryGetValue(source.Uid, out var known) && known.Target == target.Uid && known.Settlement is Settlement.Copied or Settlement.Adopted
            ? known
            : null;

    /// <summary>
    /// Returns the messages found at the target that had no record before the reset; all of them without <see cref="KeepsFlags"/>. For
    /// messages with a record, changed flags are added to the plan, and the recorded flags are the base of the three-way merge.
    /// </summary>
    public IReadOnlyList<(MessageInfo Source, MessageInfo Target)> WithoutKnown(
        FolderPlan plan, IReadOnlyList<(MessageInfo Source, MessageInfo Target)> recognized)
    {
        if (!KeepsFlags)
            return recognized;
        foreach (var (source, target) in recognized)
        {
            if (Confirmed(source, target) is { } known && !known.Flags.Equals(source.Flags))
                plan.FlagChanges.Add((known, source.Flags));
        }

        return [.. recognized.Where(r => Confirmed(r.Source, r.Target) is null)];
    }
}
