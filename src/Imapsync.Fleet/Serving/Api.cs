using System.Globalization;
using System.Text;
using System.Text.Json;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Tables;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Preflights;
using Imapsync.Fleet.SigningIn;
using Imapsync.Fleet.Submitting;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Imapsync.Fleet.Serving;

/// <summary>The HTTP API, which the commands use too. It is a public contract, described in docs/fleet.md and /openapi/v1.json.</summary>
internal static class Api
{
    /// <summary>The most octets of a request that uploads a list. The limit for other requests is <see cref="LargestRequest"/>.</summary>
    public const int LargestUpload = 64 << 20;
    public const int LargestRequest = 1 << 20;

    public const int MostLines = 500;

    public static void Map(WebApplication app)
    {
        var api = app.MapGroup("/api").RequireAuthorization(nameof(Role.Look));
        api.MapGet("/batches", async (FleetStore store, CancellationToken c) => await store.ReadBatchesAsync(c)).WithSummary("All lists, the newest first, with how many accounts stand where.");
        api.MapPost("/batches", SubmitAsync).RequireAuthorization(nameof(Role.Operate)).WithMetadata(new RequestSizeLimitAttribute(LargestUpload))
            .Produces<SubmitAnswer>().Produces<PreflightView>(StatusCodes.Status202Accepted).Produces<Refusal>(StatusCodes.Status422UnprocessableEntity).Produces<Refusal>(StatusCodes.Status429TooManyRequests)
            .WithSummary("Takes a list in, or corrects the one of that name: a form with the files 'job' and 'accounts', and the fields name, priority, schedule, zone, paused and check. With check=true it is only read; with check=signin a preflight is begun (202; sizes and parallel count), which takes it in if every row can be run.");
        api.MapDelete("/batches/{batch:long}", DeleteAsync).RequireAuthorization(nameof(Role.Operate))
            .WithSummary("Removes a list with its accounts and the state of their jobs; refused while accounts of it are at work.");
        api.MapGet("/batches/{batch:long}/results.csv", ResultsAsync).Produces(StatusCodes.Status200OK, contentType: "text/csv").Produces(StatusCodes.Status404NotFound).WithSummary("A row for each account of a list and how it stands.");
        api.MapGet("/accounts", AccountsAsync).WithSummary("A page of accounts. sort is id, name, status, ended, copied or problems, with a minus before it from the end.");
        api.MapGet("/accounts/{account:long}", AccountAsync).WithSummary("An account with its last report, its story and the last lines of its log.");
        api.MapPost("/actions", ActAsync).RequireAuthorization(nameof(Role.Operate)).WithSummary("Pause, resume, cancel or retry accounts.");
        api.MapGet("/workers", async (FleetStore store, CancellationToken c) => await store.ReadWorkersAsync(c)).WithSummary("The workers, and what each has at work.");
        api.MapGet("/throughput", ThroughputAsync).WithSummary("What all workers copied, in stretches of so many minutes, the oldest first. Samples are kept for two days.");
        api.MapGet("/hosts", async (FleetStore store, CancellationToken c) => await store.ReadHostsAsync(c)).WithSummary("The hosts, what each allows, and how much of it is given out.");
        api.MapPut("/hosts/{host}", LimitHostAsync).RequireAuthorization(nameof(Role.Operate)).WithSummary("Sets the most connections to a host at once.");
        PreflightApi.Map(api);
        SignInApi.Map(api);
        app.MapGet("/healthz", () => "ok\n").AllowAnonymous().ExcludeFromDescription();
        app.MapGet("/readyz", ReadyAsync).AllowAnonymous().ExcludeFromDescription();
        app.MapGet("/metrics", MetricsAsync).RequireAuthorization(nameof(Role.Look)).ExcludeFromDescription();
        app.MapOpenApi().RequireAuthorization(nameof(Role.Look));
    }

    private static async Task<IResult> SubmitAsync(HttpRequest request, FleetStore store, BatchReader reader, PreflightDesk desk, SignIns signIns, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!request.HasFormContentType)
            return Refuse("the request is no form", "send the job file as 'job' and the CSV file as 'accounts' (multipart/form-data)");
        var form = await request.ReadFormAsync(cancellationToken);
        if (ListForm.Read(form, time, out var list) is { } refusal)
            return TypedResults.UnprocessableEntity(refusal);
        ReadBatch batch;
        string text;
        byte[] table;
        try
        {
            (text, table) = await ListForm.ReadFilesAsync(form, cancellationToken);
            // Reading many rows takes seconds, so another thread does it.
            batch = await Task.Run(() => reader.Read(text, table), cancellationToken);
        }
        catch (ConfigurationException e)
        {
            return TypedResults.UnprocessableEntity(new Refusal("the list has mistakes; nothing was taken in", [.. e.Errors.Select(x => x.ToString())]));
        }

