using Imapsync.Engine.Configuration;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Preflights;
using Imapsync.Fleet.Serving;
using Imapsync.Fleet.SigningIn;
using Imapsync.Fleet.Submitting;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Imapsync.Fleet.Dashboard;

/// <summary>The page for uploading a list, which is then checked by signing in, or submitted at once.</summary>
[RequestSizeLimit(Api.LargestUpload)]
internal sealed class ImportModel(FleetStore store, BatchReader reader, Imports imports, PreflightDesk desk, SignIns signIns, TimeProvider time) : DashboardPage
{
    /// <summary>The most mistakes that the page shows.</summary>
    private const int MostErrors = 200;

    /// <summary>The form as the user filled it in, shown again if it was refused.</summary>
    public IFormCollection? Filled { get; private set; }

    public Refusal? Refusal { get; private set; }

    public IReadOnlyList<PreflightView> Preflights => desk.All;

    public void OnGet()
    {
    }

    /// <param name="act">Either check or submit.</param>
    public async Task<IActionResult> OnPostAsync(string? act, CancellationToken cancellationToken)
    {
        Filled = await Request.ReadFormAsync(cancellationToken);
        if (act is not ("check" or "submit"))
            return BadRequest();
        if (ListForm.Read(Filled, time, out var form) is { } refusal)
            return Refuse(refusal);
        try
        {
            var (job, table) = await ListForm.ReadFilesAsync(Filled, cancellationToken);
            // Reading many rows takes seconds, so another thread does it.
            var file = await Task.Run(() => reader.ReadJobs(job, table, keepsBadRows: act == "check"), cancellationToken);
            var batch = await Task.Run(() => reader.Close(file, job, table), cancellationToken);
            if (act == "check")
            {
                var joined = await signIns.JoinAsync(file, form!.Name, store, cancellationToken);
                return imports.Begin(form, batch, new PreflightRequest(joined, ListForm.IsSet(Filled, "sizes"), PreflightApi.UsualParallel, table)) is { } id
                    ? LocalRedirect("/import/" + id)
                    : Refuse(new Refusal("there are as many checks as may be", ["wait until one has ended, or discard one"]));
            }

            var submitted = await store.SubmitAsync(form!.With(batch), batch.Accounts, cancellationToken);
            Said = Sentence(submitted, batch.Accounts.Count, batch.Notes);
            return LocalRedirect(FormattableString.Invariant($"/accounts?batch={submitted.Batch}"));
        }
        catch (ConfigurationException e)
        {
            var errors = e.Errors.Take(MostErrors).Select(x => x.ToString()).ToList();
            if (e.Errors.Count > MostErrors)
                errors.Add($"and {Words.Number(e.Errors.Count - MostErrors)} more");
            return Refuse(new Refusal("The list has mistakes; nothing was taken in", errors));
        }
    }

    public static string Sentence(Submitted submitted, int accounts, IEnumerable<string> notes) =>
        string.Join("; ", notes.Concat(ListForm.NotesOf(submitted)).Prepend($"{Words.Accounts(accounts)} submitted")) + ".";

    private PageResult Refuse(Refusal refusal)
    {
        Refusal = refusal;
        Response.StatusCode = StatusCodes.Status422UnprocessableEntity;
        return Page();
    }
}
