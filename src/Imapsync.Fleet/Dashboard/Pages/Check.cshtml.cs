using System.Globalization;
using Imapsync.Fleet.Preflights;
using Microsoft.AspNetCore.Mvc;

namespace Imapsync.Fleet.Dashboard;

/// <summary>The page of a list's check: the progress, row by row, and the actions on the list.</summary>
internal sealed class CheckModel(PreflightDesk desk, Imports imports) : DashboardPage
{
    private const int RowsOfPage = 100;

    /// <summary>The results by which rows can be filtered, and the page's words for them.</summary>
    public static IReadOnlyList<(string? Result, string Text)> Results { get; } = [(null, "all"), ("failed", "failed"), ("ok", "ok"), ("waiting", "waiting"), ("unchecked", "not checked")];

    public PreflightView View { get; private set; } = null!;

    public IReadOnlyList<PreflightRow> Rows { get; private set; } = [];

    /// <summary>The list that is checked; null if a program sent it through the API.</summary>
    public (string Name, int Accounts)? List { get; private set; }

    public string? Result { get; private set; }

    public int After { get; private set; }

    public bool HasTable { get; private set; }

    public string? Next { get; private set; }

    public IActionResult OnGet(string id, string? result, int? after)
    {
        if (!ModelState.IsValid || desk.Find(id) is not { } found || !Results.Any(r => r.Result == result))
            return NotFound();
        (View, Result, After, List, HasTable) = (found.View, result, Math.Max(0, after ?? 0), imports.Find(id), found.Table is not null);
        var rows = found.Page(result, After, RowsOfPage + 1);
        Rows = [.. rows.Take(RowsOfPage)];
        Next = rows.Count > RowsOfPage ? At(result, Rows[^1].Number) : null;
        return Page();
    }

    /// <param name="act">One of submit, submit-good, stop and discard.</param>
    public async Task<IActionResult> OnPostAsync(string id, string? act, CancellationToken cancellationToken)
    {
        if (desk.Find(id) is not { } found)
            return NotFound();
        switch (act)
        {
            case "stop":
                found.Cancel();
                Said = "The check begins no further row.";
                return LocalRedirect("/import/" + id);
            case "discard":
                desk.Forget(id);
                Said = "The check was discarded; nothing was submitted by it.";
                return LocalRedirect("/import");
            case "submit" or "submit-good":
                if (await imports.SubmitAsync(id, onlyGood: act == "submit-good", cancellationToken) is not { } done)
                {
                    Said = "There is no row to submit.";
                    return LocalRedirect("/import/" + id);
                }

                Said = ImportModel.Sentence(done.Submitted, done.Accounts, []);
                return LocalRedirect(FormattableString.Invariant($"/accounts?batch={done.Submitted.Batch}"));
            default:
                return BadRequest();
        }
    }

    /// <summary>Returns the URL of the rows with this result that follow the row number <paramref name="after"/>.</summary>
    public string At(string? result, int after = 0) => $"/import/{View.Id}" + QueryString.Create(
        new KeyValuePair<string, string?>[] { new("result", result), new("after", after == 0 ? null : after.ToString(CultureInfo.InvariantCulture)) }.Where(p => p.Value is not null));

    /// <summary>Returns the rows of a check as they were sent, without passwords, each with its result and reason.</summary>
    public static IResult Table(string id, PreflightDesk desk) => desk.Find(id)?.Table is { } table ? TypedResults.File(table, "text/csv; charset=utf-8", "checked.csv") : TypedResults.NotFound();
}
