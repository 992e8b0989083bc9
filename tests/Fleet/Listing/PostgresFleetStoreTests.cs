using Imapsync.Fleet.Listing;
using Npgsql;

namespace Imapsync.Fleet.Tests.Listing;

[Collection(PostgresCollection.Name)]
public sealed class PostgresFleetStoreTests(PostgresFixture postgres) : FleetStoreContract
{
    private string database = "";

    protected override Task<FleetStore> OpenAsync(FleetTimes? times) => FleetStore.OpenPostgresAsync(database, times, TestContext.Current.CancellationToken);

    public override async ValueTask InitializeAsync()
    {
        database = await postgres.NewDatabaseAsync();
        await base.InitializeAsync();
    }
}
