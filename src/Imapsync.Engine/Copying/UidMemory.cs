using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Checks whether recorded UIDs still identify the same messages. A store restored from an older copy keeps its UIDVALIDITY, but its
/// counters go back, and it gives old UIDs to new mail. A counter that the server does not report proves nothing.
/// </summary>
internal static class UidMemory
{
    /// <summary>
    /// Returns true if a folder's UIDs still mean the same messages as when its pair was last up to date: UIDVALIDITY is the same, and
    /// UIDNEXT has not decreased.
    /// </summary>
    public static bool Holds(in FolderStatus known, in UidCounters now) =>
        !now.Validity.IsNone && now.Validity == known.UidValidity && !now.Next.IsNone && now.Next >= known.UidNext;

    /// <summary>Returns why a checkpoint is not valid for the target; null if it is valid.</summary>
    /// <param name="last">The pair's summary when it was last up to date.</param>
    public static string? DoubtTarget(ICheckpoint checkpoint, PairSummary? last, in FolderStatus target)
    {
        if (target.UidValidity.IsNone)
            return "the target tells no UIDVALIDITY";
        if (checkpoint.TargetValidity != target.UidValidity)
            return $"UIDVALIDITY at the target changed from {checkpoint.TargetValidity} to {target.UidValidity}";
        var before = last?.Target is { } known && known.UidValidity == target.UidValidity ? known : default;
        if (WentBack("the target", "UIDNEXT", Max(checkpoint.KnownTargetUidNext, before.UidNext).Value, target.UidNext.Value) is { } next)
            return next;
        // If UIDNEXT was not recorded, it must at least be above the highest recorded target UID.
        if (WentBack("the target", "UIDNEXT", HighestTarget(checkpoint) + 1, target.UidNext.Value) is { } shown)
            return shown;
        if (WentBack("the target", "HIGHESTMODSEQ", before.HighestModSeq?.Value ?? 0, target.HighestModSeq?.Value ?? 0) is { } modSeq)
            return modSeq;
        return HasDoubles(checkpoint) ? "two messages are remembered under one UID of the target" : null;
    }

    /// <summary>Returns why a checkpoint is not valid for the source; null if it is valid.</summary>
    public static string? DoubtSource(ICheckpoint checkpoint, PairSummary? last, in FolderStatus source)
    {
        if (source.UidValidity.IsNone)
            return "the source tells no UIDVALIDITY";
        if (checkpoint.SourceValidity != source.UidValidity)
            return $"UIDVALIDITY at the source changed from {checkpoint.SourceValidity} to {source.UidValidity}";
        var before = last is not null && last.Source.UidValidity == source.UidValidity ? last.Source.UidNext : Uid.None;
        return WentBack("the source", "UIDNEXT", before.Value, source.UidNext.Value)
            // If UIDNEXT was not recorded, or the run ended early, it must at least be above the highest recorded source UID.
            ?? WentBack("the source", "UIDNEXT", HighestSource(checkpoint) + 1, source.UidNext.Value)
            ?? DoubtModSeq(checkpoint, source);
    }

    /// <summary>
    /// Returns why the source's MODSEQs are in doubt; null if they are not. They restart if the source has lost its index, and decrease if
    /// the source was restored from an older copy.
    /// </summary>
    public static string? DoubtModSeq(ICheckpoint checkpoint, in FolderStatus source) =>
        WentBack("the source", "HIGHESTMODSEQ", checkpoint.SourceModSeq?.Value ?? 0, source.HighestModSeq?.Value ?? 0);

    private static string? WentBack(string side, string counter, ulong known, ulong now) => now != 0 && now < known
        ? $"{counter} at {side} went back from {known} to {now}, as if an older copy had been put back"
        : null;

    /// <summary>Returns the highest recorded source UID, which is the last one since source UIDs are in ascending order.</summary>
    private static ulong HighestSource(ICheckpoint checkpoint)
    {
        var highest = Uid.None;
        foreach (var message in checkpoint.Messages)
            highest = message.Source;
        return highest.Value;
    }

    private static ulong HighestTarget(ICheckpoint checkpoint)
    {
        var highest = Uid.None;
        foreach (var message in checkpoint.Messages)
            highest = Max(highest, message.Target);
        return highest.Value;
    }

    private static Uid Max(Uid a, Uid b) => a > b ? a : b;

    private static bool HasDoubles(ICheckpoint checkpoint)
    {
        // Target UIDs usually ascend with the source UIDs. If they do, there are no duplicates, and the UIDs need not be collected in
        // memory.
        var last = Uid.None;
        var ascends = true;
        foreach (var message in checkpoint.Messages)
        {
            if (message.Target.IsNone)
                continue;
            ascends = message.Target > last;
            if (!ascends)
                break;
            last = message.Target;
        }

        if (ascends)
            return false;
        // The UIDs are sorted as plain 4-octet integers, because there may be a million of them.
        var targets = new List<uint>(checkpoint.Count(Settlement.Copied) + checkpoint.Count(Settlement.Adopted));
        targets.AddRange(checkpoint.Messages.Where(m => !m.Target.IsNone).Select(m => m.Target.Value));
        targets.Sort();
        for (var i = 1; i < targets.Count; i++)
        {
            if (targets[i] == targets[i - 1])
                return true;
        }

        return false;
    }
}
