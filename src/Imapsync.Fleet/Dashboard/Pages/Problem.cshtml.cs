using Imapsync.Fleet.Listing;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Imapsync.Fleet.Dashboard;

/// <summary>The page that a browser shows when a request was refused or failed.</summary>
[IgnoreAntiforgeryToken]
internal sealed class ProblemModel(FleetStore store) : PageModel
{
    public string Title { get; private set; } = "";

    public string Remedy { get; private set; } = "";

    public void OnGet(int? status) => Describe(status);

    public void OnPost(int? status) => Describe(status);

    private void Describe(int? status)
    {
        if (HttpContext.Features.Get<IExceptionHandlerFeature>() is { } failure)
            Response.StatusCode = store.IsAway(failure.Error) ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status500InternalServerError;
        else if (HttpContext.Features.Get<IStatusCodeReExecuteFeature>() is null)
            status = StatusCodes.Status404NotFound;
        else
            Response.StatusCode = status ?? StatusCodes.Status404NotFound;
        (Title, Remedy) = (status ?? Response.StatusCode) switch
        {
            400 => ("The form was not accepted", "It may be older than your session, or it came from somewhere else. Go back, load the page again and repeat it."),
            403 => ("Not allowed", "Your role is look, or another site sent this. Nothing was done."),
            404 => ("Not found", "There is no such page, batch or account."),
            411 => ("Size not known", "An upload has to announce its size, as browsers do. Nothing was taken in."),
            413 => ("Too large", $"What is uploaded may have {Serving.Api.LargestUpload >> 20} MiB. Nothing was taken in; split the list into several."),
            503 => ("The database can't be reached", "Workers go on as long as their loans hold. Load the page again in a moment."),
            500 => ("The server failed", "Its log says why."),
            var other => ("Not done", $"The server answered with status {other}."),
        };
    }
}
