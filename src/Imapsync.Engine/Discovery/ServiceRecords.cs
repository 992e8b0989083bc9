using System.Collections.Immutable;
using System.Net;
using DnsClient;
using DnsClient.Protocol;

namespace Imapsync.Engine.Discovery;

/// <summary>Where a service is, by its SRV record.</summary>
internal readonly record struct ServiceRecord(int Priority, int Weight, string Host, int Port, bool UsesStartTls);

/// <summary>What the domain's SRV records say of a service (RFC 6186).</summary>
/// <param name="IsDenied">The domain says that there is no such service: the target is the root (RFC 2782).</param>
internal readonly record struct ServiceAnswer(ImmutableArray<ServiceRecord> Records, bool IsDenied);

/// <summary>Asks the name service. An answer that makes no sense is none.</summary>
internal sealed class ServiceRecords
{
    /// <summary>No domain has more servers; the rest of a longer answer is not looked at.</summary>
    private const int MaxRecords = 20;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    // Made when it is first asked: a system without a readable list of name servers has no answers, and nothing worse.
    private readonly Lazy<LookupClient> client;

    /// <param name="nameServer">Null for the system's.</param>
    public ServiceRecords(IPEndPoint? nameServer) => client = new Lazy<LookupClient>(() =>
    {
        var options = nameServer is null ? new LookupClientOptions() : new LookupClientOptions(nameServer);
        options.Timeout = Timeout;
        options.Retries = 1;
        options.UseCache = false;
        options.ThrowDnsErrors = false;
        return new LookupClient(options);
    });

    /// <param name="name"><c>_imaps._tcp.example.com</c>.</param>
    public async Task<ServiceAnswer> AskServiceAsync(string name, bool usesStartTls, CancellationToken cancellationToken)
    {
        var answers = (await AskAsync(name, QueryType.SRV, cancellationToken)).OfType<SrvRecord>().ToList();
        var records = answers
            .Select(r => new ServiceRecord(r.Priority, r.Weight, HostNames.Clean(r.Target.Value), r.Port, usesStartTls))
            .Where(r => r.Port > 0 && HostNames.IsHost(r.Host));
        return new ServiceAnswer([.. records], answers.Count > 0 && answers.TrueForAll(r => r.Target.Value is "." or ""));
    }

    /// <summary>The hosts that take a domain's mail, the preferred first.</summary>
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
            // Whatever a reader of hostile octets throws: there is no answer, and discovery goes on without it.
            return [];
        }
    }

    /// <summary>
    /// The order to try them in (RFC 2782): by priority; among equals by chance, a greater weight the likelier. TLS from the first
    /// octet comes before STARTTLS at the same priority (RFC 8314 §3).
    /// </summary>
    public static IReadOnlyList<ServiceRecord> Order(IEnumerable<ServiceRecord> records, Random random)
    {
        var ordered = new List<ServiceRecord>();
        foreach (var equals in records.GroupBy(r => (r.Priority, r.UsesStartTls)).OrderBy(g => g.Key.Priority).ThenBy(g => g.Key.UsesStartTls))
        {
            // Those without a weight first, so that they have a chance at all.
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
