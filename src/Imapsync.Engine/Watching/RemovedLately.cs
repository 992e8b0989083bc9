namespace Imapsync.Engine.Watching;

/// <summary>
/// Counts the messages that the runs of a watch removed within a day. The removal limit applies to this sum. With a limit for each run, a
/// series of runs could remove everything.
/// </summary>
internal sealed class RemovedLately(TimeProvider time)
{
    private static readonly TimeSpan Span = TimeSpan.FromDays(1);

    /// <summary>All removals within this interval are recorded as one entry.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(10);

    // The times are timestamps of the monotonic clock, since somebody may set the system's clock.
    private readonly List<(long Since, long Count)> steps = [];

    public long Count
    {
        get
        {
            // The last removal of a step may have happened at the step's end, so a step counts until that removal is a day old.
            steps.RemoveAll(s => time.GetElapsedTime(s.Since) > Span + Step);
            return steps.Sum(s => s.Count);
        }
    }

    public void Add(long removed)
    {
        if (removed == 0)
            return;
        if (steps.Count > 0 && time.GetElapsedTime(steps[^1].Since) < Step)
            steps[^1] = steps[^1] with { Count = steps[^1].Count + removed };
        else
            steps.Add((time.GetTimestamp(), removed));
    }
}
