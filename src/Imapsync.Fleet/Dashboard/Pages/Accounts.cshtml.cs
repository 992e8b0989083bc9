using Imapsync.Fleet.Listing;
using Microsoft.AspNetCore.Mvc;

namespace Imapsync.Fleet.Dashboard;

/// <summary>
/// The page of accounts, of one batch or of all, and the actions on a selection of them. The URL says which accounts are shown.
/// </summary>
internal sealed class AccountsModel(FleetStore store) : DashboardPage
{
    public AccountQuery Query { get; private set; } = null!;

    public IReadOnlyList<BatchView> Batches { get; private set; } = [];

    public IReadOnlyList<AccountView> Accounts { get; private set; } = [];

    public long Count { get; private set; }

    public string? Next { get; private set; }

    /// <summary>The action that the user must confirm first; null if the list is shown.</summary>
    public Confirmation? Asked { get; private set; }

    public async Task<IActionResult> OnGetAsync(CancellationToken cancellationToken)
    {
        if (AccountQuery.Read(Request.Query) is not { Page: { } page } query)
            return NotFound();
        Query = query;
        Batches = await store.ReadBatchNamesAsync(cancellationToken);
        Count = await store.CountAccountsAsync(query.Filter, cancellationToken);
        (Accounts, var next) = await store.ReadAccountsAsync(page, cancellationToken);
        Next = next is { } end ? (query with { After = Serving.Api.Cursor(end) }).At("/accounts") : null;
        return Page();
    }

    /// <param name="act">The action.</param>
    /// <param name="ids">The accounts selected.</param>
    /// <param name="all">Whether all accounts of the query are meant, including those on other pages.</param>
    /// <param name="confirmed">Whether the user has confirmed an action that can't be undone.</param>
    /// <param name="back">The page to show afterwards; null for the list of accounts.</param>
    public async Task<IActionResult> OnPostAsync(AccountAction? act, long[]? ids, bool all, bool confirmed, string? back, CancellationToken cancellationToken)
    {
        if (!ModelState.IsValid || act is not { } action || !Enum.IsDefined(action) || AccountQuery.Read(Request.Query) is not { } query)
            return BadRequest();
        Query = query;
        var follows = Url.IsLocalUrl(back) ? back : query.At("/accounts");
        if (!all && ids is not { Length: > 0 })
        {
            Said = "Nothing was selected, so nothing was done.";
            return LocalRedirect(follows);
        }

        var filter = all ? query.Filter : new AccountFilter(Ids: ids);
        if (!confirmed && (action == AccountAction.Cancel || all && query.IsForAll))
        {
            Asked = new Confirmation(action, all ? [] : ids!, all, await store.CountAccountsAsync(filter, cancellationToken), follows);
            return Page();
        }

        Said = Sentence(action, await store.ActAsync(action, filter, cancellationToken));
        return LocalRedirect(follows);
    }
}

/// <summary>An action that the user must confirm before it is done.</summary>
internal sealed record Confirmation(AccountAction Action, IReadOnlyList<long> Ids, bool IsForAll, long Count, string Back);
