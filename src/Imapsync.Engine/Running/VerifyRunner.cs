using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Engine.Stores.Labels;
using Imapsync.Engine.Verifying;

namespace Imapsync.Engine.Running;

/// <summary>
/// Compares a job's target with its source, or with the recorded checksums. It changes neither store. In the job's state it records the
/// checksums of messages found equal, and which part of the mail the next verification of a sample reads.
/// </summary>
/// <param name="openState">Opens the state of jobs; null for state in files.</param>
public sealed class VerifyRunner(TimeProvider time, StoreOpener openStore, StateOpener? openState = null)
{
    private readonly StateOpener openState = openState ?? FileMedium.Opener(time);
    private readonly JobSession entry = new(time, openStore, openState ?? FileMedium.Opener(time));

    /// <summary>Verifies the job. It does not throw for failures of the job; the report contains them.</summary>
    /// <param name="onEvent">Called for start, notes, problems and waiting. May be called from any task, never concurrently.</param>
    /// <param name="onFinding">May be called from any task, never concurrently with itself.</param>
    /// <param name="stop">Cancelled to end soon and report.</param>
    /// <param name="abort">Cancelled to stop at once.</param>
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
        // If the job never ran and so has no state, the checkpoints are opened read-only, so that verifying does not create a state.
        var state = openState(job.State);
        await using var checkpoints = await CheckpointStore.OpenAsync(state, readOnly: !await state.ExistsAsync(abort), abort);
        var sample = await SampleCursor.ReadAsync(checkpoints.State, options.Share, abort);
        using var place = await entry.EnterAsync(job, report, stopping.Token, options.Offline);
        await using var source = options.Offline ? null : LabelViews.OfSource(job, await entry.OpenSourceAsync(job, state, place, retry, report, stopping, stopping.Token));
        await using var target = LabelViews.OfTarget(job, await entry.OpenTargetAsync(job, state, forWriting: false, place, retry, report, stopping, stopping.Token));
        var context = new VerifyContext(job, options, source, target, checkpoints, sample, findings, report, retry, time, stopping.Token)
        {
            OtherAccounts = await AccountMark.FindChangeAsync(checkpoints.State, job.Source, job.Target, abort),
        };
        await new MailboxVerifier(context).RunAsync(abort);
        stopping.Token.ThrowIfCancellationRequested();
        await sample.SaveNextAsync(CancellationToken.None);
        return StopReason.None;
    }
}
