using System.Globalization;
using Imapsync.Engine.Configuration;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Serving;
using Imapsync.Fleet.SigningIn;
using Imapsync.Fleet.Submitting;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Imapsync.Fleet.Preflights;

/// <summary>The part of the API that checks lists of accounts by signing in to each account.</summary>
internal static class PreflightApi
{
    /// <summary>How many rows are checked at once unless the request says otherwise.</summary>
    public const int UsualParallel = 8;

    private const int MostParallel = 50;

    /// <param name="api">The API's group of endpoints, which all require a token.</param>
    public static void Map(RouteGroupBuilder api)
    {
        Answers(api.MapPost("/preflights", BeginAsync)).WithMetadata(new RequestSizeLimitAttribute(Api.LargestUpload))
            .WithSummary("Signs in to both sides of each row and takes nothing in: a form with the files 'job' and 'accounts', and the fields sizes and parallel. Answers at once.");
        Answers(api.MapPost("/batches/{batch:long}/preflights", OfBatchAsync)).Produces(StatusCodes.Status404NotFound)
            .WithSummary("Signs in to both sides of each row of a list that was taken in, whatever became of its accounts: { \"sizes\": false, \"parallel\": 8 }. Answers at once.");
        api.MapGet("/preflights", (PreflightDesk desk) => desk.All).WithSummary("The preflights of the last day, the newest first.");
        api.MapGet("/preflights/{id}", Results<Ok<PreflightView>, NotFound> (string id, PreflightDesk desk) => desk.Find(id) is { } found ? TypedResults.Ok(found.View) : TypedResults.NotFound())
            .WithSummary("How far a preflight is.");
        api.MapGet("/preflights/{id}/rows", Rows).WithSummary("A page of a preflight's rows. result is ok, failed, unchecked or waiting; after is the number of the last row of the page before.");
        api.MapGet("/preflights/{id}/results.csv", Table).WithSummary("The rows without passwords, each with its result and reason, once the preflight has ended.");
        api.MapPost("/preflights/{id}/cancel", Results<NoContent, NotFound> (string id, PreflightDesk desk) =>
        {
            desk.Find(id)?.Cancel();
            return desk.Find(id) is null ? TypedResults.NotFound() : TypedResults.NoContent();
        }).RequireAuthorization(nameof(Role.Operate)).WithSummary("Begins no further row; what was found is kept.");
        api.MapDelete("/preflights/{id}", Results<NoContent, NotFound> (string id, PreflightDesk desk) => desk.Forget(id) ? TypedResults.NoContent() : TypedResults.NotFound())
            .RequireAuthorization(nameof(Role.Operate)).WithSummary("Ends a preflight and forgets it.");

        static RouteHandlerBuilder Answers(RouteHandlerBuilder begins) => begins.RequireAuthorization(nameof(Role.Operate))
            .Produces<PreflightView>(StatusCodes.Status202Accepted).Produces<Refusal>(StatusCodes.Status422UnprocessableEntity).Produces<Refusal>(StatusCodes.Status429TooManyRequests);
    }

    /// <summary>Begins a preflight with the options in a form: <c>sizes</c> and <c>parallel</c>.</summary>
    /// <param name="takeIn">See <see cref="PreflightRequest.TakeIn"/>.</param>
    public static IResult Begin(PreflightDesk desk, JobFile file, byte[] table, IFormCollection form, Func<Task<long>>? takeIn) =>
        !int.TryParse(form["parallel"].ToString() is { Length: > 0 } given ? given : $"{UsualParallel}", NumberStyles.None, CultureInfo.InvariantCulture, out var parallel)
            ? WrongParallel()
            : Begin(desk, new PreflightRequest(file, ListForm.IsSet(form, "sizes"), parallel, table) { TakeIn = takeIn });

    private static IResult Begin(PreflightDesk desk, PreflightRequest request)
    {
        if (request.Parallel is < 1 or > MostParallel)
            return WrongParallel();
        return desk.Begin(request, out var id) is { } begun
            ? TypedResults.Accepted($"/api/preflights/{id}", begun.View)
            : TypedResults.Json(new Refusal("there are as many preflights as may be", ["wait until one has ended, or DELETE /api/preflights/ID"]), statusCode: StatusCodes.Status429TooManyRequests);
    }

    private static UnprocessableEntity<Refusal> WrongParallel() => TypedResults.UnprocessableEntity(new Refusal("parallel can't be that", [$"give a number of rows from 1 to {MostParallel}"]));

    private static async Task<IResult> OfBatchAsync(long batch, BatchPreflight request, FleetStore store, PreflightDesk desk, BatchReader reader, SignIns signIns, CancellationToken cancellationToken)
    {
        if (await store.ReadRowsAsync(batch, cancellationToken) is not { Cells.Count: > 0 } list)
            return TypedResults.NotFound();
        try
        {
            // Decrypting and reading many rows takes seconds, so another thread does it.
            var (file, table) = await Task.Run(
                () =>
                {
                    var (job, rows) = reader.Open(list.Job, list.Cells);
                    return (reader.ReadJobs(job, rows, keepsBadRows: true), rows);
                },
                cancellationToken);
            file = await signIns.JoinAsync(file, list.Name, store, cancellationToken);
            return Begin(desk, new PreflightRequest(file, request.Sizes, request.Parallel ?? UsualParallel, table));
        }
        catch (ConfigurationException e)
        {
            return TypedResults.UnprocessableEntity(new Refusal("the list has mistakes; nothing was checked", [.. e.Errors.Select(x => x.ToString())]));
        }
    }

    private static async Task<IResult> BeginAsync(HttpRequest request, FleetStore store, PreflightDesk desk, BatchReader reader, SignIns signIns, CancellationToken cancellationToken)
    {
        if (!request.HasFormContentType)
            return TypedResults.UnprocessableEntity(new Refusal("the request is no form", ["send the job file as 'job' and the CSV file as 'accounts' (multipart/form-data)"]));
        var form = await request.ReadFormAsync(cancellationToken);
        try
        {
            var (job, table) = await ListForm.ReadFilesAsync(form, cancellationToken);
            var file = await Task.Run(() => reader.ReadJobs(job, table, keepsBadRows: true), cancellationToken);
            return Begin(desk, await signIns.JoinAsync(file, list: null, store, cancellationToken), table, form, takeIn: null);
        }
        catch (ConfigurationException e)
        {
            return TypedResults.UnprocessableEntity(new Refusal("the list has mistakes; nothing was checked", [.. e.Errors.Select(x => x.ToString())]));
        }
    }

    private static Results<Ok<IReadOnlyList<PreflightRow>>, NotFound> Rows(string id, string? result, int? after, int? limit, PreflightDesk desk) => desk.Find(id) is { } found
        ? TypedResults.Ok(found.Page(string.IsNullOrEmpty(result) ? null : result, Math.Max(0, after ?? 0), Math.Clamp(limit ?? 100, 1, Api.MostLines)))
        : TypedResults.NotFound();

    private static Results<FileContentHttpResult, NotFound, Conflict<Refusal>> Table(string id, PreflightDesk desk) => desk.Find(id) switch
    {
        null => TypedResults.NotFound(),
        { Table: { } table } => TypedResults.File(table, "text/csv; charset=utf-8", "checked.csv"),
        _ => TypedResults.Conflict(new Refusal("the preflight is still going on", ["ask again when its state is 'ended', or cancel it"])),
    };
}

/// <summary>The options of a preflight of a list that was submitted before.</summary>
/// <param name="Parallel">How many rows are checked at once; null for the usual number.</param>
internal sealed record BatchPreflight(bool Sizes, int? Parallel);
