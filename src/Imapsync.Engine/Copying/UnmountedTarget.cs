using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Refuses a backup target in which no folder of earlier runs exists, because its disk is probably not mounted. Whatever else the directory
/// contains does not matter.
/// </summary>
internal static class UnmountedTarget
{
    private const int MostLooks = 100;

    /// <summary>Returns how many messages earlier runs stored at the target.</summary>
    public static async Task<long> CountHeldAsync(ICheckpointStore checkpoints, CancellationToken abort) => checkpoints.Summaries.Count > 0
        ? checkpoints.Summaries.Values.Sum(s => s.Settled)
        : (await ReadCheckpointsAsync(checkpoints, abort)).Sum(k => k.Held);

    /// <param name="there">The target's folders as listed.</param>
    /// <exception cref="MailException">
    /// The target is refused, so the failure has the scope <see cref="FailureScope.Store"/>. Nothing was written.
    /// </exception>
    public static Task RefuseAsync(JobContext context, IEnumerable<PairSummary> summaries, IReadOnlyList<FolderEntry> there, CancellationToken abort) =>
        context.Job.IsRestore || context.Options.Heal ? Task.CompletedTask : RefuseAsync(context.Target, context.Checkpoints, summaries, there, abort);

    /// <inheritdoc cref="RefuseAsync(JobContext, IEnumerable{PairSummary}, IReadOnlyList{FolderEntry}, CancellationToken)"/>
    public static async Task RefuseAsync(
        ITargetStore target, ICheckpointStore checkpoints, IEnumerable<PairSummary> summaries, IReadOnlyList<FolderEntry> there, CancellationToken abort)
    {
        if (!target.Traits.KeepsWhatItGets)
            return;
        var known = summaries.Where(s => s.Settled > 0).Select(s => (s.Pair.Target, Held: s.Settled, Validity: s.Target?.UidValidity ?? UidValidity.None)).ToList();
        if (known.Count == 0 && !summaries.Any())
            known = await ReadCheckpointsAsync(checkpoints, abort);
        if (known.Count == 0)
            return;
        var listed = there.Where(f => f.HoldsMessages).Select(f => f.Path).ToHashSet();
        // The folder with the fewest messages is checked first. One folder that still exists is enough to prove that the disk is mounted.
        foreach (var (path, _, validity) in known.Where(k => listed.Contains(k.Target)).OrderBy(k => k.Held))
        {
            if (await IsThereAsync(target, path, validity, abort))
                return;
        }

        // A killed run may have renamed the only known folder, so the listed folders are also compared by UIDVALIDITY.
        var validities = known.Select(k => k.Validity).Where(v => !v.IsNone).ToHashSet();
        foreach (var path in listed.Order().Take(MostLooks))
        {
            if (await ValidityAsync(target, path, abort) is { IsNone: false } validity && validities.Contains(validity))
                return;
        }

        throw Failure(target.Traits.Display, known.Sum(k => k.Held));
    }

    /// <param name="held">How many messages earlier runs stored at the target.</param>
    public static MailException Failure(string display, long held) => new(
        FailureScope.Store,
        isTransient: false,
        $"{display}: none of the folders that earlier runs put {held} messages into is there, whatever else is; nothing was written. "
        + "Mount its disk, or correct the path. If the backup is gone and is to be made anew, run once with --heal");

    private static async Task<bool> IsThereAsync(ITargetStore target, FolderPath path, UidValidity validity, CancellationToken abort)
    {
        try
        {
            return (!validity.IsNone && await ValidityAsync(target, path, abort) == validity) || (await target.GetStatusAsync(path, abort)).Messages > 0;
        }
        catch (MailException e) when (e.Scope == FailureScope.Folder)
        {
            // A folder that exists but can't be read counts as present; its own pair reports the failure.
            return e.Kind != FailureKind.Gone;
        }
    }

    private static async Task<UidValidity> ValidityAsync(ITargetStore target, FolderPath path, CancellationToken abort)
    {
        try
        {
            return (await target.GetUidCountersAsync(path, abort)).Validity;
        }
        catch (MailException e) when (e.Scope == FailureScope.Folder)
        {
            return UidValidity.None;
        }
    }

    /// <summary>Reads the target folders from the checkpoints, because no run has finished yet and saved summaries.</summary>
    private static async Task<List<(FolderPath Target, long Held, UidValidity Validity)>> ReadCheckpointsAsync(ICheckpointStore checkpoints, CancellationToken abort)
    {
        var known = new List<(FolderPath Target, long Held, UidValidity Validity)>();
        foreach (var pair in await checkpoints.FindPairsAsync(abort))
        {
            await using var checkpoint = await checkpoints.OpenAsync(pair, abort);
            long held = checkpoint.Count(Settlement.Copied) + checkpoint.Count(Settlement.Adopted);
            if (held > 0)
                known.Add((pair.Target, held, checkpoint.TargetValidity));
        }

        return known;
    }
}
