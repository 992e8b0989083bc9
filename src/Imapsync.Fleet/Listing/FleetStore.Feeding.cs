using System.Data.Common;
using Imapsync.Fleet.Feeding;

namespace Imapsync.Fleet.Listing;

public sealed partial class FleetStore
{
    /// <summary>The number of consecutive attempts without progress after which a person has to look at the account.</summary>
    internal const int MostFailures = 6;

    private static readonly string LostTooOften = FormattableString.Invariant($"attempts got nowhere {MostFailures} times in a row, at last because the worker was lost");

    /// <summary>
    /// (1) Takes back the accounts whose lease has expired. (2) Makes all accounts of a batch due at the batch's scheduled time. (3) Gives
    /// due accounts to workers with free slots, within each host's limit. The limits are exact, because all of this is one transaction
    /// under the feeder's lock.
    /// </summary>
    /// <param name="nextRun">
    /// Returns a schedule's next time from its cron expression, its time zone and the time now. Times are milliseconds since 1970; null for
    /// never. If it can't read the schedule and throws, the batch is left as it is.
    /// </param>
    public Task<IReadOnlyList<Offer>> FeedAsync(Func<string, string, long, long?> nextRun, CancellationToken cancellationToken) =>
        WriteAsync(async (connection, transaction) =>
        {
            await medium.LockAsync(connection, transaction, FleetLock.Feeder, cancellationToken);
            var now = await NowAsync(connection, transaction, cancellationToken);
            await TakeBackAsync(connection, transaction, now, cancellationToken);
            await BeginScheduledAsync(connection, transaction, now, nextRun, cancellationToken);
            var plan = await ReadPlanAsync(connection, transaction, now, cancellationToken);
            return plan is null ? [] : await OfferAsync(connection, transaction, plan.Choose(), now, cancellationToken);
        }, cancellationToken);

    private async Task TakeBackAsync(DbConnection connection, DbTransaction transaction, long now, CancellationToken cancellationToken)
    {
        // A worker that ends removes its own row. The row of a worker that was killed is removed here.
        await connection.ExecuteAsync(transaction, "delete from worker where seen < @since", cancellationToken, ("since", now - (long)times.Forgotten.TotalMilliseconds));
        await connection.ExecuteAsync(transaction, "delete from sample where minute < @since", cancellationToken, ("since", now - (long)SamplesKept.TotalMilliseconds));
        var lost = await connection.QueryAsync(
            transaction, "delete from lease where until <= @now returning account, worker, copied",
            r => (Account: r.GetInt64(0), Words: $"worker {r.GetString(1)} was lost; the account goes on from what was saved", HasCopied: r.GetInt64(2) > 0), cancellationToken, ("now", now));
        if (lost.Count == 0)
            return;
        // A lease expires if its worker has crashed, hangs or can't reach the database. If nothing was copied, the account may be the
        // cause, so its attempt counts as a failure. If something was copied, failures are counted from 0 again.
        await connection.ExecuteAsync(
            transaction, $"update account set failures = failures + 1 where status = 2 and {medium.IsAmong("id", "@ids")}", cancellationToken, ("ids", Json(lost.Where(l => !l.HasCopied).Select(l => l.Account))));
        await connection.ExecuteAsync(
            transaction, $"update account set failures = 0 where status = 2 and {medium.IsAmong("id", "@ids")}", cancellationToken, ("ids", Json(lost.Where(l => l.HasCopied).Select(l => l.Account))));
        await connection.ExecuteAsync(
            transaction,
            $"""
            update account set status = case when wanted = 2 then 7 when failures >= @most then 6 when wanted = 1 then 3 else 0 end, wanted = 0, due_at = 0,
              problem = case when failures >= @most then @problem else problem end, ended = case when failures >= @most then @now else ended end
            where status in (1, 2) and {medium.IsAmong("id", "@ids")}
            """,
            cancellationToken,
            ("most", MostFailures), ("problem", LostTooOften), ("now", now), ("ids", Json(lost.Select(l => l.Account))));
        await NoteAsync(connection, transaction, lost.Select(l => (l.Account, l.Words)), now, cancellationToken);
        foreach (var (account, _, _) in lost)
            await CutEventsAsync(connection, transaction, account, cancellationToken);
    }

    private static async Task BeginScheduledAsync(
        DbConnection connection, DbTransaction transaction, long now, Func<string, string, long, long?> nextRun, CancellationToken cancellationToken)
    {
        var batches = await connection.QueryAsync(
            transaction, "select id, schedule, zone from batch where schedule is not null and next_run <= @now and paused = 0",
            r => (Id: r.GetInt64(0), Schedule: r.GetString(1), Zone: r.GetString(2)), cancellationToken, ("now", now));
        foreach (var batch in batches)
        {
            long? next;
            try
            {
                next = nextRun(batch.Schedule, batch.Zone, now);
            }
            catch (Exception e) when (e is FormatException or ArgumentException or TimeZoneNotFoundException or InvalidTimeZoneException)
            {
                // This machine can't read the schedule, but another one may. So this batch waits, and the others go on.
                continue;
            }

            // An account whose previous scheduled run has not ended is not started a second time.
            await connection.ExecuteAsync(
                transaction, "update account set status = 0, due_at = @now, failures = 0 where batch = @batch and status in (4, 5, 6)", cancellationToken, ("now", now), ("batch", batch.Id));
            await connection.ExecuteAsync(
                transaction, "update batch set next_run = @next where id = @batch", cancellationToken, ("next", next), ("batch", batch.Id));
        }
    }

