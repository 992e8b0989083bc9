using Imapsync.Fleet.Listing;
using Imapsync.Tests.Support;
using Npgsql;

namespace Imapsync.Fleet.Tests.Listing;

[Collection(PostgresCollection.Name)]
public sealed class PostgresFleetStoreTests(PostgresFixture postgres) : FleetStoreContract
{
    private string database = "";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    protected override Task<FleetStore> OpenAsync(FleetTimes? times) => FleetStore.OpenPostgresAsync(database, times, TestContext.Current.CancellationToken);

    public override async ValueTask InitializeAsync()
    {
        database = await postgres.NewDatabaseAsync();
        await base.InitializeAsync();
    }

    [Theory]
    [InlineData(3)]
    [InlineData(7)]
    public async Task What_was_paused_or_cancelled_after_the_feeder_planned_is_not_given_out(int status)
    {
        await SubmitAsync("b", Accounts(2));
        await Store.SeenAsync("w", 2, "1", false, Stop);
        await using var source = NpgsqlDataSource.Create(database);
        await using var connection = await source.OpenConnectionAsync(Stop);
        await using var transaction = await connection.BeginTransactionAsync(Stop);
        await ExecuteAsync(connection, $"update fleet.account set status = {status} where id = 1");
        // The transaction that changes the status is not committed yet. So the feeder plans both accounts, and its
        // update waits for the row's lock.
        var feeding = FeedAsync();
        await WaitingAsync(source, feeding);
        Assert.False(feeding.IsCompleted);
        await transaction.CommitAsync(Stop);
        Assert.Equal(2, Assert.Single(await feeding).Account);
        Assert.Equal((AccountStatus)status, (await AllAsync()).Single(a => a.Id == 1).Status);
    }

    /// <summary>When a machine starts, its services may start in any order.</summary>
    [Fact(Timeout = 180_000)]
    public async Task A_program_that_starts_before_its_database_waits_for_it()
    {
        using var dir = new TempDir();
        await using var server = await PostgresServer.StartAsync(dir["postgres"]);
        await server.KillAsync();
        var opening = FleetStore.OpenPostgresAsync(server.ConnectionString, null, TestContext.Current.CancellationToken);
        await Assert.ThrowsAnyAsync<NpgsqlException>(async () =>
        {
            await using var source = NpgsqlDataSource.Create(server.ConnectionString);
            await using var connection = await source.OpenConnectionAsync(Stop);
        });
        await server.StartAsync();
        await using var opened = await opening;
        Assert.Empty(await opened.ReadBatchesAsync(Stop));
    }

    [Fact]
    public async Task Whatever_changes_what_a_feeder_plans_by_waits_for_it()
    {
        await SubmitAsync("b", Accounts(2));
        await using var source = NpgsqlDataSource.Create(database);
        foreach (var change in new Func<Task>[]
        {
            () => Store.ActAsync(AccountAction.Pause, new AccountFilter(Ids: [1]), Stop),
            () => Store.LimitHostAsync("new.example", 1, Stop),
            () => SubmitAsync("b", Accounts(2)),
        })
        {
            await using var connection = await source.OpenConnectionAsync(Stop);
            await using var transaction = await connection.BeginTransactionAsync(Stop);
            await ExecuteAsync(connection, "select pg_advisory_xact_lock(47110002)");
            var changing = change();
            await WaitingAsync(source, changing);
            Assert.False(changing.IsCompleted);
            await transaction.RollbackAsync(Stop);
            await changing;
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string text)
    {
        await using var command = new NpgsqlCommand(text, connection);
        await command.ExecuteNonQueryAsync(Stop);
    }

    /// <summary>Returns when the work waits for a lock of the database, or has ended.</summary>
    private static async Task WaitingAsync(NpgsqlDataSource source, Task work)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        await using var command = source.CreateCommand("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'");
        while (!work.IsCompleted && (long)(await command.ExecuteScalarAsync(Stop))! == 0)
            await timer.WaitForNextTickAsync(Stop);
    }
}
