using System.Data.Common;

namespace Imapsync.Fleet.Listing;

public sealed partial class FleetStore
{
    private const int RowsAtOnce = 2000;

    /// <summary>
    /// Adds a list, or corrects the existing list of that name, in one transaction. Existing accounts keep their status and get their new
    /// row, but a running account keeps its old row. Accounts that are no longer named stay. A paused list stays paused.
    /// </summary>
    public Task<Submitted> SubmitAsync(NewBatch batch, IReadOnlyCollection<NewAccount> accounts, CancellationToken cancellationToken) =>
        WriteAsync(async (connection, transaction) =>
        {
            // Takes the feeder's lock first. Otherwise a feeder could give out an account by a plan that is older than the account's new
            // row.
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

    /// <summary>
    /// Removes a list with its accounts, their reports and the state of their jobs. Nothing is removed if a worker has one of the accounts.
    /// Job state that an account of another list also uses passes to that account. A long list takes several transactions. After an
    /// interruption, the remaining accounts are cancelled, and the list can be removed again.
    /// </summary>
    /// <returns>The number of accounts that workers still have; 0 if the list was removed, null if there is no such list.</returns>
    public async Task<int?> DeleteAsync(long batch, CancellationToken cancellationToken)
    {
        var atWork = await WriteAsync<int?>(async (connection, transaction) =>
        {
            await medium.LockAsync(connection, transaction, FleetLock.Feeder, cancellationToken);
            // From here on no account of the list is begun, not even by its schedule.
            if (await connection.ExecuteAsync(transaction, "update batch set paused = 1, schedule = null, next_run = null where id = @batch and not exists (select 1 from account where batch = @batch and status in (1, 2))", cancellationToken, ("batch", batch)) == 0)
                return await CountAtWorkAsync(connection, transaction);
            await connection.ExecuteAsync(transaction, "update account set status = 7 where batch = @batch and status in (0, 3)", cancellationToken, ("batch", batch));
            return 0;
        }, cancellationToken);
        for (var isLeft = true; atWork == 0 && isLeft;)
        {
            (isLeft, atWork) = await WriteAsync(async (connection, transaction) =>
            {
                await medium.LockAsync(connection, transaction, FleetLock.Feeder, cancellationToken);
                await medium.LockAsync(connection, transaction, FleetLock.Submitting, cancellationToken);
                var ids = await connection.QueryAsync(
                    transaction, "select id from account where batch = @batch and status not in (1, 2) order by id limit @rows", r => r.GetInt64(0), cancellationToken, ("batch", batch), ("rows", RowsAtOnce));
                if (ids.Count == 0)
                {
                    // If a user has restarted an account of the list during the removal, the list is kept.
                    var held = await CountAtWorkAsync(connection, transaction) ?? 0;
                    if (held == 0)
                        await connection.ExecuteAsync(transaction, "delete from batch where id = @batch", cancellationToken, ("batch", batch));
                    return (false, held);
                }

                await RemoveAsync(connection, transaction, Json(ids), cancellationToken);
                return (true, 0);
            }, cancellationToken);
        }

        return atWork;

        async Task<int?> CountAtWorkAsync(DbConnection connection, DbTransaction transaction)
        {
            if (await connection.NumberAsync(transaction, "select count(*) from batch where id = @batch", cancellationToken, ("batch", batch)) == 0)
                return null;
            return (int)await connection.NumberAsync(transaction, "select count(*) from account where batch = @batch and status in (1, 2)", cancellationToken, ("batch", batch));
        }
    }

    private async Task RemoveAsync(DbConnection connection, DbTransaction transaction, string ids, CancellationToken cancellationToken)
    {
        // An account of another list with the same name, source and target uses the same job state, so that account gets the state. Attempt
        // 0 means that no worker holds the state.
        const string heir = "select min(b.id) from account a join account b on b.name = a.name and b.source = a.source and b.mailbox = a.mailbox and b.batch <> a.batch where a.id = job_state.account";
        await connection.ExecuteAsync(
            transaction, $"update job_state set account = ({heir}), attempt = 0, hold = null, holder = '' where {medium.IsAmong("account", "@ids")} and ({heir}) is not null", cancellationToken, ("ids", ids));
        foreach (var (table, column) in new[] { ("event", "account"), ("report", "account"), ("account", "id") })
            await connection.ExecuteAsync(transaction, $"delete from {table} where {medium.IsAmong(column, "@ids")}", cancellationToken, ("ids", ids));
    }

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