    /// <summary>Reads what is needed to choose the next accounts to run; null if no worker has a free slot.</summary>
    private async Task<FeedPlan?> ReadPlanAsync(DbConnection connection, DbTransaction transaction, long now, CancellationToken cancellationToken)
    {
        var workers = await connection.QueryAsync(
            transaction,
            "select w.id, w.slots - (select count(*) from lease l where l.worker = w.id) from worker w where w.draining = 0 and w.seen > @since",
            r => new WorkerRoom(r.GetString(0), r.Int(1)), cancellationToken, ("since", now - (long)times.Silence.TotalMilliseconds));
        var room = workers.Sum(w => Math.Max(0, w.Slots));
        if (room == 0)
            return null;
        var hosts = await connection.QueryAsync(
            transaction, "select id, connections from host", r => new HostRoom(r.GetInt64(0), r.MaybeLong(1) ?? long.MaxValue), cancellationToken);
        var held = await connection.QueryAsync(
            transaction,
            "select r.id, r.source, r.target, sum(a.source_claim), sum(a.target_claim), count(*) from account a join route r on r.id = a.route where a.status in (1, 2) group by r.id, r.source, r.target",
            r => new HeldRoute(r.GetInt64(0), r.GetInt64(1), r.GetInt64(2), ToLong(r, 3), ToLong(r, 4), ToLong(r, 5)), cancellationToken);
        var plan = new FeedPlan(workers, hosts, held);
        var routes = await connection.QueryAsync(
            transaction, "select r.id, r.source, r.target from route r where exists (select 1 from account a where a.route = r.id and a.status = 0 and a.due_at <= @now)",
            r => (Id: r.GetInt64(0), Source: r.GetInt64(1), Target: r.GetInt64(2)), cancellationToken, ("now", now));
        foreach (var route in routes.Where(r => plan.HasRoom(r.Source, r.Target)))
        {
            var waiting = await connection.QueryAsync(
                transaction,
                """
                select a.id, a.mailbox, a.priority, a.due_at, a.source_claim, a.target_claim from account a
                where a.route = @route and a.status = 0 and a.due_at <= @now
                  and not exists (select 1 from account b where b.mailbox = a.mailbox and b.status in (1, 2))
                order by a.priority desc, a.due_at, a.id limit @room
                """,
                r => new WaitingAccount(r.GetInt64(0), r.GetString(1), r.GetInt64(2), r.GetInt64(3), r.GetInt64(4), r.GetInt64(5)),
                cancellationToken, ("route", route.Id), ("now", now), ("room", room));
            plan.Add(route.Id, route.Source, route.Target, waiting);
        }

        return plan;
    }

    private async Task<IReadOnlyList<Offer>> OfferAsync(DbConnection connection, DbTransaction transaction, IReadOnlyList<Choice> choices, long now, CancellationToken cancellationToken)
    {
        if (choices.Count == 0)
            return [];
        var workers = choices.ToDictionary(c => c.Account, c => c.Worker);
        // An account may open as many connections as are reserved for it: the number in its row, or the host's limit if that is lower.
        var offers = await connection.QueryAsync(
            transaction,
            $"""
            update account set status = 1, wanted = 0, attempt = attempt + 1, source_claim = x.source_claim, target_claim = x.target_claim
            from {medium.Rows("@rows", "account", "source_claim", "target_claim")} where account.id = x.account and account.status = 0 returning account.id, account.attempt
            """,
            r => new Offer(r.GetInt64(0), r.GetInt64(1), workers[r.GetInt64(0)]), cancellationToken, ("rows", Json(choices)));
        await connection.ExecuteAsync(
            transaction,
            $"insert into lease (account, attempt, worker, until) select x.account, x.attempt, x.worker, @until from {medium.Rows("@rows", "account", "attempt", "worker$")}",
            cancellationToken,
            ("rows", Json(offers)), ("until", now + (long)times.Ready.TotalMilliseconds));
        return offers;
    }

    private async Task NoteAsync(DbConnection connection, DbTransaction transaction, IEnumerable<(long Account, string Words)> notes, long now, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(
            transaction,
            $"insert into event (account, at, words) select x.account, @now, x.words from {medium.Rows("@rows", "account", "words$")}",
            cancellationToken,
            ("rows", Json(notes.Select(n => new { n.Account, Words = Shorten(n.Words) }))), ("now", now));

    /// <summary>PostgreSQL sums bigints to a numeric, so the value is converted.</summary>
    private static long ToLong(DbDataReader reader, int column) => Convert.ToInt64(reader.GetValue(column), System.Globalization.CultureInfo.InvariantCulture);
}
