using System.Data.Common;

namespace Imapsync.Fleet.Listing;

/// <summary>The records that people read: the last lines of an account's log, and how much was copied in each minute.</summary>
public sealed partial class FleetStore
{
    /// <summary>How many lines of an account's log are kept.</summary>
    public const int LinesKept = 200;

    /// <summary>The most UTF-16 code units of a line, an event or a problem; a longer text is truncated.</summary>
    private const int LongestText = 500;

    /// <summary>A log is shortened whenever an attempt has added this many lines, and when the attempt ends.</summary>
    private const int LinesBetweenCuts = 50;

    private const long Minute = 60_000;

    /// <summary>How long samples of the throughput are kept.</summary>
    public static readonly TimeSpan SamplesKept = TimeSpan.FromDays(2);

    /// <summary>Returns the last lines of an account's log, the newest first.</summary>
    public Task<List<LogLine>> ReadLogAsync(long account, CancellationToken cancellationToken) => ReadAsync(
        "select attempt, at, words from log where account = @id order by attempt desc, number desc limit @limit",
        r => new LogLine(r.GetInt64(0), r.GetInt64(1), r.GetString(2)), cancellationToken, ("id", account), ("limit", LinesKept));

    /// <summary>Returns a text for each account that has a log. The text changes whenever a line is added to the log.</summary>
    public async Task<IReadOnlyDictionary<long, string>> ReadLogEndsAsync(IEnumerable<long> accounts, CancellationToken cancellationToken) =>
        (await ReadAsync(
            $"select account, attempt, max(number) from log where {medium.IsAmong("account", "@ids")} group by account, attempt order by account, attempt",
            r => (Account: r.GetInt64(0), Text: FormattableString.Invariant($"{r.GetInt64(1)}.{r.GetInt64(2)}")), cancellationToken, ("ids", Json(accounts))))
        .GroupBy(l => l.Account).ToDictionary(g => g.Key, g => g.Last().Text);

    /// <summary>
    /// Returns how much was copied in each of the latest intervals, oldest first. Intervals in which nothing was copied are included. The
    /// last interval is not over yet.
    /// </summary>
    /// <param name="minutes">The length of an interval in minutes.</param>
    /// <param name="stretches">The number of intervals.</param>
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

    /// <summary>Stores log lines of attempts whose leases this transaction holds.</summary>
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

    /// <summary>
    /// Returns what a worker last reported about its accounts. Until the transaction ends, their leases can't be taken away.
    /// </summary>
    private async Task<Dictionary<long, Pace>> ReadPaceAsync(DbConnection connection, DbTransaction transaction, string worker, IReadOnlyCollection<long> accounts, CancellationToken cancellationToken) =>
        (await connection.QueryAsync(
            transaction, $"select l.account, l.copied, l.bytes from lease l where l.worker = @worker and {medium.IsAmong("l.account", "@ids")}{medium.KeepLease}",
            r => (Account: r.GetInt64(0), Pace: new Pace(r.GetInt64(1), r.GetInt64(2))), cancellationToken, ("worker", worker), ("ids", Json(accounts)))).ToDictionary(p => p.Account, p => p.Pace);

    private static async Task AddSampleAsync(DbConnection connection, DbTransaction transaction, string worker, IReadOnlyList<Pace> paces, long now, CancellationToken cancellationToken)
    {
        var (messages, octets) = (paces.Sum(p => p.Messages), paces.Sum(p => p.Octets));
        if (messages == 0 && octets == 0)
            return;
        // Each worker has a row of its own, so that workers do not wait for one another here.
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
        /// <summary>
        /// Returns how much was copied since an earlier report. Never below 0, although an attempt may end with less than it had reported.
        /// </summary>
        public Pace Since(Pace before) => new(Math.Max(0, Messages - before.Messages), Math.Max(0, Octets - before.Octets));
    }
}