        if (ListForm.IsSet(form, "check"))
            return TypedResults.Ok(new SubmitAnswer(null, list!.Name, batch.Accounts.Count, batch.Notes));
        if (form["check"] == "signin")
        {
            // The list is submitted after this request has ended, so not with the request's cancellation token.
            var jobs = await signIns.JoinAsync(await Task.Run(() => reader.ReadJobs(text, table, keepsBadRows: false), cancellationToken), list!.Name, store, cancellationToken);
            return PreflightApi.Begin(desk, jobs, table, form, async () => (await store.SubmitAsync(list!.With(batch), batch.Accounts, CancellationToken.None)).Batch);
        }

        if (form["check"].ToString() is not ("" or "false" or "off" or "0"))
            return Refuse($"check can't be '{form["check"]}'", "leave it out, or give true to have the list read alone, or signin to have every row signed in to before it is taken in");
        var submitted = await store.SubmitAsync(list!.With(batch), batch.Accounts, cancellationToken);
        return TypedResults.Ok(new SubmitAnswer(submitted.Batch, list.Name, batch.Accounts.Count, [.. batch.Notes, .. ListForm.NotesOf(submitted)]));
    }

    private static UnprocessableEntity<Refusal> Refuse(string message, string remedy) => TypedResults.UnprocessableEntity(new Refusal(message, [remedy]));

    private static async Task<Results<Ok<AccountsAnswer>, BadRequest<Refusal>>> AccountsAsync(
        FleetStore store, long? batch, AccountStatus[]? status, string? text, string? sort, string? after, int? limit, CancellationToken cancellationToken)
    {
        if (PageOf(batch, status, text, sort, after, limit) is not { } page)
            return TypedResults.BadRequest(new Refusal("sort or after can't be read", ["sort is id, name, status, ended, copied or problems; after is 'next' of the page before"]));
        var (accounts, next) = await store.ReadAccountsAsync(page, cancellationToken);
        return TypedResults.Ok(new AccountsAnswer(accounts, next is { } end ? Cursor(end) : null));
    }

    /// <summary>Returns the page that the parameters describe; null if they are invalid.</summary>
    public static AccountPage? PageOf(long? batch, AccountStatus[]? status, string? text, string? sort, string? after, int? limit)
    {
        var by = AccountSort.Id;
        if (!string.IsNullOrEmpty(sort) && (!Enum.TryParse(sort.TrimStart('-'), ignoreCase: true, out by) || !Enum.IsDefined(by)))
            return null;
        PageEnd? end = null;
        if (!string.IsNullOrEmpty(after))
        {
            if (after.Split('.', 2) is not [var id, var value] || !long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return null;
            if (by != AccountSort.Name && !long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
                return null;
            end = new PageEnd(value, number);
        }

        return new AccountPage(new AccountFilter(batch, status is { Length: > 0 } ? status : null, text), by, sort?.StartsWith('-') == true, Math.Clamp(limit ?? 100, 1, MostLines), end);
    }

    public static string Cursor(PageEnd end) => string.Create(CultureInfo.InvariantCulture, $"{end.Id}.{end.Value}");

    private static async Task<Results<Ok<AccountAnswer>, NotFound>> AccountAsync(long account, FleetStore store, CancellationToken cancellationToken)
    {
        if (await store.ReadAccountAsync(account, cancellationToken) is not { } found)
            return TypedResults.NotFound();
        var (report, events) = await store.ReadStoryAsync(account, cancellationToken);
        return TypedResults.Ok(new AccountAnswer(found, report is null ? null : JsonSerializer.Deserialize<JsonElement>(report), events, await store.ReadLogAsync(account, cancellationToken)));
    }

    private static async Task<Results<Ok<ActionAnswer>, BadRequest<Refusal>>> ActAsync(ActionRequest request, FleetStore store, CancellationToken cancellationToken) =>
        request.IsForAll
            ? TypedResults.BadRequest(new Refusal("nothing says which accounts are meant", ["give a batch, statuses, a text or ids"]))
            : TypedResults.Ok(new ActionAnswer(await store.ActAsync(request.Action, request.Filter, cancellationToken)));

    private static async Task<Results<Ok<IReadOnlyList<ThroughputSample>>, BadRequest<Refusal>>> ThroughputAsync(FleetStore store, int? minutes, int? count, CancellationToken cancellationToken)
    {
        var (length, stretches) = (minutes ?? 1, count ?? 60);
        return length < 1 || stretches < 1 || (long)length * stretches > (long)FleetStore.SamplesKept.TotalMinutes
            ? TypedResults.BadRequest(new Refusal("there are no samples of that", [string.Create(CultureInfo.InvariantCulture, $"give minutes and count from 1, whose product is at most {FleetStore.SamplesKept.TotalMinutes}")]))
            : TypedResults.Ok(await store.ReadThroughputAsync(length, stretches, cancellationToken));
    }

    private static async Task<Results<NoContent, NotFound, Conflict<Refusal>>> DeleteAsync(long batch, FleetStore store, CancellationToken cancellationToken) =>
        await store.DeleteAsync(batch, cancellationToken) switch
        {
            null => TypedResults.NotFound(),
            0 => TypedResults.NoContent(),
            var atWork => TypedResults.Conflict(new Refusal(string.Create(CultureInfo.InvariantCulture, $"{atWork} accounts of the list are at work"), ["pause or cancel the list, and delete it when they have ended"])),
        };

    private static async Task<Results<NoContent, NotFound, BadRequest<Refusal>>> LimitHostAsync(string host, HostRequest request, FleetStore store, CancellationToken cancellationToken)
    {
        if (request.Connections is < 0)
            return TypedResults.BadRequest(new Refusal("connections is below 0", ["give a number, or null for no limit"]));
        return await store.LimitHostAsync(host, request.Connections, cancellationToken) ? TypedResults.NoContent() : TypedResults.NotFound();
    }

    private static async Task<IResult> ResultsAsync(long batch, FleetStore store, CancellationToken cancellationToken) =>
        (await store.ReadBatchNamesAsync(cancellationToken)).Any(b => b.Id == batch)
            ? Results(store, new AccountFilter(batch), string.Create(CultureInfo.InvariantCulture, $"results-{batch}.csv"))
            : TypedResults.NotFound();

    /// <summary>
    /// Returns a CSV file with a row for each account that the filter selects. Only one page of accounts is in memory at a time.
    /// </summary>
    public static IResult Results(FleetStore store, AccountFilter filter, string name) => TypedResults.Stream(
        async stream =>
        {
            await using var csv = new CsvWriter(stream);
            await csv.WriteAsync("name", "source", "target", "status", "attempts", "messages", "copied", "bytes", "problems", "problem");
            PageEnd? after = null;
            do
            {
                var (accounts, next) = await store.ReadAccountsAsync(new AccountPage(filter, AccountSort.Id, Limit: MostLines, After: after), CancellationToken.None);
                foreach (var a in accounts)
                {
                    await csv.WriteAsync(
                        CsvWriter.Inert(a.Name), CsvWriter.Inert(a.Source), CsvWriter.Inert(a.Target), a.Status.ToString().ToLowerInvariant(), Number(a.Attempt), Number(a.Planned), Number(a.Copied), Number(a.Bytes), Number(a.Problems), CsvWriter.Inert(a.Problem ?? ""));
                }

                after = next;
            }
            while (after is not null);
        },
        "text/csv; charset=utf-8",
        name);

    private static async Task<IResult> ReadyAsync(FleetStore store, CancellationToken cancellationToken)
    {
        try
        {
            await store.PingAsync(cancellationToken);
            return TypedResults.Text("ready\n");
        }
        catch (Exception e) when (store.IsAway(e))
        {
            return TypedResults.Text("the database can't be reached\n", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static async Task<IResult> MetricsAsync(FleetStore store, CancellationToken cancellationToken)
    {
        var text = new StringBuilder("# TYPE imapsync_fleet_accounts gauge\n");
        var batches = await store.ReadBatchesAsync(cancellationToken);
        foreach (var status in Enum.GetValues<AccountStatus>())
            text.Append(CultureInfo.InvariantCulture, $"imapsync_fleet_accounts{{status=\"{status.ToString().ToLowerInvariant()}\"}} {batches.Sum(b => b.Counts.GetValueOrDefault(status))}\n");
        text.Append(CultureInfo.InvariantCulture, $"# TYPE imapsync_fleet_copied_messages gauge\nimapsync_fleet_copied_messages {batches.Sum(b => b.Copied)}\n");
        text.Append(CultureInfo.InvariantCulture, $"# TYPE imapsync_fleet_copied_octets gauge\nimapsync_fleet_copied_octets {batches.Sum(b => b.Bytes)}\n");
        var workers = await store.ReadWorkersAsync(cancellationToken);
        text.Append(CultureInfo.InvariantCulture, $"# TYPE imapsync_fleet_workers gauge\nimapsync_fleet_workers {workers.Count(w => w.IsAlive)}\n");
        text.Append(CultureInfo.InvariantCulture, $"# TYPE imapsync_fleet_slots gauge\nimapsync_fleet_slots {workers.Where(w => w.IsAlive).Sum(w => w.Slots)}\n");
        return TypedResults.Text(text.ToString(), "text/plain; version=0.0.4");
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
