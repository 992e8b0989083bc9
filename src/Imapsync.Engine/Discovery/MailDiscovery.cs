using System.Collections.Immutable;
using System.Net;
using Imapsync.Engine.Providers;

namespace Imapsync.Engine.Discovery;

/// <summary>The services that discovery uses. Tests replace them with their own servers.</summary>
public sealed record DiscoveryOptions
{
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The DNS server to query; null for the system's.</summary>
    public IPEndPoint? NameServer { get; init; }

    /// <summary>The handler for HTTP requests; null for the default HTTP client.</summary>
    public HttpMessageHandler? Web { get; init; }

    /// <summary>The check of servers and certificates; null for real connections and the system's certificate authorities.</summary>
    public ServerProof? Proof { get; init; }

    /// <summary>Chooses among servers of equal priority.</summary>
    public Random Random { get; init; } = Random.Shared;
}

/// <summary>
/// Finds the IMAP server of an address. It asks the provider table, SRV records (RFC 6186), the domain's autoconfig document and the MX
/// records, and tries common host names. A result outside the provider table counts only after TLS has shown a valid certificate.
/// </summary>
public sealed class MailDiscovery(DiscoveryOptions options)
{
    /// <summary>The most hosts that are connected to, since a hostile domain may name any number of them.</summary>
    private const int MaxProofs = 8;

    private static readonly bool[] SecureFirst = [false, true];

    private readonly ServerProof proof = options.Proof ?? new ServerProof(options.Time);

    /// <summary>Finds the server of a mail address.</summary>
    /// <param name="address">The address, for example <c>alice@example.com</c>.</param>
    /// <exception cref="OperationCanceledException"/>
    public async Task<DiscoveryOutcome> FindAsync(string address, CancellationToken cancellationToken)
    {
        if (HostNames.DomainOf(address) is not { } domain)
            return new DiscoveryOutcome(null, [$"'{address}' is no mail address"]);
        if (ProviderTable.OfDomain(domain) is { Host: not null } own)
            return new DiscoveryOutcome(Of(own, FoundBy.Table, address), [$"{domain} belongs to {own.Title}"]);
        if (!domain.Contains('.', StringComparison.Ordinal))
            return await ProveAsync([.. Usual(domain, address)], [], cancellationToken);
        return await AskAsync(domain, address, cancellationToken);
    }

    private async Task<DiscoveryOutcome> AskAsync(string domain, string address, CancellationToken cancellationToken)
    {
        using var web = options.Web is { } handler ? new HttpMessageInvoker(handler, disposeHandler: false) : Autoconfig.Web();
        var names = new ServiceRecords(options.NameServer);
        // All queries start at the same time; their results are evaluated in order of preference.
        var secure = names.AskServiceAsync($"_imaps._tcp.{domain}", usesStartTls: false, cancellationToken);
        var startTls = names.AskServiceAsync($"_imap._tcp.{domain}", usesStartTls: true, cancellationToken);
        var pop = names.AskServiceAsync($"_pop3s._tcp.{domain}", usesStartTls: false, cancellationToken);
        var exchangers = names.AskExchangersAsync(domain, cancellationToken);
        var autoconfig = new Autoconfig(web, options.Time);
        var documents = Task.WhenAll(Autoconfig.PlacesOf(domain).Select(p => autoconfig.AskAsync(p, address, cancellationToken)));
        await Task.WhenAll(secure, startTls, pop, exchangers, documents);

        var tried = new List<string>();
        var (imaps, imap, published) = (await secure, await startTls, (await documents).SelectMany(d => d).ToList());
        var records = ServiceRecords.Order(imaps.Records.Concat(imap.Records), options.Random);
        tried.Add(Told($"SRV records of {domain}", records.Select(r => r.Host)));
        tried.Add(Told($"autoconfig of {domain}", published.Select(s => s.Host)));
        var mx = await exchangers;
        var host = mx.Select(ProviderTable.OfExchanger).FirstOrDefault(p => p is not null);
        tried.Add(Told($"MX of {domain}", mx.Take(1)) + (host is null ? "" : $", which is {host.Title}"));
        if (imaps.IsDenied && imap.IsDenied && published.Count == 0)
        {
            var other = (await pop).Records;
            return new DiscoveryOutcome(null, [.. tried, $"{domain} says that it has no IMAP" + (other.IsEmpty ? "" : $", only POP3 ({other[0].Host}:{other[0].Port})")]);
        }

        List<FoundServer> candidates =
        [
            .. records.Select(r => new FoundServer(FoundBy.ServiceRecord, r.Host, r.Port, r.UsesStartTls, address)
            {
                IsVouchedFor = HostNames.IsWithin(r.Host, domain) || published.Exists(s => s.Host == r.Host),
            }),
            .. published,
            .. host is { Host: not null, IsSelfSigned: false } ? [Of(host, FoundBy.Exchanger, address)] : Array.Empty<FoundServer>(),
            .. Usual(domain, address),
        ];
        var outcome = await ProveAsync(candidates, tried, cancellationToken);
        // The provider's certificate is self-signed, so it can't be verified here. A person confirms its fingerprint before anything is
        // sent.
        if (outcome.Server is null && host is { IsSelfSigned: true })
            return outcome with { Server = Of(host, FoundBy.Exchanger, address) };
        return outcome.Server is null && (await pop).Records is [var first, ..]
            ? outcome with { Tried = outcome.Tried.Add($"{domain} names a POP3 server, {first.Host}:{first.Port}, and none for IMAP") }
            : outcome;
    }

