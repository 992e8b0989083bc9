using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.CommandLine;

/// <summary>
/// Decides which job starts next. Jobs with the same source and target hosts form a group. The next job is the first
/// waiting one of the group with the fewest running jobs, so that a slow host does not delay a fast one. Groups whose
/// hosts have no free connection are skipped.
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

    /// <summary>Returns the index of the next job; null when none may start before another ends.</summary>
    public int? Next()
    {
        var free = groups.Values.Where(g => g.Waiting.Count > 0 && HasRoom(g)).MinBy(g => (g.Running, g.First));
        if (free is null)
            return null;
        free.Running++;
        Count(free, 1);
        return free.Waiting.Dequeue();
    }

    /// <summary>Records that a job returned by <see cref="Next"/> has ended.</summary>
    public void Ended(JobDefinition job)
    {
        var group = groups[$"{HostOf(job.Source)}\n{HostOf(job.Target)}"];
        group.Running--;
        Count(group, -1);
    }

    /// <summary>
    /// Whether the group's hosts have enough free connections for another job. A host that no running job uses counts as free.
    /// If its limit is too low even for one job, the job itself reports that.
    /// </summary>
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
