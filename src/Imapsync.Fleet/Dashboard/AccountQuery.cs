using System.Globalization;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Serving;

namespace Imapsync.Fleet.Dashboard;

/// <summary>Which accounts a page shows and in which order, read from the page's address.</summary>
internal sealed record AccountQuery(long? Batch, IReadOnlyList<AccountStatus> Statuses, string? Text, string? Sort, string? After)
{
    public const int Rows = 100;

    public AccountFilter Filter => new(Batch, Statuses.Count > 0 ? Statuses : null, Text);

    /// <summary>Whether the query selects every account of every list.</summary>
    public bool IsForAll => Batch is null && Statuses.Count == 0 && string.IsNullOrEmpty(Text);

    /// <summary>The page of accounts to read; null if the address contains invalid values.</summary>
    public AccountPage? Page => Api.PageOf(Batch, [.. Statuses], Text, Sort, After, Rows);

    /// <summary>Reads the query of an address; null if it is invalid.</summary>
    public static AccountQuery? Read(IQueryCollection query)
    {
        long? batch = null;
        if (query["batch"].ToString() is { Length: > 0 } number)
        {
            if (!long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                return null;
            batch = id;
        }

        var statuses = new List<AccountStatus>();
        foreach (var text in query["status"])
        {
            if (!Enum.TryParse<AccountStatus>(text, ignoreCase: true, out var status) || !Enum.IsDefined(status))
                return null;
            statuses.Add(status);
        }

        var read = new AccountQuery(batch, statuses, One("text"), One("sort"), One("after"));
        return read.Page is null ? null : read;

        string? One(string name) => query[name].ToString() is { Length: > 0 } value ? value : null;
    }

    public static IResult Export(HttpRequest request, FleetStore store) =>
        Read(request.Query) is { } query ? Api.Results(store, query.Filter, "results.csv") : TypedResults.BadRequest();

    /// <summary>Returns the address of a page with this query.</summary>
    public string At(string path)
    {
        var parts = Statuses.Select(s => new KeyValuePair<string, string?>("status", Words.Status(s))).ToList();
        parts.AddRange([new("batch", Batch?.ToString(CultureInfo.InvariantCulture)), new("text", Text), new("sort", Sort), new("after", After)]);
        return path + QueryString.Create(parts.Where(p => !string.IsNullOrEmpty(p.Value)));
    }

    /// <summary>
    /// Returns the URL of the first page, sorted by the clicked column: ascending, or descending if it is already ascending.
    /// </summary>
    public string Sorted(string column) => (this with { Sort = Sort == column ? "-" + column : column, After = null }).At("/accounts");

    /// <summary>The value of <c>aria-sort</c> for a column; null if the rows are not sorted by it.</summary>
    public string? Direction(string column) => Sort == column ? "ascending" : Sort == "-" + column ? "descending" : null;
}
