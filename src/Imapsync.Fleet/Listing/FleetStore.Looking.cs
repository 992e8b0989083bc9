using System.Data.Common;
using System.Globalization;

namespace Imapsync.Fleet.Listing;

public sealed partial class FleetStore
{
    private const string AccountColumns = """
        a.id, a.batch, a.name, a.source, a.target, a.status, a.wanted, a.priority, a.due_at, a.attempt, coalesce(l.planned, a.planned),
        a.copied + coalesce(l.copied, 0), a.bytes + coalesce(l.bytes, 0), a.problems, a.began, a.ended, a.problem, l.worker, l.folder
        """;

    public async Task<IReadOnlyList<BatchView>> ReadBatchesAsync(CancellationToken cancellationToken)
    {
        await using var connection = await medium.OpenAsync(cancellationToken);
        var sums = await connection.QueryAsync(
            null,
            """
            select a.batch, a.status, count(*), sum(coalesce(l.planned, a.planned)), sum(a.copied + coalesce(l.copied, 0)), sum(a.bytes + coalesce(l.bytes, 0))
            from account a left join lease l on l.account = a.id group by a.batch, a.status
            """,
            r => (Batch: r.GetInt64(0), Status: (AccountStatus)r.Int(1), Count: r.GetInt64(2), Planned: ToLong(r, 3), Copied: ToLong(r, 4), Bytes: ToLong(r, 5)), cancellationToken);
        var byBatch = sums.ToLookup(s => s.Batch);
        return [.. (await ReadBatchNamesAsync(cancellationToken)).Select(b => b with
        {
            Counts = byBatch[b.Id].ToDictionary(s => s.Status, s => s.Count),
            Planned = byBatch[b.Id].Sum(s => s.Planned),
            Copied = byBatch[b.Id].Sum(s => s.Copied),
            Bytes = byBatch[b.Id].Sum(s => s.Bytes),
        })];
    }

    /// <summary>Returns the batches without their counts, because counting has to read every account.</summary>
    public Task<List<BatchView>> ReadBatchNamesAsync(CancellationToken cancellationToken) => ReadAsync(
        "select id, name, priority, schedule, zone, next_run, paused, created from batch order by id desc",
        r => new BatchView(r.GetInt64(0), r.GetString(1), r.Int(2), r.MaybeText(3), r.MaybeText(4), r.MaybeLong(5), r.GetInt64(6) != 0, r.GetInt64(7)) { Counts = new Dictionary<AccountStatus, long>() },
        cancellationToken);

    /// <summary>Returns a page of accounts, and the position after which the next page begins; null if this is the last page.</summary>
    public async Task<(IReadOnlyList<AccountView> Accounts, PageEnd? Next)> ReadAccountsAsync(AccountPage page, CancellationToken cancellationToken)
    {
        var (where, parameters) = Where(page.Filter);
        // The sort value is a whole number or a text, never null, so that all rows have a definite order.
        var (column, isText) = page.Sort switch
        {
            AccountSort.Name => ("a.name", true),
            AccountSort.Status => ("a.status", false),
            AccountSort.Ended => ("coalesce(a.ended, 0)", false),
            AccountSort.Copied => ("a.copied", false),
            AccountSort.Problems => ("a.problems", false),
            _ => ("a.id", false),
        };
        var (beyond, order) = page.IsDescending ? ("<", "desc") : (">", "asc");
        if (page.After is { } after)
        {
            where += $" and ({column}, a.id) {beyond} (@value, @id)";
            parameters.Add(("value", isText ? after.Value : long.Parse(after.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)));
            parameters.Add(("id", after.Id));
        }

        parameters.Add(("limit", page.Limit + 1));
        var rows = await ReadAsync(
            $"select {AccountColumns}, {column} from account a left join lease l on l.account = a.id where {where} order by {column} {order}, a.id {order} limit @limit",
            r => (Account: ReadAccount(r), Value: Convert.ToString(r.GetValue(19), CultureInfo.InvariantCulture)!), cancellationToken, [.. parameters]);
        PageEnd? next = rows.Count > page.Limit ? new PageEnd(rows[page.Limit - 1].Value, rows[page.Limit - 1].Account.Id) : null;
        return ([.. rows.Take(page.Limit).Select(r => r.Account)], next);
    }

    public async Task<long> CountAccountsAsync(AccountFilter filter, CancellationToken cancellationToken)
    {
        var (where, parameters) = Where(filter);
        return (await ReadAsync($"select count(*) from account a where {where}", r => r.GetInt64(0), cancellationToken, [.. parameters]))[0];
    }

    public async Task<AccountView?> ReadAccountAsync(long account, CancellationToken cancellationToken) =>
        (await ReadAsync($"select {AccountColumns} from account a left join lease l on l.account = a.id where a.id = @id", ReadAccount, cancellationToken, ("id", account))).SingleOrDefault();

    /// <summary>Returns the last report as JSON and the account's events, oldest first.</summary>
    public async Task<(string? Report, IReadOnlyList<AccountEvent> Events)> ReadStoryAsync(long account, CancellationToken cancellationToken)
    {
        var events = await ReadAsync("select at, words from event where account = @id order by id", r => new AccountEvent(r.GetInt64(0), r.GetString(1)), cancellationToken, ("id", account));
        var reports = await ReadAsync("select body from report where account = @id", r => r.GetString(0), cancellationToken, ("id", account));
        return (reports.SingleOrDefault(), events);
    }

