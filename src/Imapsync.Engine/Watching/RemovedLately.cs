namespace Imapsync.Engine.Watching;

/// <summary>
/// Counts the messages that the runs of a watch removed within a day: a removal limit per run alone would let a series of runs remove everything.
/// </summary>
internal sealed class RemovedLately(TimeProvider time)
{
    private static readonly TimeSpan Span = TimeSpan.FromDays(1);

    /// <summary>All removals within this interval are recorded as one entry.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(10);

    private readonly List<(DateTimeOffset Since, long Count)> steps = [];

    public long Count
    {
        get
        {
            steps.RemoveAll(s => s.Since + Span < time.GetUtcNow());
            return steps.Sum(s => s.Count);
        }
    }

    public void Add(long removed)
    {
        if (removed == 0)
            return;
        var now = time.GetUtcNow();
        if (steps.Count > 0 && now - steps[^1].Since < Step)
            steps[^1] = steps[^1] with { Count = steps[^1].Count + removed };
        else
            steps.Add((now, removed));
    }
}
