using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Refuses a backup target in which not one folder of earlier runs exists, since its disk is probably not mounted. This holds whatever else the
/// directory contains: other mail accounts, files of other programs, or empty folders created at the mount point.
/// </summary>
internal static class UnmountedTarget
{
    private const int MostLooks = 100;

    /// <param name="there">The target's folders as listed.</param>
    /// <exception cref="MailException">With store scope; nothing was written.</exception>
    public static async Task RefuseAsync(JobContext context, IEnumerable<PairSummary> summaries, IReadOnlyList<FolderEntry> there, CancellationToken abort)
    {
        if (!context.Target.Traits.KeepsWhatItGets || context.Job.IsRestore || context.Options.Heal)
            return;
        var known = summaries.Where(s => s.Settled > 0).Select(s => (s.Pair.Target, Held: s.Settled, Validity: s.Target?.UidValidity ?? UidValidity.None)).ToList();
        if (known.Count == 0 && !summaries.Any())
            known = await ReadCheckpointsAsync(context.Checkpoints, abort);
        if (known.Count == 0)
            return;
        var listed = there.Where(f => f.HoldsMessages).Select(f => f.Path).ToHashSet();
        // The folder with the fewest messages is checked first, because one unchanged folder is proof enough.
        foreach (var (path, _, validity) in known.Where(k => listed.Contains(k.Target)).OrderBy(k => k.Held))
        {
            if (await IsThereAsync(context, path, validity, abort))
                return;
        }

        // A killed run may have renamed the only known folder, so the listed folders are also compared by UIDVALIDITY.
        var validities = known.Select(k => k.Validity).Where(v => !v.IsNone).ToHashSet();
        foreach (var path in listed.Order().Take(MostLooks))
        {
            if (await ValidityAsync(context, path, abort) is { IsNone: false } validity && validities.Contains(validity))
                return;
        }

        throw new MailException(
            FailureScope.Store,
            isTransient: false,
            $"{context.Target.Traits.Display}: none of the folders that earlier runs put {known.Sum(k => k.Held)} messages into is there, whatever else is; nothing was written. "
            + "Mount its disk, or correct the path. If the backup is gone and is to be made anew, run once with --heal");
    }

    private static async Task<bool> IsThereAsync(JobContext context, FolderPath path, UidValidity validity, CancellationToken abort)
    {
        try
        {
            return (!validity.IsNone && await ValidityAsync(context, path, abort) == validity) || (await context.Target.GetStatusAsync(path, abort)).Messages > 0;
        }
        catch (MailException e) when (e.Scope == FailureScope.Folder)
        {
            // A folder that exists but can't be read counts as present; its own pair reports the failure.
            return e.Kind != FailureKind.Gone;
        }
    }

    private static async Task<UidValidity> ValidityAsync(JobContext context, FolderPath path, CancellationToken abort)
    {
        try
        {
            return (await context.Target.GetUidCountersAsync(path, abort)).Validity;
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
