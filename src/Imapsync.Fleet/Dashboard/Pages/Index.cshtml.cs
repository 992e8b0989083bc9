using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Dashboard;

internal sealed class IndexModel(FleetStore store) : DashboardPage
{
    public IReadOnlyList<BatchView> Batches { get; private set; } = [];

    public async Task OnGetAsync(CancellationToken cancellationToken) => Batches = await store.ReadBatchesAsync(cancellationToken);
}
