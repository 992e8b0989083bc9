using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>Whether a pair's checkpoint still speaks of its two folders, and what of it holds where it was started over.</summary>
/// <param name="last">How the pair stood after the last run; null where that is not known.</param>
internal sealed class CheckpointPast(JobContext context, FolderPair pair, PairSummary? last)
{
    /// <summary>What the checkpoint said before it was started over under the same UIDVALIDITYs.</summary>
    private Dictionary<Uid, SettledMessage> remembered = [];

    /// <summary>Only the MODSEQs began again: the flags propagated last are still known.</summary>
    public bool KeepsFlags { get; private set; }

    /// <summary>Starts the checkpoint over where it cannot speak for these two folders. True when they meet for the first time.</summary>
    public bool Meet(ICheckpoint checkpoint, FolderStatus source, IMessageFolder? targetFolder, string rules)
    {
        var target = targetFolder?.Status ?? default;
        NoteUnremovable(source, target, isThere: targetFolder is not null);
        var reason = checkpoint switch
        {
            { Condition: CheckpointCondition.New } => string.Empty,
            { Condition: CheckpointCondition.Damaged } => $"the checkpoint was damaged ({checkpoint.Damage}) and is set aside",
            _ when source.UidValidity.IsNone || (targetFolder is not null && target.UidValidity.IsNone) => string.Empty,
            _ when UidMemory.DoubtSource(checkpoint, last, source) is { } doubt => doubt,
            _ when targetFolder is null && checkpoint.TargetValidity.IsNone => null,
            _ when checkpoint.TargetValidity != target.UidValidity && (targetFolder is null || context.CreatedTargets.Contains(pair.Target)) =>
                $"{pair.Target} is no longer at the target",
            _ => UidMemory.DoubtTarget(checkpoint, last, target),
        };
        if (reason is null)
            return false;
        if (reason.Length > 0)
            context.Report.Note(pair.Source.Path, $"{reason}; messages are matched again by identity, nothing is removed");
        // What identity confirms keeps its check sum, and where nothing but the MODSEQs began again, the flags propagated last.
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

    /// <summary>What was known of a message whose pair of UIDs identity has confirmed.</summary>
    public SettledMessage? Confirmed(MessageInfo source, MessageInfo target) =>
        remembered.TryGetValue(source.Uid, out var known) && known.Target == target.Uid && known.Settlement is Settlement.Copied or Settlement.Adopted
            ? known
            : null;

    /// <summary>What has a common past to merge flags from becomes a change of flags as any other. Returns what has none.</summary>
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
