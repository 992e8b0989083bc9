using Imapsync.Engine.State;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Fleet.Listing;
using Imapsync.Tests.Support;
using Npgsql;

namespace Imapsync.Fleet.Tests.State;

[Collection(PostgresCollection.Name)]
public sealed class PostgresStateTests(PostgresFixture postgres) : DatabaseStateContract
{
    private string database = "";

    protected override Task<FleetStore> OpenStoreAsync(FleetTimes? times) => FleetStore.OpenPostgresAsync(database, times, Token);

    public override async ValueTask InitializeAsync()
    {
        database = await postgres.NewDatabaseAsync();
        await base.InitializeAsync();
    }

    [Fact]
    public async Task Writes_whose_connection_is_cut_again_and_again_are_there_once_and_in_order()
    {
        await using var state = Open();
        await state.HoldAsync(Token);
        var journal = StateName.Journal(Inbox);
        await state.ReplaceAsync(journal, Text(""), Token);
        using var log = state.Continue(journal, 0);
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database) { Pooling = false });
        using var ended = new CancellationTokenSource();
        var cuts = 0;
        var cutting = Task.Run(async () =>
        {
            while (!ended.IsCancellationRequested)
            {
                await using var command = source.CreateCommand("select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'imapsync-fleet' and datname = current_database()");
                cuts += (int)(long)(await command.ExecuteScalarAsync(Token))!;
            }
        }, Token);
        var expected = "";
        for (var n = 0; n < 60 || cuts < 30; n++)
        {
            await log.AppendAsync(Text($"{n} "));
            expected += $"{n} ";
            await state.ReplaceAsync(StateName.Summary, Text(expected), Token);
        }

        await ended.CancelAsync();
        await cutting;
        Assert.Equal((expected, expected), (await ReadAsync(state, journal), await ReadAsync(state, StateName.Summary)));
    }

    [Fact]
    public async Task The_server_killed_in_the_middle_of_writes_gives_back_what_was_durable_and_takes_the_rest_when_it_is_back()
    {
        await using var state = Open();
        await state.HoldAsync(Token);
        var journal = StateName.Journal(Inbox);
        await state.ReplaceAsync(journal, Text(""), Token);
        using var log = state.Continue(journal, 0);
        var expected = "";
        Task? restart = null;
        for (var n = 0; n < 400 || !restart!.IsCompleted; n++)
        {
            if (n == 50)
            {
                restart = Task.Run(async () =>
                {
                    await postgres.Server.KillAsync();
                    await postgres.Server.StartAsync();
                }, Token);
            }

            await log.AppendAsync(Text($"{n} "));
            expected += $"{n} ";
        }

        await restart!;
        Assert.Equal(expected, await ReadAsync(state, journal));
    }
}

public sealed class SqliteStateTests : DatabaseStateContract
{
    private readonly TempDir dir = new();

    protected override Task<FleetStore> OpenStoreAsync(FleetTimes? times) => FleetStore.OpenFileAsync(dir["fleet.db"], times, Token);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        dir.Dispose();
    }
}

/// <summary>A run whose state is in PostgreSQL is interrupted at each of its steps.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PostgresExactlyOnceTests(PostgresFixture postgres) : ExactlyOnceTests(new LabOpener(async times => await FleetStore.OpenPostgresAsync(await postgres.NewDatabaseAsync(), times, TestContext.Current.CancellationToken)).Open);

/// <summary>A run whose state is in SQLite is interrupted at each of its steps.</summary>
public sealed class SqliteExactlyOnceTests : ExactlyOnceTests
{
    private readonly TempDir dir;

    public SqliteExactlyOnceTests()
        : this(new TempDir())
    {
    }

    private SqliteExactlyOnceTests(TempDir dir)
        : base(new LabOpener(times => FleetStore.OpenFileAsync(dir["fleet.db"], times, TestContext.Current.CancellationToken)).Open) => this.dir = dir;

    public override void Dispose()
    {
        base.Dispose();
        dir.Dispose();
    }
}

/// <summary>Opens the state of jobs in a fleet's database, which is created at the first use.</summary>
internal sealed class LabOpener(Func<FleetTimes, Task<FleetStore>> open)
{
    private readonly Lazy<StateLab> lab = new(() => Task.Run(() => StateLab.BeginAsync(open)).GetAwaiter().GetResult());

    public IStateMedium Open(StateLocation location) => lab.Value.Open(location);
}
