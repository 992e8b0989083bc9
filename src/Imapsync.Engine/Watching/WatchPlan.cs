using System.Collections.Immutable;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Watching;

/// <summary>
/// Decides how many connections of each job listen for changes, before any connection is opened. Listening connections are held for days,
/// so runs use only the remaining connections of the account and the host.
/// </summary>
/// <param name="Job">The job, limited to the remaining connections of its hosts.</param>
/// <param name="Listeners">The connections to the source for listening; 0 if none can be spared or the store uses none.</param>
public sealed record WatchPlan(JobDefinition Job, int Listeners)
{
    /// <summary>Plans the jobs in their order. If there are not enough connections for all, the first jobs get them.</summary>
    public static ImmutableArray<WatchPlan> Of(IReadOnlyList<JobDefinition> jobs)
    {
        var taken = new Dictionary<string, int>(StringComparer.Ordinal);
        var listeners = jobs.Select(Spare).ToList();
        return [.. jobs.Select((job, i) => new WatchPlan(job with { Source = Left(job.Source), Target = Left(job.Target) }, listeners[i]))];

        int Spare(JobDefinition job)
        {
            var own = Math.Min(job.Watch.Folders.IsEmpty ? 1 : int.MaxValue, job.Source.MostConnections - 1);
            if (Limit(job.Source) is { } limit)
            {
                var used = taken.GetValueOrDefault(limit.Host);
                own = Math.Min(own, limit.Connections!.Value - used - Needed(limit.Host));
                taken[limit.Host] = used + Math.Max(0, own);
            }

            return Math.Max(0, own);
        }

        // A job between two accounts of one host needs two of its connections at once.
        int Needed(string host) => jobs.Max(j => (Limit(j.Source)?.Host == host ? 1 : 0) + (Limit(j.Target)?.Host == host ? 1 : 0));

        Endpoint Left(Endpoint endpoint) => Limit(endpoint) is { } limit && taken.GetValueOrDefault(limit.Host) is > 0 and var used
            ? (ServerEndpoint)endpoint with { HostLimits = limit with { Connections = limit.Connections - used } }
            : endpoint;
    }

    private static HostLimits? Limit(Endpoint endpoint) => (endpoint as ServerEndpoint)?.HostLimits is { Connections: not null } limit ? limit : null;
}
