using System.Data.Common;

namespace Imapsync.Fleet.Listing;

public sealed partial class FleetStore
{
    /// <summary>How many events of an account are kept.</summary>
    private const int EventsKept = 100;

    /// <summary>Records that a worker is alive, and adds it to the list of workers if it is not there.</summary>
    /// <param name="isDraining">Whether the worker accepts no more accounts.</param>
    public Task SeenAsync(string worker, int slots, string version, bool isDraining, CancellationToken cancellationToken) =>
        WriteAsync((connection, transaction) => connection.ExecuteAsync(
            transaction,
            $"""
            insert into worker (id, slots, version, draining, seen) values (@id, @slots, @version, @draining, {medium.Now})
            on conflict (id) do update set slots = excluded.slots, version = excluded.version, draining = excluded.draining, seen = excluded.seen
            """,
            cancellationToken,
            ("id", worker), ("slots", slots), ("version", version), ("draining", isDraining)), cancellationToken);

    /// <summary>Removes a worker that has ended.</summary>
    public Task GoneAsync(string worker, CancellationToken cancellationToken) =>
        WriteAsync((connection, transaction) => connection.ExecuteAsync(transaction, "delete from worker where id = @id", cancellationToken, ("id", worker)), cancellationToken);

    /// <summary>
    /// Begins an attempt. Null if the attempt no longer holds the account's lease, or if another worker has begun it. Then the worker must
    /// leave the account alone.
    /// </summary>
    public Task<StartedAccount?> StartAsync(long account, long attempt, string worker, CancellationToken cancellationToken) =>
        WriteAsync(async (connection, transaction) =>
        {
            // This locks the lease. So if two workers begin the same attempt, the second one sees below what the first has written.
            var isHeld = await connection.ExecuteAsync(
                transaction, $"update lease set until = until where account = @account and attempt = @attempt and until > {medium.Now}", cancellationToken, ("account", account), ("attempt", attempt));
            if (isHeld == 0)
                return null;
            // The "case" keeps PostgreSQL from using the index of running accounts. PostgreSQL expects this index to be small, and would
            // read all of it for each account.
            var started = await connection.QueryAsync(
                transaction,
                $"""
                update account set status = 2, began = {medium.Now} where id = @account and attempt = @attempt
                  and case status when 1 then true when 2 then exists (select 1 from lease where lease.account = @account and lease.worker = @worker) else false end
                returning batch, name, (select job from batch where batch.id = account.batch), cells, source_claim, target_claim, failures, wanted,
                  (select batch.name from batch where batch.id = account.batch)
                """,
                r => new StartedAccount(account, attempt, r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetString(3), r.Int(4), r.Int(5), r.Int(6), (Wanted)r.Int(7)) { BatchName = r.GetString(8) },
                cancellationToken, ("account", account), ("attempt", attempt), ("worker", worker));
            if (started.Count == 0)
                return null;
            await connection.ExecuteAsync(
                transaction, $"update lease set until = {medium.Now} + @lease, worker = @worker where account = @account", cancellationToken, ("lease", (long)times.Lease.TotalMilliseconds), ("worker", worker), ("account", account));
            await NoteAsync(connection, transaction, [(account, $"begun by worker {worker}, attempt {attempt}")], await NowAsync(connection, transaction, cancellationToken), cancellationToken);
            return started[0];
        }, cancellationToken);

