using Imapsync.Engine.Copying;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine;

/// <summary>Runs several jobs, some of them at once.</summary>
internal sealed class JobQueue(JobRun run, TimeProvider time, Action<JobEvent> onEvent)
{
    /// <summary>The reports in the order of the jobs, one for each, also for those that a stop kept from starting.</summary>
    public async Task<IReadOnlyList<JobReport>> RunAsync(
        IReadOnlyList<JobDefinition> jobs, int parallel, RunOptions options, CancellationToken stop, CancellationToken abort)
    {
        var reports = new JobReport[jobs.Count];
        // Not given the token: every job must get its report.
        await Parallel.ForEachAsync(
            Enumerable.Range(0, jobs.Count),
            new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = CancellationToken.None },
            async (index, _) => reports[index] = await RunOneAsync(jobs[index], options, stop, abort));
        return reports;
    }

    private async Task<JobReport> RunOneAsync(JobDefinition job, RunOptions options, CancellationToken stop, CancellationToken abort)
    {
        if (stop.IsCancellationRequested)
            return Empty(job, JobOutcome.Cancelled, StopReason.Cancelled, []);
        try
        {
            return await run(job, options, onEvent, stop, abort);
        }
        catch (Exception e)
        {
            // A defect of the program in one job: the others run on, and the report is written all the same.
            return Empty(job, JobOutcome.Failed, StopReason.Other, [new Problem(FailureScope.Store, null, null, "defect", $"{e.GetType().Name}: {e.Message}")]);
        }
    }

    private JobReport Empty(JobDefinition job, JobOutcome outcome, StopReason stop, Problem[] problems)
    {
        var now = time.GetUtcNow();
        return new JobReport(job.Name, outcome, now, now, new FolderCounts(), [], [.. problems], []) { Stop = stop };
    }
}
