using System.Globalization;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration;

/// <summary>Reads <c>hosts:</c> and assigns each endpoint the limits of its host.</summary>
internal sealed class HostsReader(JobReadContext reading)
{
    private const int MaxConnections = 10_000;

    /// <summary>The limits by <c>host</c> or <c>host:port</c>, in lower case.</summary>
    private readonly Dictionary<string, (HostLimits Limits, SettingNode Node)> hosts = new(StringComparer.Ordinal);
    private readonly HashSet<string> used = new(StringComparer.Ordinal);

    public void Read(SettingNode? section)
    {
        foreach (var node in section?.Children.Where(n => n.Kind == SettingKind.Mapping && !n.IsTakenAway()) ?? [])
        {
            var host = node.Key.ToLowerInvariant();
            var limits = new HostLimits(host)
            {
                Connections = Connections(node),
                MessagesPerSecond = new EndpointLimitsReader(reading, node).Rate(node, "messages_per_second"),
                BytesPerSecond = new EndpointLimitsReader(reading, node).Size(node, "bytes_per_second"),
            };
            if (!hosts.TryAdd(host, (limits, node)))
                reading.Error(node.KeyOrigin, $"the host '{host}' is given twice here", "remove one of them");
        }
    }

    public ReadJob Apply(ReadJob job)
    {
        if (hosts.Count == 0 || job.Definition is not { } definition)
            return job;
        definition = definition with { Source = Limited(definition.Source), Target = Limited(definition.Target) };
        if (definition.Source is ServerEndpoint { HostLimits: { Connections: 1 } limits } && limits == (definition.Target as ServerEndpoint)?.HostLimits)
            reading.Error(hosts[limits.Host].Node.Origin("connections"), $"a job between two accounts of {limits.Host} needs 2 connections", "write connections: 2 or more");
        return job with { Definition = definition };
    }

    /// <summary>
    /// Reports limits whose host no job uses. The host name is then probably misspelt, and the server that was meant would get no limit.
    /// </summary>
    public void RefuseUnused(IEnumerable<ReadJob> jobs)
    {
        if (hosts.Count == used.Count)
            return;
        List<string> there = [.. jobs.SelectMany(j => new[] { j.Definition?.Source, j.Definition?.Target }).OfType<ServerEndpoint>().Select(e => e.Host.ToLowerInvariant()).Distinct().Take(1000)];
        foreach (var (host, (_, node)) in hosts.Where(h => !used.Contains(h.Key)))
        {
            var nearest = EditDistance.Nearest(host, there);
            reading.Error(node.KeyOrigin, $"no job has an account at '{host}'", nearest is null ? "write the host as in the URLs, with its port where only that is meant" : $"did you mean '{nearest}'?");
        }
    }

    private Endpoint Limited(Endpoint endpoint)
    {
        if (endpoint is not ServerEndpoint server)
            return endpoint;
        foreach (var name in (string[])[server.Address.ToLowerInvariant(), server.Host.ToLowerInvariant()])
        {
            if (hosts.TryGetValue(name, out var found))
            {
                used.Add(name);
                return server with { HostLimits = found.Limits };
            }
        }

        return endpoint;
    }

    private int? Connections(SettingNode section)
    {
        if (section.Text("connections") is not { } text)
            return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 1 and <= MaxConnections)
            return count;
        reading.Error(section.Origin("connections"), $"'{text}' is no number of connections", $"write a number from 1 to {MaxConnections}");
        return null;
    }
}
