using System.Collections.Immutable;
using System.Net;
using DnsClient;
using DnsClient.Protocol;

namespace Imapsync.Engine.Discovery;

/// <summary>The location of a service, from an SRV record.</summary>
internal readonly record struct ServiceRecord(int Priority, int Weight, string Host, int Port, bool UsesStartTls);

/// <summary>The SRV records of a domain for one service (RFC 6186).</summary>
/// <param name="IsDenied">Whether the domain states that it has no such service: the record's target is the root (RFC 2782).</param>
internal readonly record struct ServiceAnswer(ImmutableArray<ServiceRecord> Records, bool IsDenied);

/// <summary>Queries DNS for SRV and MX records. Invalid responses count as empty.</summary>
internal sealed class ServiceRecords
{
    /// <summary>The most records that are read of a response. No real domain has more servers.</summary>
    private const int MaxRecords = 20;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    // The client is created lazily, since creation fails on a system without a readable DNS configuration; AskAsync then returns no
    // records.
    private readonly Lazy<LookupClient> client;

    /// <param name="nameServer">The DNS server to query; null for the system's.</param>
    public ServiceRecords(IPEndPoint? nameServer) => client = new Lazy<LookupClient>(() =>
    {
        var options = nameServer is null ? new LookupClientOptions() : new LookupClientOptions(nameServer);
        options.Timeout = Timeout;
        options.Retries = 1;
        options.UseCache = false;
        options.ThrowDnsErrors = false;
        return new LookupClient(options);
    });

    /// <summary>Queries the SRV records of a service.</summary>
    /// <param name="name">The record's name, for example <c>_imaps._tcp.example.com</c>.</param>
    public async Task<ServiceAnswer> AskServiceAsync(string name, bool usesStartTls, CancellationToken cancellationToken)
    {
        var answers = (await AskAsync(name, QueryType.SRV, cancellationToken)).OfType<SrvRecord>().ToList();
        var records = answers
            .Select(r => new ServiceRecord(r.Priority, r.Weight, HostNames.Clean(r.Target.Value), r.Port, usesStartTls))
            .Where(r => r.Port > 0 && HostNames.IsHost(r.Host));
        return new ServiceAnswer([.. records], answers.Count > 0 && answers.TrueForAll(r => r.Target.Value is "." or ""));
    }

    /// <summary>Returns the hosts that receive a domain's mail, the preferred one first.</summary>
    public async Task<IReadOnlyList<string>> AskExchangersAsync(string domain, CancellationToken cancellationToken) =>
    [
        .. (await AskAsync(domain, QueryType.MX, cancellationToken)).OfType<MxRecord>()
            .OrderBy(r => r.Preference).Select(r => HostNames.Clean(r.Exchange.Value)).Where(HostNames.IsHost),
    ];

    private async Task<IEnumerable<DnsResourceRecord>> AskAsync(string name, QueryType type, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await client.Value.QueryAsync(name, type, cancellationToken: cancellationToken);
            return answer.HasError ? [] : answer.Answers.Take(MaxRecords);
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // The DNS library may throw any exception on hostile responses. Each counts as no records, and discovery continues.
            return [];
        }
    }

    /// <summary>
    /// Returns the records in the order to try them: first by priority (RFC 2782), then implicit TLS before STARTTLS (RFC 8314 §3), then at
    /// random, where a greater weight makes an earlier position more likely.
    /// </summary>
    public static IReadOnlyList<ServiceRecord> Order(IEnumerable<ServiceRecord> records, Random random)
    {
        var ordered = new List<ServiceRecord>();
        foreach (var equals in records.GroupBy(r => (r.Priority, r.UsesStartTls)).OrderBy(g => g.Key.Priority).ThenBy(g => g.Key.UsesStartTls))
        {
            // RFC 2782: records with weight 0 come first, so that they have a chance of being chosen at all.
            var left = equals.OrderBy(r => r.Weight).ToList();
            while (left.Count > 0)
            {
                var point = random.NextInt64(left.Sum(r => (long)r.Weight) + 1);
                var sum = 0L;
                var chosen = left.FindIndex(r => (sum += r.Weight) >= point);
                ordered.Add(left[chosen]);
                left.RemoveAt(chosen);
            }
        }

        return ordered;
    }
}
