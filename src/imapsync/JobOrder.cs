using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.CommandLine;

/// <summary>
/// Which job is begun next. Jobs are begun in their order, but one whose hosts have no connection left for it lets others pass, and
/// between hosts the one with the fewest jobs at work comes first: a slow host with many accounts does not keep a quick one idle.
/// </summary>
internal sealed class JobOrder
{
    private readonly SortedDictionary<string, Group> groups = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> used = new(StringComparer.Ordinal);

    public JobOrder(IReadOnlyList<JobDefinition> jobs)
    {
        for (var i = 0; i < jobs.Count; i++)
        {
            var name = $"{HostOf(jobs[i].Source)}\n{HostOf(jobs[i].Target)}";
            if (!groups.TryGetValue(name, out var group))
                groups.Add(name, group = new Group(i, [.. new[] { jobs[i].Source, jobs[i].Target }.OfType<ServerEndpoint>().Select(e => e.HostLimits).OfType<HostLimits>().Where(l => l.Connections is not null)]));
            group.Waiting.Enqueue(i);
        }
    }

    /// <summary>The number of the next job; null where none is to be begun before another ends.</summary>
    public int? Next()
    {
        var free = groups.Values.Where(g => g.Waiting.Count > 0 && HasRoom(g)).MinBy(g => (g.Running, g.First));
        if (free is null)
            return null;
        free.Running++;
        Count(free, 1);
        return free.Waiting.Dequeue();
    }

    /// <summary>A job has ended that <see cref="Next"/> gave.</summary>
    public void Ended(JobDefinition job)
    {
        var group = groups[$"{HostOf(job.Source)}\n{HostOf(job.Target)}"];
        group.Running--;
        Count(group, -1);
    }

    /// <summary>A group alone, with all its hosts free, has room always: whatever the limit says of it, the job itself tells.</summary>
    private bool HasRoom(Group group) => group.Limits.CountBy(l => l).All(l => used.GetValueOrDefault(l.Key.Host) is 0 || used[l.Key.Host] + l.Value <= l.Key.Connections);

    private void Count(Group group, int count)
    {
        foreach (var limits in group.Limits)
            used[limits.Host] = used.GetValueOrDefault(limits.Host) + count;
    }

    private static string HostOf(Endpoint endpoint) => endpoint is ServerEndpoint server ? server.Address.ToLowerInvariant() : "";

    private sealed record Group(int First, IReadOnlyList<HostLimits> Limits)
    {
        public Queue<int> Waiting { get; } = new();

        public int Running { get; set; }
    }
}
