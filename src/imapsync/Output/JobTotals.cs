using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>The progress of all jobs of a run, in one line. Not thread-safe.</summary>
/// <param name="jobs">The total number of jobs.</param>
internal sealed class JobTotals(int jobs, DateTimeOffset started)
{
    private int done;
    private int failed;
    private long problems;
    private long messages;
    private long bytes;

    public void Apply(JobEvent happened)
    {
        switch (happened)
        {
            case MessagesCopied window:
                messages += window.Count;
                bytes += window.Bytes;
                break;
            case ProblemFound:
                problems++;
                break;
            case JobFinished { Report.Outcome: JobOutcome.Ok }:
                done++;
                break;
            case JobFinished:
                failed++;
                break;
        }
    }

    /// <summary>Returns the line.</summary>
    /// <param name="atWork">The jobs that have started and not ended.</param>
    public string Line(IReadOnlyCollection<JobProgress> atWork, DateTimeOffset now)
    {
        var queued = atWork.Count(j => j.Queue is not null);
        var waiting = Math.Max(0, jobs - done - failed - atWork.Count) + queued;
        var seconds = (now - started).TotalSeconds;
        List<string> parts = [$"{Quantities.Count(done + failed)} of {Quantities.Count(jobs, "job")} finished", $"{Quantities.Count(atWork.Count - queued)} at work"];
        if (waiting > 0)
            parts.Add($"{Quantities.Count(waiting)} waiting");
        if (failed > 0)
            parts.Add($"{Quantities.Count(failed)} not complete");
        parts.Add(Quantities.Count(problems, "problem"));
        if (jobs > 1 && seconds >= 1 && messages > 0)
            parts.Add(FormattableString.Invariant($"{messages / seconds:0} messages/s, {Quantities.Octets(bytes / seconds)}/s"));
        // The estimate assumes the average time of the finished jobs, and that running jobs are half done.
        if (done + failed > 0 && jobs > done + failed)
            parts.Add($"about {Quantities.Duration(TimeSpan.FromSeconds(seconds / (done + failed + (atWork.Count / 2.0)) * (jobs - done - failed - (atWork.Count / 2.0))))} left");
        return string.Join(", ", parts);
    }
}
