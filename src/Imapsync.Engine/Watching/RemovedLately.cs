namespace Imapsync.Engine.Watching;

/// <summary>What the runs of a watch have removed within a day: a limit that each run is held against by itself would let everything go, bit by bit.</summary>
internal sealed class RemovedLately(TimeProvider time)
{
    private static readonly TimeSpan Span = TimeSpan.FromDays(1);

    /// <summary>What is removed within it is one entry.</summary>
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
