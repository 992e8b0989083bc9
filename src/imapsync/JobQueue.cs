using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;

namespace Imapsync.CommandLine;

/// <summary>Runs several jobs, with a limited number in parallel.</summary>
internal sealed class JobQueue(JobRun run, TimeProvider time, Action<JobEvent> onEvent)
{
    /// <summary>How long a job may take to end after an abort; closing connections takes only a few seconds.</summary>
    public static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(5);

    /// <summary>How long <see cref="OnEnd"/> may take after an abort.</summary>
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(2);

    /// <summary>Called before each job.</summary>
    public Func<JobDefinition, Task> OnBegin { get; init; } = _ => Task.CompletedTask;

    /// <summary>Called after each job that was started, even if the job did not end after an abort.</summary>
    public Func<JobDefinition, JobReport, Task> OnEnd { get; init; } = (_, _) => Task.CompletedTask;

    /// <summary>Runs the jobs. Returns one report per job, in job order, even for jobs that did not start because of a stop.</summary>
    public async Task<IReadOnlyList<JobReport>> RunAsync(
        IReadOnlyList<JobDefinition> jobs, int parallel, RunOptions options, CancellationToken stop, CancellationToken abort)
    {
        var reports = new JobReport[jobs.Count];
        var order = new JobOrder(jobs);
        var running = new Dictionary<Task<JobReport>, int>();
        // The loop does not end early on a stop, since every job must get its report.
        while (true)
        {
            while (running.Count < parallel && order.Next() is { } next)
                running.Add(RunOneAsync(jobs[next], options, stop, abort), next);
            if (running.Count == 0)
                return reports;
            var ended = await Task.WhenAny(running.Keys);
            running.Remove(ended, out var index);
            order.Ended(jobs[index]);
            reports[index] = await ended;
        }
    }

    /// <summary>Completes after an abort and a further delay of <paramref name="patience"/>.</summary>
    /// <param name="over">
    /// Cancel this when the result is no longer needed. Then the task completes at once and does not stay
    /// registered at <paramref name="abort"/>.
    /// </param>
    public static async Task AfterAbortAsync(TimeSpan patience, TimeProvider time, CancellationToken abort, CancellationToken over = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(abort, over);
        await Task.Delay(Timeout.InfiniteTimeSpan, time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.Delay(patience, time, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>
    /// Returns a report for a job that does not end after an abort, e.g. because a disk or pipe blocks it, so that the process can end.
    /// </summary>
    public static async Task<JobReport> AbandonAsync(JobDefinition job, TimeProvider time, CancellationToken abort, CancellationToken over = default)
    {
        await AfterAbortAsync(LastPatience, time, abort, over);
        return Empty(job, time, JobOutcome.Cancelled, StopReason.Cancelled, [new Problem(
            FailureScope.Store, null, null, Reasons.Abandoned, $"the job had not ended {LastPatience.TotalSeconds:0} s after it was told to; what it saved stands, the next run goes on")]);
    }

    private async Task<JobReport> RunOneAsync(JobDefinition job, RunOptions options, CancellationToken stop, CancellationToken abort)
    {
        if (stop.IsCancellationRequested)
            return Empty(job, time, JobOutcome.Cancelled, StopReason.Cancelled, []) with { IsNotBegun = true };
        var report = await RunBegunAsync(job, options, stop, abort);
        using var over = new CancellationTokenSource();
        try
        {
            await Task.WhenAny(Task.Run(() => OnEnd(job, report), CancellationToken.None), AfterAbortAsync(EndPatience, time, abort, over.Token)).Unwrap();
            return report;
        }
        catch (Exception e)
        {
            // An error in OnEnd does not change the job's result, so it is only added as a note.
            return report with { Notes = report.Notes.Add($"what comes after a job could not be done: {e.GetType().Name}: {e.Message}") };
        }
        finally
        {
            await over.CancelAsync();
        }
    }

    private async Task<JobReport> RunBegunAsync(JobDefinition job, RunOptions options, CancellationToken stop, CancellationToken abort)
    {
        using var over = new CancellationTokenSource();
        try
        {
            // The job runs on a thread-pool thread, since opening its state blocks when the disk does not respond.
            var running = Task.Run(
                async () =>
                {
                    await OnBegin(job);
                    return await run(job, options, onEvent, stop, abort);
                },
                CancellationToken.None);
            return await Task.WhenAny(running, AbandonAsync(job, time, abort, over.Token)).Unwrap();
        }
        catch (Exception e)
        {
            // An unexpected exception in one job must not affect the other jobs or the report.
            return Empty(job, time, JobOutcome.Failed, StopReason.Other, [new Problem(FailureScope.Store, null, null, Reasons.Unexpected, await DefectFile.KeepAsync(new FileMedium(job.State, time), e, time.GetUtcNow()))]);
        }
        finally
        {
            await over.CancelAsync();
        }
    }

    private static JobReport Empty(JobDefinition job, TimeProvider time, JobOutcome outcome, StopReason stop, Problem[] problems)
    {
        var now = time.GetUtcNow();
        return new JobReport(job.Name, outcome, now, now, new FolderCounts(), [], [.. problems], []) { Stop = stop };
    }
}
