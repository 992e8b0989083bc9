using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Whether UIDs known before still mean the same messages. UIDVALIDITY does not change when a store is brought back from an older
/// copy, but its counters go back, and then UIDs come again for other mail. What is not told proves nothing.
/// </summary>
internal static class UidMemory
{
    /// <summary>True where the folder's UIDs are those of a pair that was up to date.</summary>
    public static bool Holds(in FolderStatus known, in UidCounters now) =>
        !now.Validity.IsNone && now.Validity == known.UidValidity && !now.Next.IsNone && now.Next >= known.UidNext;

    /// <summary>Why a checkpoint can't speak for the target; null where it can.</summary>
    /// <param name="last">How the pair stood when it was last up to date.</param>
    public static string? DoubtTarget(ICheckpoint checkpoint, PairSummary? last, in FolderStatus target)
    {
        if (target.UidValidity.IsNone)
            return "the target tells no UIDVALIDITY";
        if (checkpoint.TargetValidity != target.UidValidity)
            return $"UIDVALIDITY at the target changed from {checkpoint.TargetValidity} to {target.UidValidity}";
        var before = last?.Target is { } known && known.UidValidity == target.UidValidity ? known : default;
        if (WentBack("the target", "UIDNEXT", Max(checkpoint.KnownTargetUidNext, before.UidNext).Value, target.UidNext.Value) is { } next)
            return next;
        // Where it was not told before, what was brought tells how far it was.
        if (WentBack("the target", "UIDNEXT", HighestTarget(checkpoint) + 1, target.UidNext.Value) is { } shown)
            return shown;
        if (WentBack("the target", "HIGHESTMODSEQ", before.HighestModSeq?.Value ?? 0, target.HighestModSeq?.Value ?? 0) is { } modSeq)
            return modSeq;
        return HasDoubles(checkpoint) ? "two messages are remembered under one UID of the target" : null;
    }

    /// <summary>Likewise for the source.</summary>
    public static string? DoubtSource(ICheckpoint checkpoint, PairSummary? last, in FolderStatus source)
    {
        if (source.UidValidity.IsNone)
            return "the source tells no UIDVALIDITY";
        if (checkpoint.SourceValidity != source.UidValidity)
            return $"UIDVALIDITY at the source changed from {checkpoint.SourceValidity} to {source.UidValidity}";
        var before = last is not null && last.Source.UidValidity == source.UidValidity ? last.Source.UidNext : Uid.None;
        return WentBack("the source", "UIDNEXT", before.Value, source.UidNext.Value)
            // Where it was not told before, or by a run that did not come to its end, the messages of then tell how far it was.
            ?? WentBack("the source", "UIDNEXT", HighestSource(checkpoint) + 1, source.UidNext.Value)
            ?? DoubtModSeq(checkpoint, source);
    }

    /// <summary>A source whose index was lost begins its MODSEQs again, as one that was brought back from an older copy does.</summary>
    public static string? DoubtModSeq(ICheckpoint checkpoint, in FolderStatus source) =>
        WentBack("the source", "HIGHESTMODSEQ", checkpoint.SourceModSeq?.Value ?? 0, source.HighestModSeq?.Value ?? 0);

    private static string? WentBack(string side, string counter, ulong known, ulong now) => now != 0 && now < known
        ? $"{counter} at {side} went back from {known} to {now}, as if an older copy had been put back"
        : null;

    /// <summary>They ascend.</summary>
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
        // As a rule they ascend on both sides, and nothing has to be held in memory.
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
        // Four octets each and sorted: there may be a million.
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
