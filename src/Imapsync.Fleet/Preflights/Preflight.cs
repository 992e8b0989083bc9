using System.Collections.Concurrent;
using Imapsync.Engine.Checking;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Preflight;
using Imapsync.Engine.Running;
using Imapsync.Fleet.Submitting;

namespace Imapsync.Fleet.Preflights;

/// <summary>
/// One check of a list of accounts. It signs in at each row's source and target, as a run does. Passwords stay in this process's memory
/// only, until the last row is checked.
/// </summary>
internal sealed class Preflight(string id, PreflightRequest request, HostGate gate, TimeProvider time, ILogger log) : IDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentDictionary<string, string> texts = new(StringComparer.Ordinal);
    private readonly PreflightRow[] rows = [.. RowsOf(request.File)];
    private readonly DateTimeOffset began = time.GetUtcNow();
    private readonly Lock sync = new();
    private PreflightRequest? request = request;
    private byte[]? table;
    private PreflightState state = PreflightState.Running;
    private DateTimeOffset? ended;
    private double? seconds;
    private long? batch;
    private string? problem;

    public PreflightView View
    {
        get
        {
            lock (sync)
            {
                return new PreflightView(
                    id, state, began, ended, rows.Length, rows.Count(r => r.Result is not null and not CheckCsv.Unchecked), rows.Count(r => r.Result == CheckCsv.Failed),
                    rows.Sum(r => r.MessagesLeft ?? 0), rows.Any(r => r.OctetsLeft is not null) ? rows.Sum(r => r.OctetsLeft ?? 0) : null, seconds)
                { Batch = batch, Problem = problem };
            }
        }
    }

    public bool IsRunning => state == PreflightState.Running;

    /// <summary>The rows and columns of the input with their results, without passwords; null before the preflight has ended.</summary>
    public byte[]? Table => table;

    /// <param name="result">Only rows with this result; null for all.</param>
    /// <param name="after">The number of the last row of the previous page; 0 for the first page.</param>
    public IReadOnlyList<PreflightRow> Page(string? result, int after, int limit)
    {
        lock (sync)
            return [.. rows.Skip(after).Where(r => result is null || (r.Result ?? "waiting") == result).Take(limit)];
    }

    public void Cancel() => stop.Cancel();

    public void Dispose() => stop.Dispose();

    /// <summary>Checks all rows. Never throws.</summary>
    public async Task RunAsync()
    {
        var (file, withSizes, parallel, csv) = request!;
        var jobs = file.Jobs;
        var checks = new AccountCheck?[jobs.Length];
        var places = rows.Where(r => r.Result is null).Select(r => r.Number - 1).ToArray();
        var end = PreflightState.Ended;
        try
        {
            // One runner serves all rows, so that the file's limits for each host apply to all rows together.
            var runner = new CheckRunner(time, Imapsync.Engine.Stores.StoreRegistry.Opener);
            await Parallel.ForEachAsync(Enumerable.Range(0, jobs.Length), new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = stop.Token }, async (at, c) =>
            {
                var check = checks[at] = await CheckAsync(runner, jobs[at], withSizes, c);
                lock (sync)
                    rows[places[at]] = Fill(rows[places[at]], check);
            });
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            end = PreflightState.Cancelled;
        }
        catch (Exception e)
        {
            log.LogError(e, "a preflight broke off");
            problem = $"the check broke off, and the server's log tells more: {e.Message}";
        }

        if (end == PreflightState.Ended && problem is null && request.TakeIn is { } takeIn)
            await TakeInAsync(takeIn);
        using var written = new MemoryStream();
        await CheckCsv.WriteAsync(written, [.. jobs.Zip(checks)], file.BadRows, masks: false, () => new MemoryStream(csv, writable: false));
        lock (sync)
        {
            for (var i = 0; i < rows.Length; i++)
                rows[i] = rows[i].Result is null ? rows[i] with { Result = CheckCsv.Unchecked } : rows[i];
            seconds = DurationEstimate.Of(jobs.Zip(checks).Where(c => c.Second?.Size is not null).Select(c => (c.First, c.Second!.Size!)), parallel).TotalSeconds;
            table = written.ToArray();
            (state, ended) = (end, time.GetUtcNow());
            request = null;
        }
    }

    private async Task TakeInAsync(Func<Task<long>> takeIn)
    {
        lock (sync)
        {
            if (rows.Any(r => r.Result != CheckCsv.Ok))
                problem = "not every row can be run, so nothing was taken in";
        }

        try
        {
            if (problem is null)
                batch = await takeIn();
        }
        catch (Exception e)
        {
            log.LogError(e, "a list that was checked could not be taken in");
            problem = $"all rows can be run, but the list could not be taken in: {e.Message}";
        }
    }

    private async Task<AccountCheck> CheckAsync(CheckRunner runner, JobDefinition job, bool withSizes, CancellationToken cancellationToken)
    {
        var hosts = BatchReader.HostsOf(job);
        if (await gate.EnterAsync(hosts, cancellationToken) is { } closed)
            return Unusable(job, $"the fleet leaves {closed} alone (its limit of connections is 0), so nothing was signed in to");
        try
        {
            return await runner.RunAsync(job, withSizes, _ => { }, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // A defect of the program fails only the row that reveals it.
            log.LogError(e, "a row of a preflight could not be checked");
            return Unusable(job, "this row could not be checked; the server's log says why");
        }
        finally
        {
            await gate.LeaveAsync(hosts);
        }
    }

    private static AccountCheck Unusable(JobDefinition job, string why) => new(job.Name, new SideCheck(job.Source, [], null), new SideCheck(job.Target, [], null), [why]);

    private PreflightRow Fill(PreflightRow row, AccountCheck check) => row with
    {
        Result = CheckCsv.WordOf(check),
        Reason = check.Reason,
        Folders = check.Size?.Folders,
        Messages = check.Size?.Messages,
        MessagesLeft = check.Size?.MessagesLeft,
        OctetsLeft = check.Size?.BytesLeft,
        SourceFacts = FactsOf(check.Source),
        TargetFacts = FactsOf(check.Target),
    };

    /// <summary>
    /// Returns facts about a server as texts. Equal texts, such as one server's capabilities, are stored once for all rows.
    /// </summary>
    private string[] FactsOf(SideCheck side) => [.. side.Facts.Select(f => $"{f.Name}: {f.Value}").Select(t => texts.GetOrAdd(t, t))];

    /// <summary>
    /// Returns a row for each row of the CSV file, in the file's order. A row from which no job could be created has the result Failed.
    /// </summary>
    private static IEnumerable<PreflightRow> RowsOf(JobFile file) =>
        file.Jobs.Select(j => new PreflightRow(0, j.Row!.Line, j.Name, j.Source.Display, j.Target.Display))
            .Concat(file.BadRows.Select(b => new PreflightRow(0, b.Row.Line, "", "", "") { Result = CheckCsv.Failed, Reason = CheckCsv.ReasonOf(b) }))
            .OrderBy(r => r.Line)
            .Select((r, i) => r with { Number = i + 1 });
}

