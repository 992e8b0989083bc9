using System.Data.Common;

namespace Imapsync.Fleet.Listing;

public sealed partial class FleetStore
{
    private const int RowsAtOnce = 2000;

    /// <summary>
    /// Puts a list in, or corrects the one of that name: accounts that are there already keep how they stand and get their row anew,
    /// those that it no longer names stay. A row whose account a worker has is not replaced, and a list that is paused stays so. All of it or nothing.
    /// </summary>
    public Task<Submitted> SubmitAsync(NewBatch batch, IReadOnlyCollection<NewAccount> accounts, CancellationToken cancellationToken) =>
        WriteAsync(async (connection, transaction) =>
        {
            // The feeder's lock comes first, so that no feeder gives out an account by a plan that is older than its new row.
            await medium.LockAsync(connection, transaction, FleetLock.Feeder, cancellationToken);
            await medium.LockAsync(connection, transaction, FleetLock.Submitting, cancellationToken);
            var (id, isPaused) = (await connection.QueryAsync(
                transaction,
                $"""
                insert into batch (name, job, priority, schedule, zone, next_run, paused, created)
                values (@name, @job, @priority, @schedule, @zone, @next, @paused, {medium.Now})
                on conflict (name) do update set job = excluded.job, priority = excluded.priority, schedule = excluded.schedule, zone = excluded.zone,
                  next_run = excluded.next_run
                returning id, paused
                """,
                r => (r.GetInt64(0), r.Int(1) != 0), cancellationToken,
                ("name", batch.Name), ("job", batch.Job), ("priority", batch.Priority), ("schedule", batch.Schedule), ("zone", batch.Zone), ("next", batch.NextRun), ("paused", batch.IsPaused)))[0];
            var routes = await AddRoutesAsync(connection, transaction, batch, accounts, cancellationToken);
            var stored = 0;
            foreach (var part in accounts.Chunk(RowsAtOnce))
            {
                var rows = Json(part.Select(a => new
                {
                    a.Name,
                    Route = routes[(a.SourceHost, a.TargetHost)],
                    a.Mailbox,
                    a.Source,
                    a.Target,
                    Search = $"{a.Name} {a.Source} {a.Target}".ToLowerInvariant(),
                    a.SourceClaim,
                    a.TargetClaim,
                    a.Cells,
                }));
                // SQLite parses "on conflict" after a select as a join's "on" unless the select has a where clause.
                stored += await connection.ExecuteAsync(
                    transaction,
                    $"""
                    insert into account (batch, name, route, mailbox, source, target, search, source_claim, target_claim, cells, priority, status, due_at)
                    select @batch, x.name, x.route, x.mailbox, x.source, x.target, x.search, x.source_claim, x.target_claim, x.cells, @priority, @status, {medium.Now}
                    from {medium.Rows("@rows", "name$", "route", "mailbox$", "source$", "target$", "search$", "source_claim", "target_claim", "cells$")} where true
                    on conflict (batch, name) do update set route = excluded.route, mailbox = excluded.mailbox, source = excluded.source, target = excluded.target,
                      search = excluded.search, source_claim = excluded.source_claim, target_claim = excluded.target_claim, cells = excluded.cells, priority = excluded.priority
                    where account.status not in (1, 2)
                    """,
                    cancellationToken,
                    ("batch", id), ("priority", batch.Priority), ("status", batch.IsPaused || isPaused ? AccountStatus.Paused : AccountStatus.Due), ("rows", rows));
            }

            if (accounts.Count > RowsAtOnce)
                await connection.ExecuteAsync(transaction, "analyze account", cancellationToken);
            return new Submitted(id, accounts.Count - stored);
        }, cancellationToken);

    private async Task<Dictionary<(string, string), long>> AddRoutesAsync(
        DbConnection connection, DbTransaction transaction, NewBatch batch, IEnumerable<NewAccount> accounts, CancellationToken cancellationToken)
    {
        var pairs = accounts.Select(a => (a.SourceHost, a.TargetHost)).ToHashSet();
        var hosts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var host in pairs.SelectMany(p => new[] { p.SourceHost, p.TargetHost }).Union(batch.HostConnections.Keys).Order(StringComparer.Ordinal))
        {
            hosts[host] = await connection.NumberAsync(
                transaction,
                "insert into host (name, connections) values (@name, @connections) on conflict (name) do update set connections = coalesce(excluded.connections, host.connections) returning id",
                cancellationToken,
                ("name", host), ("connections", batch.HostConnections.TryGetValue(host, out var most) ? (long)most : null));
        }

        var routes = new Dictionary<(string, string), long>();
        foreach (var (source, target) in pairs)
        {
            routes[(source, target)] = await connection.NumberAsync(
                transaction,
                "insert into route (source, target) values (@source, @target) on conflict (source, target) do update set source = excluded.source returning id",
                cancellationToken,
                ("source", hosts[source]), ("target", hosts[target]));
        }

        return routes;
    }
}
