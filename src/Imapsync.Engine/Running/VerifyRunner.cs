using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Labels;
using Imapsync.Engine.Verifying;

namespace Imapsync.Engine.Running;

/// <summary>
/// Holds a job's target against its source, or against what was recorded of it. Changes nothing at either; in the job's state
/// it adds the checksums of messages it saw to be equal, and which part of a sample comes next.
/// </summary>
/// <param name="openState">Where jobs' state is kept; null for files.</param>
public sealed class VerifyRunner(TimeProvider time, StoreOpener openStore, StateOpener? openState = null)
{
    private readonly StateOpener openState = openState ?? FileMedium.Opener(time);
    private readonly JobSession entry = new(time, openStore, openState ?? FileMedium.Opener(time));

    /// <summary>Never throws for anything that happens to the job: the report tells it.</summary>
    /// <param name="onEvent">Start, notes, problems, waiting. May be called from any task, never concurrently.</param>
    /// <param name="onFinding">May be called from any task, never concurrently with itself.</param>
    /// <param name="stop">End soon and report.</param>
    /// <param name="abort">Drop everything now.</param>
    public async Task<VerifyReport> RunAsync(
        JobDefinition job, VerifyOptions options, Action<JobEvent> onEvent, Action<Finding> onFinding, CancellationToken stop, CancellationToken abort)
    {
        job = job.At(time.GetUtcNow());
        var report = new JobReporter(job.Name, time, onEvent);
        var findings = new FindingLog(job.Name, onFinding);
        using var stopping = new StopRequest(report, stop, abort);
        report.Tell(new JobStarted(job.Name, job.Source.Display, job.Target.Display, DryRun: false));
        var reason = stopping.Explain(await entry.GuardAsync(
            job, report, () => VerifyAsync(job, options, findings, report, stopping, abort), stopping.Token));
        var outcome = JobSession.OutcomeOf(reason, isComplete: !report.HasProblems && findings.Counts.Differences == 0);
        return new VerifyReport(report.Finish(outcome, reason, isDryRun: false), findings.Counts, findings.Kept);
    }

    private async Task<StopReason> VerifyAsync(
        JobDefinition job, VerifyOptions options, FindingLog findings, JobReporter report, StopRequest stopping, CancellationToken abort)
    {
        var retry = entry.RetryFor(job, report, stopping);
        // A job that never ran has no state, and looking at it does not make any.
        var state = openState(job.State);
        await using var checkpoints = await CheckpointStore.OpenAsync(state, readOnly: !await state.ExistsAsync(abort), abort);
        var sample = await SampleCursor.ReadAsync(state, options.Share, abort);
        using var place = await entry.EnterAsync(job, report, stopping.Token, options.Offline);
        await using var source = options.Offline ? null : LabelViews.OfSource(job, await entry.OpenSourceAsync(job, state, place, retry, report, stopping, stopping.Token));
        await using var target = LabelViews.OfTarget(job, await entry.OpenTargetAsync(job, state, forWriting: false, place, retry, report, stopping, stopping.Token));
        var context = new VerifyContext(job, options, source, target, checkpoints, sample, findings, report, retry, time, stopping.Token);
        await new MailboxVerifier(context).RunAsync(abort);
        stopping.Token.ThrowIfCancellationRequested();
        await sample.SaveNextAsync(CancellationToken.None);
        return StopReason.None;
    }
}
