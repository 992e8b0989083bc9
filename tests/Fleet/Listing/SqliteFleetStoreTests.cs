using Imapsync.Fleet.Listing;
using Imapsync.Tests.Support;

namespace Imapsync.Fleet.Tests.Listing;

public sealed class SqliteFleetStoreTests : FleetStoreContract
{
    private readonly TempDir dir = new();

    protected override Task<FleetStore> OpenAsync(FleetTimes? times) => FleetStore.OpenFileAsync(dir["fleet.db"], times, TestContext.Current.CancellationToken);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        dir.Dispose();
    }
}
