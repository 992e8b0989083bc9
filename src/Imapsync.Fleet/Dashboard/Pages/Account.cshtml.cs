using Imapsync.Fleet.Listing;
using Microsoft.AspNetCore.Mvc;

namespace Imapsync.Fleet.Dashboard;

/// <summary>One account: how it stands, its folders, problems, history and log. What is done with it is posted to the list of accounts.</summary>
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
