using System.Collections.Immutable;
using System.Net;
using Imapsync.Engine.Providers;

namespace Imapsync.Engine.Discovery;

/// <summary>What discovery asks with. Tests put servers of their own here.</summary>
public sealed record DiscoveryOptions
{
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Null for the system's name servers.</summary>
    public IPEndPoint? NameServer { get; init; }

    /// <summary>Null for a client of the usual kind.</summary>
    public HttpMessageHandler? Web { get; init; }

    /// <summary>Null for the network and the system's authorities.</summary>
    public ServerProof? Proof { get; init; }

    /// <summary>Decides among servers of equal priority.</summary>
    public Random Random { get; init; } = Random.Shared;
}

/// <summary>
/// Finds the IMAP server of an address: the table of providers, SRV records (RFC 6186), the domain's autoconfig document, the provider
/// that its mail is delivered to, the usual names. Everything but the table is a guess until TLS has shown a good certificate.
/// </summary>
public sealed class MailDiscovery(DiscoveryOptions options)
{
    /// <summary>A hostile domain may name many hosts; no more of them are connected to.</summary>
    private const int MaxProofs = 8;

    private static readonly bool[] SecureFirst = [false, true];

    private readonly ServerProof proof = options.Proof ?? new ServerProof(options.Time);

    /// <param name="address"><c>alice@example.com</c>.</param>
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
        // All are asked at once, and listened to in order.
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
        // No authority stands behind its certificate: a person pins it before anything is sent.
        if (outcome.Server is null && host is { IsSelfSigned: true })
            return outcome with { Server = Of(host, FoundBy.Exchanger, address) };
        return outcome.Server is null && (await pop).Records is [var first, ..]
            ? outcome with { Tried = outcome.Tried.Add($"{domain} names a POP3 server, {first.Host}:{first.Port}, and none for IMAP") }
            : outcome;
    }

    /// <summary>The names that hosts of a domain's mail usually have.</summary>
    private static IEnumerable<FoundServer> Usual(string domain, string address) =>
        from host in domain.Contains('.', StringComparison.Ordinal) ? [$"imap.{domain}", $"mail.{domain}"] : new[] { domain }
        from usesStartTls in SecureFirst
        select new FoundServer(FoundBy.Guess, host, usesStartTls ? 143 : 993, usesStartTls, address) { IsVouchedFor = true };

    private static FoundServer Of(Provider provider, FoundBy by, string address) =>
        new(by, provider.Host!, provider.Port, provider.UsesStartTls, provider.UserOf(address)) { Provider = provider, IsVouchedFor = true };

    /// <summary>The first one that shows a good certificate.</summary>
    private async Task<DiscoveryOutcome> ProveAsync(IReadOnlyList<FoundServer> candidates, List<string> tried, CancellationToken cancellationToken)
    {
        // What was named comes before what is only guessed, and is not tried in vain for long.
        var named = candidates.Where(c => c.By != FoundBy.Guess).DistinctBy(c => (c.Host, c.Port, c.UsesStartTls)).Take(MaxProofs);
        foreach (var group in new[] { named, candidates.Where(c => c.By == FoundBy.Guess) })
        {
            // One that lets nobody in would hold up all behind it: they are tried side by side, and taken in order.
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

    /// <summary>What is not needed any more was cancelled; it must have ended before its connections' owner goes on.</summary>
    private static async Task EndAsync(IEnumerable<Task> proofs)
    {
        try
        {
            await Task.WhenAll(proofs);
        }
        catch (OperationCanceledException)
        {
            // As asked for.
        }
    }

    /// <summary>A record may lead to the host of a provider that is known: what the table says of it holds then.</summary>
    private static FoundServer WithProvider(FoundServer server) =>
        server.Provider is null && ProviderTable.All.FirstOrDefault(p => (p.Host, p.Port, p.UsesStartTls) == (server.Host, server.Port, server.UsesStartTls)) is { } provider
            ? server with { Provider = provider, IsVouchedFor = true }
            : server;

    private static string Told(string what, IEnumerable<string> hosts) => hosts.Distinct().Take(MaxProofs).ToList() is { Count: > 0 } list ? $"{what}: {string.Join(", ", list)}" : $"{what}: none";
}
