using System.Data.Common;

namespace Imapsync.Fleet.Listing;

/// <summary>What is kept for people to read: the last lines of an account's log, and how much was copied in each minute.</summary>
public sealed partial class FleetStore
{
    /// <summary>How many lines are kept of an account's log.</summary>
    public const int LinesKept = 200;

    /// <summary>The most UTF-16 units of a line, an event or a problem; what is longer is cut.</summary>
    private const int LongestText = 500;

    /// <summary>A log is shortened whenever an attempt added so many lines, and when it ends.</summary>
    private const int LinesBetweenCuts = 50;

    private const long Minute = 60_000;

    /// <summary>How long samples of the throughput are kept.</summary>
    public static readonly TimeSpan SamplesKept = TimeSpan.FromDays(2);

    /// <summary>Returns the last lines of an account's log, the newest first.</summary>
    public Task<List<LogLine>> ReadLogAsync(long account, CancellationToken cancellationToken) => ReadAsync(
        "select attempt, at, words from log where account = @id order by attempt desc, number desc limit @limit",
        r => new LogLine(r.GetInt64(0), r.GetInt64(1), r.GetString(2)), cancellationToken, ("id", account), ("limit", LinesKept));

    /// <summary>Returns for each account that has a log a text that changes whenever a line is added.</summary>
    public async Task<IReadOnlyDictionary<long, string>> ReadLogEndsAsync(IEnumerable<long> accounts, CancellationToken cancellationToken) =>
        (await ReadAsync(
            $"select account, attempt, max(number) from log where {medium.IsAmong("account", "@ids")} group by account, attempt order by account, attempt",
            r => (Account: r.GetInt64(0), Text: FormattableString.Invariant($"{r.GetInt64(1)}.{r.GetInt64(2)}")), cancellationToken, ("ids", Json(accounts))))
        .GroupBy(l => l.Account).ToDictionary(g => g.Key, g => g.Last().Text);

    /// <summary>Returns what was copied in stretches of time up to now, the oldest first. The last is not over yet; those in which nothing was copied are there, too.</summary>
    /// <param name="minutes">The length of a stretch in minutes.</param>
    public async Task<IReadOnlyList<ThroughputSample>> ReadThroughputAsync(int minutes, int stretches, CancellationToken cancellationToken)
    {
        var length = minutes * Minute;
        var end = ((await ReadAsync($"select {medium.Now}", r => r.GetInt64(0), cancellationToken))[0] / length * length) + length;
        var begin = end - (stretches * length);
        var sums = (await ReadAsync(
            "select minute / @length, sum(messages), sum(octets) from sample where minute >= @begin and minute < @end group by minute / @length",
            r => (At: r.GetInt64(0) * length, Messages: ToLong(r, 1), Octets: ToLong(r, 2)), cancellationToken, ("length", length), ("begin", begin), ("end", end))).ToDictionary(s => s.At);
        return [.. Enumerable.Range(0, stretches).Select(i => begin + (i * length)).Select(at => sums.TryGetValue(at, out var s) ? new ThroughputSample(at, s.Messages, s.Octets) : new ThroughputSample(at, 0, 0))];
    }

    /// <summary>Writes lines of attempts whose leases this transaction holds.</summary>
    private async Task WriteLinesAsync(
        DbConnection connection, DbTransaction transaction, IReadOnlyList<(long Account, long Attempt, IReadOnlyList<AttemptLine> Lines)> logs, long now, CancellationToken cancellationToken)
    {
        var rows = logs.SelectMany(l => l.Lines.Select(line => new
        {
            l.Account,
            l.Attempt,
            line.Number,
            At = now - line.AgeMilliseconds,
            Words = Shorten(line.Words),
        })).ToList();
        if (rows.Count == 0)
            return;
        // SQLite parses "on conflict" after a select as a join's "on" unless the select has a where clause.
        await connection.ExecuteAsync(
            transaction,
            $"""
            insert into log (account, attempt, number, at, words) select x.account, x.attempt, x.number, x.at, x.words
            from {medium.Rows("@rows", "account", "attempt", "number", "at", "words$")} where true on conflict do nothing
            """,
            cancellationToken, ("rows", Json(rows)));
        foreach (var (account, _, _) in logs.Where(l => l.Lines is [var first, ..] && (first.Number - 1) / LinesBetweenCuts != l.Lines[^1].Number / LinesBetweenCuts))
            await CutLogAsync(connection, transaction, account, cancellationToken);
    }

    private static Task CutLogAsync(DbConnection connection, DbTransaction transaction, long account, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            transaction,
            "delete from log where account = @account and (attempt, number) <= (select attempt, number from log where account = @account order by attempt desc, number desc limit 1 offset @kept)",
            cancellationToken, ("account", account), ("kept", LinesKept));

    /// <summary>Returns what a worker told before of its accounts. Until the transaction ends nobody takes their leases away.</summary>
    private async Task<Dictionary<long, Pace>> ReadPaceAsync(DbConnection connection, DbTransaction transaction, string worker, IReadOnlyCollection<long> accounts, CancellationToken cancellationToken) =>
        (await connection.QueryAsync(
            transaction, $"select l.account, l.copied, l.bytes from lease l where l.worker = @worker and {medium.IsAmong("l.account", "@ids")}{medium.KeepLease}",
            r => (Account: r.GetInt64(0), Pace: new Pace(r.GetInt64(1), r.GetInt64(2))), cancellationToken, ("worker", worker), ("ids", Json(accounts)))).ToDictionary(p => p.Account, p => p.Pace);

    private static async Task AddSampleAsync(DbConnection connection, DbTransaction transaction, string worker, IReadOnlyList<Pace> paces, long now, CancellationToken cancellationToken)
    {
        var (messages, octets) = (paces.Sum(p => p.Messages), paces.Sum(p => p.Octets));
        if (messages == 0 && octets == 0)
            return;
        // A row for each worker, so that none waits for another here.
        await connection.ExecuteAsync(
            transaction,
            """
            insert into sample (minute, worker, messages, octets) values (@minute, @worker, @messages, @octets)
            on conflict (minute, worker) do update set messages = sample.messages + excluded.messages, octets = sample.octets + excluded.octets
            """,
            cancellationToken, ("minute", now / Minute * Minute), ("worker", worker), ("messages", messages), ("octets", octets));
    }

    /// <summary>How much an attempt has copied.</summary>
    private readonly record struct Pace(long Messages, long Octets)
    {
        /// <summary>Returns what was copied since; never below 0, also where an attempt ends with less than it told before.</summary>
        public Pace Since(Pace before) => new(Math.Max(0, Messages - before.Messages), Math.Max(0, Octets - before.Octets));
    }
}
