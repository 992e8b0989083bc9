using Imapsync.Fleet.Listing;
using Microsoft.AspNetCore.Mvc;

namespace Imapsync.Fleet.Dashboard;

/// <summary>The page of one account: its status, folders, problems, history and log. Actions are posted to the page of accounts.</summary>
internal sealed class AccountModel(FleetStore store) : DashboardPage
{
    public AccountView Account { get; private set; } = null!;

    public AccountStory Story { get; private set; } = null!;

    public string BatchName { get; private set; } = "";

    public async Task<IActionResult> OnGetAsync(long id, CancellationToken cancellationToken)
    {
        if (await store.ReadAccountAsync(id, cancellationToken) is not { } account)
            return NotFound();
        Account = account;
        Story = await AccountStory.ReadAsync(store, id, cancellationToken);
        BatchName = (await store.ReadBatchNamesAsync(cancellationToken)).FirstOrDefault(b => b.Id == account.Batch)?.Name ?? "";
        return Page();
    }
}
