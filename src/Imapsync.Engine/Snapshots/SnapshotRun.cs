using Imapsync.Engine.Files;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Snapshots;

/// <summary>Handles a job's snapshots after all mail was copied: takes one when it is due, and removes those that the policy does not keep.</summary>
public static class SnapshotRun
{
    public static async Task FinishAsync(JobDefinition job, JobReporter report, TimeProvider time, CancellationToken abort)
    {
        if (SnapshotDirectory.Of(job) is not { } snapshots || job is not { Snapshots: { } policy, Target: MaildirEndpoint target })
            return;
        try
        {
            // The disk work is slow, so it runs on another thread.
            await Task.Run(() => Finish(snapshots, policy, target, job.StateDirectory, report, time, abort), CancellationToken.None);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            report.Problem(new Problem(FailureScope.Store, null, null, Reasons.Snapshot, $"the mail is in place, but no snapshot could be taken in {snapshots.Path}: {FileErrors.Explain(e)}"));
        }
    }

    private static void Finish(SnapshotDirectory snapshots, SnapshotPolicy policy, MaildirEndpoint target, string state, JobReporter report, TimeProvider time, CancellationToken abort)
    {
        var now = time.GetUtcNow();
        now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerSecond));
        DateTimeOffset Local(DateTimeOffset instant) => TimeZoneInfo.ConvertTime(instant, time.LocalTimeZone);
        var listed = snapshots.List();
        // Snapshots from the future show that the clock is or was wrong. They are ignored when deciding what is due and what to remove.
        var ahead = listed.Count(s => s.Taken > now);
        if (ahead > 0)
            report.Note(null, $"snapshots of a time that is yet to come, by this machine's clock: {ahead}; they are left as they are");
        IReadOnlyList<Snapshot> all = [.. listed.Where(s => s.Taken <= now)];
        if (policy.IsDue(all.Count == 0 ? null : Local(all[^1].Taken), Local(now)) && !all.Any(s => s.Taken == now))
        {
            var (taken, leftOut) = snapshots.Take(target.Directory, state, now, abort);
            all = [.. all, taken];
            report.Note(null, $"snapshot {taken.Name} taken");
            if (leftOut > 0)
                report.Note(null, $"links and other entries that are not mail are not in the snapshot: {leftOut}");
        }

        var kept = policy.Keep(all.Select(s => Local(s.Taken)));
        foreach (var snapshot in all.Where(s => !kept.Contains(Local(s.Taken))))
        {
            if (!snapshots.TryForget(snapshot))
                report.Note(null, $"snapshot {snapshot.Name} is being read, so it is kept for now");
        }

        snapshots.Prune(abort);
    }
}