/// <param name="Csv">The CSV file as it was sent.</param>
internal sealed record PreflightRequest(JobFile File, bool WithSizes, int Parallel, byte[] Csv)
{
    /// <summary>
    /// Called once every row has proved usable: submits the list and returns its number. Null if the list is only to be checked.
    /// </summary>
    public Func<Task<long>>? TakeIn { get; init; }
}

internal enum PreflightState
{
    Running,
    Ended,
    Cancelled,
}

/// <param name="Checked">How many rows have a result.</param>
/// <param name="OctetsLeft">How much is still to be copied, as far as known; null if sizes were not requested.</param>
/// <param name="EstimatedSeconds">
/// The estimated time to copy what is left, with as many accounts at once as rows are checked at once; null before the end.
/// </param>
internal sealed record PreflightView(
    string Id, PreflightState State, DateTimeOffset Began, DateTimeOffset? Ended, int Rows, int Checked, int Failed, long MessagesLeft, long? OctetsLeft, double? EstimatedSeconds)
{
    /// <summary>The number of the list that was submitted after its check; null if none was.</summary>
    public long? Batch { get; init; }

    /// <summary>Why the list was not submitted, or why the check ended early; null otherwise.</summary>
    public string? Problem { get; init; }
}

/// <param name="Number">The row's number in the list, counted from 1.</param>
/// <param name="Line">The line of the CSV file at which the row begins.</param>
internal sealed record PreflightRow(int Number, int Line, string Name, string Source, string Target)
{
    /// <summary>One of ok, failed and unchecked; null while the row waits.</summary>
    public string? Result { get; init; }

    public string Reason { get; init; } = "";

    public int? Folders { get; init; }

    public long? Messages { get; init; }

    public long? MessagesLeft { get; init; }

    public long? OctetsLeft { get; init; }

    /// <summary>What the source's server says of itself, e.g. its capabilities and quota.</summary>
    public IReadOnlyList<string> SourceFacts { get; init; } = [];

    public IReadOnlyList<string> TargetFacts { get; init; } = [];
}