    /// <summary>
    /// Returns a list's name, its job file and the rows of its accounts. File and rows are encrypted. Null if there is no such list.
    /// </summary>
    public async Task<(string Name, string Job, IReadOnlyList<string> Cells)?> ReadRowsAsync(long batch, CancellationToken cancellationToken)
    {
        var lists = await ReadAsync("select name, job from batch where id = @batch", r => (r.GetString(0), r.GetString(1)), cancellationToken, ("batch", batch));
        return lists is [var (name, job)] ? (name, job, await ReadAsync("select cells from account where batch = @batch order by id", r => r.GetString(0), cancellationToken, ("batch", batch))) : null;
    }

    public async Task<SealedRow?> ReadRowAsync(long account, CancellationToken cancellationToken) =>
        (await ReadAsync(
            "select b.name, a.name, b.job, a.cells from account a join batch b on b.id = a.batch where a.id = @id",
            r => new SealedRow(r.GetString(0), r.GetString(1), r.GetString(2), r.GetString(3)), cancellationToken, ("id", account))).SingleOrDefault();

    /// <summary>Returns the numbers of the accounts of the list with this name; empty where there is no such list.</summary>
    public async Task<IReadOnlyDictionary<string, long>> ReadNumbersAsync(string batch, CancellationToken cancellationToken) =>
        (await ReadAsync(
            "select a.name, a.id from account a join batch b on b.id = a.batch where b.name = @batch",
            r => (r.GetString(0), r.GetInt64(1)), cancellationToken, ("batch", batch))).ToDictionary(StringComparer.Ordinal);

    public async Task<List<WorkerView>> ReadWorkersAsync(CancellationToken cancellationToken)
    {
        var workers = await ReadWorkerNamesAsync(cancellationToken);
        var held = (await ReadAsync(
            "select l.worker, a.id, a.name, a.status, l.planned, l.copied, l.folder from lease l join account a on a.id = l.account order by a.id",
            r => (Worker: r.GetString(0), Account: new HeldAccount(r.GetInt64(1), r.GetString(2), (AccountStatus)r.Int(3), r.GetInt64(4), r.GetInt64(5), r.GetString(6))),
            cancellationToken)).ToLookup(h => h.Worker, h => h.Account);
        return [.. workers.Select(w => w with { Accounts = [.. held[w.Id]] })];
    }

    private Task<List<WorkerView>> ReadWorkerNamesAsync(CancellationToken cancellationToken) => ReadAsync(
        $"select w.id, w.slots, (select count(*) from lease l where l.worker = w.id), w.version, w.draining, w.seen, case when w.seen > {medium.Now} - @silence then 1 else 0 end from worker w order by w.id",
        r => new WorkerView(r.GetString(0), r.Int(1), r.Int(2), r.GetString(3), r.GetInt64(4) != 0, r.GetInt64(5), r.GetInt64(6) != 0), cancellationToken, ("silence", (long)times.Silence.TotalMilliseconds));

    public Task<List<HostView>> ReadHostsAsync(CancellationToken cancellationToken) => ReadAsync(
        """
        select h.name, h.connections,
          (select coalesce(sum(case when r.source = h.id then a.source_claim else 0 end + case when r.target = h.id then a.target_claim else 0 end), 0)
           from account a join route r on r.id = a.route where a.status in (1, 2) and (r.source = h.id or r.target = h.id))
        from host h where h.name <> '' order by h.name
        """,
        r => new HostView(r.GetString(0), (int?)r.MaybeLong(1), ToLong(r, 2)), cancellationToken);

    /// <summary>Reads one row, and throws if the database does not answer.</summary>
    public async Task PingAsync(CancellationToken cancellationToken) => await ReadAsync("select number from version", r => r.GetInt64(0), cancellationToken);

    private (string Text, List<(string Name, object? Value)> Parameters) Where(AccountFilter filter)
    {
        var parts = new List<string> { "true" };
        var parameters = new List<(string, object?)>();
        if (filter.Batch is { } batch)
        {
            parts.Add("a.batch = @batch");
            parameters.Add(("batch", batch));
        }

        if (filter.Statuses is { } statuses)
        {
            parts.Add(medium.IsAmong("a.status", "@statuses"));
            parameters.Add(("statuses", Json(statuses.Select(s => (long)s))));
        }

        if (filter.Ids is { } ids)
        {
            parts.Add(medium.IsAmong("a.id", "@ids"));
            parameters.Add(("ids", Json(ids)));
        }

        if (!string.IsNullOrEmpty(filter.Text))
        {
            parts.Add(@"a.search like @text escape '\'");
            var literal = filter.Text.ToLowerInvariant().Replace(@"\", @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal).Replace("_", @"\_", StringComparison.Ordinal);
            parameters.Add(("text", $"%{literal}%"));
        }

        return (string.Join(" and ", parts), parameters);
    }

    private static AccountView ReadAccount(DbDataReader r) => new(
        r.GetInt64(0), r.GetInt64(1), r.GetString(2), r.GetString(3), r.GetString(4), (AccountStatus)r.Int(5), (Wanted)r.Int(6), r.Int(7), r.GetInt64(8), r.GetInt64(9),
        r.GetInt64(10), r.GetInt64(11), r.GetInt64(12), r.GetInt64(13), r.MaybeLong(14), r.MaybeLong(15), r.MaybeText(16), r.MaybeText(17), r.MaybeText(18));
}