    /// <summary>Returns the host names that mail servers of a domain commonly have.</summary>
    private static IEnumerable<FoundServer> Usual(string domain, string address) =>
        from host in domain.Contains('.', StringComparison.Ordinal) ? [$"imap.{domain}", $"mail.{domain}"] : new[] { domain }
        from usesStartTls in SecureFirst
        select new FoundServer(FoundBy.Guess, host, usesStartTls ? 143 : 993, usesStartTls, address) { IsVouchedFor = true };

    private static FoundServer Of(Provider provider, FoundBy by, string address) =>
        new(by, provider.Host!, provider.Port, provider.UsesStartTls, provider.UserOf(address)) { Provider = provider, IsVouchedFor = true };

    /// <summary>Returns the first candidate that shows a valid certificate.</summary>
    private async Task<DiscoveryOutcome> ProveAsync(IReadOnlyList<FoundServer> candidates, List<string> tried, CancellationToken cancellationToken)
    {
        // Servers named by a source are tried before guessed ones. Only a few are tried, so that failed attempts don't take long.
        var named = candidates.Where(c => c.By != FoundBy.Guess).DistinctBy(c => (c.Host, c.Port, c.UsesStartTls)).Take(MaxProofs);
        foreach (var group in new[] { named, candidates.Where(c => c.By == FoundBy.Guess) })
        {
            // The servers are tried in parallel, since one that does not answer would delay the rest. The results are evaluated in order.
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var proofs = group.Select(c => (Server: c, Why: proof.WhyNotAsync(c.Host, c.Port, c.UsesStartTls, enough.Token))).ToList();
            FoundServer? found = null;
            foreach (var (server, why) in proofs)
            {
                if (await why is not { } objection)
                {
                    found = server;
                    break;
                }

                tried.Add($"{server.Address}: {objection.Message}");
            }

            await enough.CancelAsync();
            await EndAsync(proofs.Select(p => p.Why));
            cancellationToken.ThrowIfCancellationRequested();
            if (found is not null)
                return new DiscoveryOutcome(WithProvider(found), [.. tried]);
        }

        return new DiscoveryOutcome(null, [.. tried]);
    }

    /// <summary>Waits until the cancelled attempts have ended, since the caller disposes of the objects they use.</summary>
    private static async Task EndAsync(IEnumerable<Task> proofs)
    {
        try
        {
            await Task.WhenAll(proofs);
        }
        catch (OperationCanceledException)
        {
            // The attempts were cancelled on purpose.
        }
    }

    /// <summary>If the server is a known provider's host, adds the provider, so that the properties in the provider table apply.</summary>
    private static FoundServer WithProvider(FoundServer server) =>
        server.Provider is null && ProviderTable.All.FirstOrDefault(p => (p.Host, p.Port, p.UsesStartTls) == (server.Host, server.Port, server.UsesStartTls)) is { } provider
            ? server with { Provider = provider, IsVouchedFor = true }
            : server;

    private static string Told(string what, IEnumerable<string> hosts) => hosts.Distinct().Take(MaxProofs).ToList() is { Count: > 0 } list ? $"{what}: {string.Join(", ", list)}" : $"{what}: none";
}
