using System.Globalization;
using Imapsync.Engine.Configuration;
using Imapsync.Fleet.Serving;
using Imapsync.Fleet.Submitting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Imapsync.Fleet.Preflights;

/// <summary>The part of the API that checks lists by signing in.</summary>
internal static class PreflightApi
{
    /// <summary>How many rows are checked at once where nobody says otherwise.</summary>
    public const int UsualParallel = 8;

    private const int MostParallel = 50;

    /// <param name="api">The group of the API, which asks for a token.</param>
    public static void Map(RouteGroupBuilder api)
    {
        api.MapPost("/preflights", BeginAsync).RequireAuthorization(nameof(Role.Operate))
            .WithSummary("Signs in to both sides of each row and takes nothing in: a form with the files 'job' and 'accounts', and the fields sizes and parallel. Answers at once.");
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
    }

    private static async Task<Results<Accepted<PreflightView>, UnprocessableEntity<Refusal>, JsonHttpResult<Refusal>>> BeginAsync(
        HttpRequest request, PreflightDesk desk, BatchReader reader, CancellationToken cancellationToken)
    {
        if (!request.HasFormContentType)
            return TypedResults.UnprocessableEntity(new Refusal("the request is no form", ["send the job file as 'job' and the CSV file as 'accounts' (multipart/form-data)"]));
        var form = await request.ReadFormAsync(cancellationToken);
        var parallel = UsualParallel;
        if (form["parallel"].ToString() is { Length: > 0 } given && !int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out parallel) || parallel is < 1 or > MostParallel)
            return TypedResults.UnprocessableEntity(new Refusal("parallel can't be that", [$"give a number of rows from 1 to {MostParallel}"]));
        try
        {
            var (job, table) = await ListForm.ReadFilesAsync(form, cancellationToken);
            var file = await Task.Run(() => reader.ReadJobs(job, table, keepsBadRows: true), cancellationToken);
            return desk.Begin(new PreflightRequest(file, ListForm.IsSet(form, "sizes"), parallel, table), out var id) is { } begun
                ? TypedResults.Accepted($"/api/preflights/{id}", begun.View)
                : TypedResults.Json(new Refusal("there are as many preflights as may be", ["wait until one has ended, or DELETE /api/preflights/ID"]), statusCode: StatusCodes.Status429TooManyRequests);
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
