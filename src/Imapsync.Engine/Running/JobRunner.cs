using Imapsync.Engine.Copying;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Restoring;
using Imapsync.Engine.Retrying;
using Imapsync.Engine.Snapshots;
using Imapsync.Engine.State;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Labels;
using Imapsync.Engine.Stores.Limits;
using Imapsync.Engine.Stores.Views;

namespace Imapsync.Engine.Running;

/// <summary>Runs one job from its definition to its report.</summary>
/// <param name="openState">Opens the state of jobs; null for state in files.</param>
public sealed class JobRunner(TimeProvider time, StoreOpener openStore, StateOpener? openState = null)
{
    private readonly StateOpener openState = openState ?? FileMedium.Opener(time);
    private readonly JobSession entry = new(time, openStore, openState ?? FileMedium.Opener(time));

    /// <summary>Runs the job. It does not throw for failures of the job; the report contains them.</summary>
    /// <param name="onEvent">May be called from any task, never concurrently.</param>
    /// <param name="stop">Cancelled to finish appending the current batch of messages, save and report.</param>
    /// <param name="abort">Cancelled to stop at once. The next run recognises copies at the target that this run did not record.</param>
    public async Task<JobReport> RunAsync(
        JobDefinition job, RunOptions options, Action<JobEvent> onEvent, CancellationToken stop, CancellationToken abort)
    {
        using var trace = new JobTrace(job.Name, options.DryRun);
        var report = new JobReporter(job.Name, time, onEvent) { Trace = trace };
        report.Tell(new JobStarted(job.Name, job.Source.Display, job.Target.Display, options.DryRun));
        using var stopping = new StopRequest(report, stop, abort);
        await using var clock = LimitDuration(job, stopping);
        var reason = stopping.Explain(await RunAsync(job, options, report, stopping, abort));
        var finished = report.Finish(JobSession.OutcomeOf(reason, isComplete: !report.HasProblems), reason, options.DryRun);
        trace.End(finished);
        return finished;
    }

    private async Task<StopReason> RunAsync(
        JobDefinition job, RunOptions options, JobReporter report, StopRequest stopping, CancellationToken abort) =>
        await entry.GuardAsync(job, report, async () =>
        {
            var retry = entry.RetryFor(job, report, stopping);
            var state = openState(job.State);
            await using var checkpoints = await CheckpointStore.OpenAsync(state, options.DryRun, abort);
            var held = await CountHeldAsync(job, options, checkpoints, abort);
            using var place = await entry.EnterAsync(job, report, stopping.Token);
            var (openedSource, openedTarget) = await OpenBothAsync(job, state, place, options, held, retry, report, stopping);
            var source = LabelViews.OfSource(job, openedSource);
            var target = LabelViews.OfTarget(job, options.DryRun ? new PreviewStore(openedTarget) : openedTarget);
            await using var both = new BothStores(source, target);
            if (job.Restores is { } origin)
            {
                var routing = new RestoreRouting(source, origin, job.Messages, openState, report);
                var routes = await retry.WorkAsync("the folders of the backup", () => routing.FindAsync(stopping.Token), () => 0, stopping.Token);
                job = job with { Folders = new FolderRules { Routes = routes } };
            }

            LabelViews.Require(job, source, target);
            var context = new JobContext(job, options, source, target, checkpoints, report, retry, time, stopping.Token)
            {
                State = checkpoints.State,
                OpenState = openState,
                ReachLimit = stopping.ReachLimit,
            };
            var reason = await new MailboxCopier(context).RunAsync(abort);
            if (reason == StopReason.None && !report.HasProblems && !options.DryRun)
                await SnapshotRun.FinishAsync(job, report, time, abort);
            return reason;
        }, stopping.Token);

    private ITimer? LimitDuration(JobDefinition job, StopRequest stopping) => job.MaxDuration is not { } limit
        ? null
        : time.CreateTimer(
            _ => stopping.ReachLimit(Reasons.MaxDuration, $"the run was stopped after {limit}, its max_duration; the next one goes on"), null, limit, Timeout.InfiniteTimeSpan);

    /// <summary>
    /// Returns how many messages earlier runs stored in a backup on disk. A run refuses such a backup if they are all gone, so the result
    /// is 0 where they may be gone: for a restore, for a run that replaces missing copies, and for a target on a server.
    /// </summary>
    private static async Task<long> CountHeldAsync(JobDefinition job, RunOptions options, ICheckpointStore checkpoints, CancellationToken abort) =>
        job.IsRestore || options.Heal || job.Target.Place is null ? 0 : await UnmountedTarget.CountHeldAsync(checkpoints, abort);

    /// <summary>
    /// Opens both stores at the same time, so that two logins overlap. A local target is opened only after the source, so that it is not
    /// touched if the source fails.
    /// </summary>
    private async Task<(IMessageStore Source, ITargetStore Target)> OpenBothAsync(
        JobDefinition job, IStateMedium state, HostEntry place, RunOptions options, long held, RetryPipeline retry, JobReporter report, StopRequest stopping)
    {
        using var failing = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        var source = entry.OpenSourceAsync(job, state, place, retry, report, stopping, failing.Token, remembers: !options.DryRun);
        if (job.Target.Place is not null)
            await source;
        var target = OpenTargetAsync(job, state, place, options, held, retry, report, stopping, failing.Token);
        try
        {
            // If one side fails, for example with a wrong password, waiting for the other is cancelled so that the failure is reported at once.
            if (!(await Task.WhenAny(source, target)).IsCompletedSuccessfully)
                await failing.CancelAsync();
            await Task.WhenAll(source, target);
        }
        catch
        {
            if (source.IsCompletedSuccessfully)
                await (await source).DisposeAsync();
            if (target.IsCompletedSuccessfully)
                await (await target).DisposeAsync();
            throw;
        }

        return (await source, await target);
    }

    private async Task<ITargetStore> OpenTargetAsync(
        JobDefinition job, IStateMedium state, HostEntry place, RunOptions options, long held, RetryPipeline retry, JobReporter report, StopRequest stopping, CancellationToken giveUp)
    {
        try
        {
            return await entry.OpenTargetAsync(job, state, forWriting: !options.DryRun, place, retry, report, stopping, giveUp, held);
        }
        catch (MailException e) when (options.DryRun && job.Target.Place is not null && e.Kind == FailureKind.Gone)
        {
            return new MissingStore(job.Target.Display);
        }
    }

    /// <summary>Closes both stores at the same time, so that two logouts overlap.</summary>
    private sealed class BothStores(IMessageStore source, ITargetStore target) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await Task.WhenAll(source.DisposeAsync().AsTask(), target.DisposeAsync().AsTask());
    }
}