    /// <summary>Renews the leases of all accounts that a worker is running.</summary>
    /// <returns>
    /// The accounts that the worker still has, each with the users' request (run, pause or cancel). Missing accounts are no longer this
    /// worker's.
    /// </returns>
    public Task<IReadOnlyDictionary<long, Wanted>> RenewAsync(string worker, IReadOnlyCollection<AccountProgress> atWork, CancellationToken cancellationToken) =>
        WriteAsync<IReadOnlyDictionary<long, Wanted>>(async (connection, transaction) =>
        {
            var rows = Json(atWork);
            var before = await ReadPaceAsync(connection, transaction, worker, [.. atWork.Select(p => p.Account)], cancellationToken);
            var held = await connection.QueryAsync(
                transaction,
                $"""
                update lease set until = {medium.Now} + @lease, planned = x.planned, copied = x.copied, bytes = x.bytes, folder = x.folder
                from {medium.Rows("@rows", "account", "attempt", "planned", "copied", "bytes", "folder$")}
                where lease.account = x.account and lease.attempt = x.attempt and lease.worker = @worker and lease.until > {medium.Now}
                returning lease.account
                """,
                r => r.GetInt64(0), cancellationToken, ("lease", (long)times.Lease.TotalMilliseconds), ("worker", worker), ("rows", rows));
            var wanted = await connection.QueryAsync(
                transaction, $"select id, wanted from account where {medium.IsAmong("id", "@ids")}", r => (r.GetInt64(0), (Wanted)r.Int(1)), cancellationToken, ("ids", Json(held)));
            var now = await NowAsync(connection, transaction, cancellationToken);
            var still = atWork.Where(p => held.Contains(p.Account)).ToList();
            await WriteLinesAsync(connection, transaction, [.. still.Select(p => (p.Account, p.Attempt, p.Lines ?? []))], now, cancellationToken);
            await AddSampleAsync(connection, transaction, worker, [.. still.Select(p => new Pace(p.Copied, p.Bytes).Since(before.GetValueOrDefault(p.Account)))], now, cancellationToken);
            return wanted.ToDictionary();
        }, cancellationToken);

    /// <summary>Stores how an attempt ended, and releases the account.</summary>
    /// <returns>False if the attempt or the worker no longer holds the account's lease; then nothing was stored.</returns>
    public Task<bool> FinishAsync(string worker, AttemptEnd end, CancellationToken cancellationToken) =>
        WriteAsync(async (connection, transaction) =>
        {
            var before = await ReadPaceAsync(connection, transaction, worker, [end.Account], cancellationToken);
            var held = await connection.ExecuteAsync(
                transaction,
                $"delete from lease where account = @account and attempt = @attempt and worker = @worker and until > {medium.Now}",
                cancellationToken, ("account", end.Account), ("attempt", end.Attempt), ("worker", worker));
            if (held == 0)
                return false;
            var now = await NowAsync(connection, transaction, cancellationToken);
            // If a user paused or cancelled the account during the attempt, do that now instead of making the account due again.
            await connection.ExecuteAsync(
                transaction,
                """
                update account set status = case when @status = 0 and wanted = 1 then 3 when @status = 0 and wanted = 2 then 7 else @status end, wanted = 0,
                  due_at = @due, failures = @failures, planned = @planned, copied = copied + @copied, bytes = bytes + @bytes, problems = @problems, ended = @now, problem = @problem
                where id = @account and attempt = @attempt
                """,
                cancellationToken,
                ("status", end.Status), ("due", now + end.DelayMilliseconds), ("failures", end.Failures), ("planned", end.Planned), ("copied", end.Copied), ("bytes", end.Bytes),
                ("problems", end.Problems), ("now", now), ("problem", end.Status is AccountStatus.Done ? null : Shorten(end.Text)), ("account", end.Account), ("attempt", end.Attempt));
            if (end.Report is not null)
                await connection.ExecuteAsync(transaction, "insert into report (account, body) values (@account, @body) on conflict (account) do update set body = excluded.body", cancellationToken, ("account", end.Account), ("body", end.Report));
            await WriteLinesAsync(connection, transaction, [(end.Account, end.Attempt, end.Lines ?? [])], now, cancellationToken);
            await CutLogAsync(connection, transaction, end.Account, cancellationToken);
            await AddSampleAsync(connection, transaction, worker, [new Pace(end.Copied, end.Bytes).Since(before.GetValueOrDefault(end.Account))], now, cancellationToken);
            await NoteAsync(connection, transaction, [(end.Account, end.Text)], now, cancellationToken);
            await CutEventsAsync(connection, transaction, end.Account, cancellationToken);
            return true;
        }, cancellationToken);

    private static Task CutEventsAsync(DbConnection connection, DbTransaction transaction, long account, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            transaction, "delete from event where account = @account and id <= (select max(id) from (select id from event where account = @account order by id desc limit 1000 offset @kept) as old)",
            cancellationToken, ("account", account), ("kept", EventsKept));

    private static string Shorten(string text) => text.Length <= LongestText ? text : text[..LongestText] + "…";
}
