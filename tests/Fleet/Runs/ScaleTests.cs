using System.Globalization;
using Imapsync.Fleet.Listing;
using Imapsync.Tests.Support;
using Npgsql;

namespace Imapsync.Fleet.Tests.Runs;

/// <summary>
/// The cost of a long account list in which nothing changes, and of a thousand workers that share a list. The figures in docs/fleet.md are
/// taken from the output of these tests (IMAPSYNC_TESTS_LONG=1: 50,000 accounts, two minutes, 1,000 workers).
/// </summary>
[Collection(PostgresCollection.Name)] // Not beside the others: what it starts is measured.
public sealed class ScaleTests : IAsyncLifetime
{
    private const int SlotsEach = 10;

    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1";

    private readonly TempDir dir = new();
    private PostgresServer postgres = null!;
    private NpgsqlDataSource database = null!;

    private static int Accounts => IsLong ? 50_000 : 2_000;

    private static TimeSpan Idle => IsLong ? TimeSpan.FromMinutes(2) : TimeSpan.FromSeconds(3);

    private static int Workers => IsLong ? 1_000 : 20;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        postgres = await PostgresServer.StartAsync(dir["postgres"]);
        // PostgreSQL loads pg_stat_statements, which counts statements, only at its start.
        await using (var once = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Pooling = false }))
            await ExecuteAsync(once, "alter system set shared_preload_libraries = 'pg_stat_statements'");
        await postgres.KillAsync();
        await postgres.StartAsync();
        database = NpgsqlDataSource.Create(postgres.ConnectionString);
        await ExecuteAsync(database, "create extension pg_stat_statements");
    }

    [Fact]
    public async Task A_long_list_is_taken_in_at_once_and_costs_little_while_nothing_is_to_be_done()
    {
        File.WriteAllText(dir["accounts.csv"], "user,password\n" + string.Concat(Enumerable.Range(0, Accounts).Select(i => $"user{i:00000},password{i}\n")));
        dir.Write("moves.yaml", """
            jobs:
              - name: "{user}"
                for_each: accounts.csv
                source: { url: "imaps://{user}@old.example", password: "{password}" }
                target: { url: "imaps://{user}@new.example", password: "{password}" }
            """);
        var environment = new Dictionary<string, string> { ["HOME"] = dir.Path, ["IMAPSYNC_FLEET_POSTGRES"] = postgres.ConnectionString };
        await using var server = FleetProcess.Start(dir.Path, environment, "serve", "--data", dir["data"], "--listen", "127.0.0.1:0", "--slots", "0");
        environment["IMAPSYNC_FLEET_TOKEN"] = await server.SeesAsync("token: ");
        environment["IMAPSYNC_FLEET_URL"] = await server.SeesAsync("url: ");
        var began = TimeProvider.System.GetTimestamp();
        var (status, words) = await FleetProcess.RunAsync(dir.Path, environment, "submit", "moves.yaml", "--paused");
        Assert.True(status == 0, words);
        Say($"submitted by the command in {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0.0} s");
        await using var one = FleetProcess.Start(dir.Path, environment, "worker", "--data", dir["data"], "--name", "one", "--slots", "10");
        await using var two = FleetProcess.Start(dir.Path, environment, "worker", "--data", dir["data"], "--name", "two", "--slots", "10");
        await one.SeesAsync("Working on");
        await two.SeesAsync("Working on");
        await WaitAsync(IsLong ? TimeSpan.FromSeconds(15) : TimeSpan.Zero);

        await ExecuteAsync(database, "select pg_stat_statements_reset()");
        var (serving, first, second) = (server.Cpu, one.Cpu, two.Cpu);
        var since = TimeProvider.System.GetTimestamp();
        await WaitAsync(Idle);
        var minutes = TimeProvider.System.GetElapsedTime(since).TotalMinutes;
        Say($"idle for {minutes * 60:0} s, processor seconds a minute: serve {(server.Cpu - serving).TotalSeconds / minutes:0.00}, workers {(one.Cpu - first).TotalSeconds / minutes:0.00} and {(two.Cpu - second).TotalSeconds / minutes:0.00}");
        Say($"connections: {await NumberAsync("select count(*) from pg_stat_activity where application_name = 'imapsync-fleet'")}");
        Say($"statements a minute: {await NumberAsync("select coalesce(sum(calls), 0) from pg_stat_statements") / minutes:0}, which take {await NumberAsync("select coalesce(sum(total_exec_time), 0) from pg_stat_statements") / minutes:0} ms");
        foreach (var line in await StatementsAsync(minutes))
            Say(line);
        await using var list = await FleetStore.OpenPostgresAsync(postgres.ConnectionString, null, Stop);
        Assert.Equal(Accounts, (await list.ReadBatchesAsync(Stop)).Single().Counts[AccountStatus.Paused]);
        foreach (var process in new[] { one, two, server })
        {
            await process.SignalAsync("TERM");
            Assert.Equal(0, await process.WaitAsync());
        }
    }

    /// <summary>The workers are simulated in this process: they make the same database calls as real workers.</summary>
    [Fact]
    public async Task Many_workers_hold_ten_accounts_each_and_every_one_is_renewed()
    {
        var patient = new FleetTimes { Lease = TimeSpan.FromHours(1), Ready = TimeSpan.FromHours(1), Silence = TimeSpan.FromHours(1) };
        await using var list = await FleetStore.OpenPostgresAsync(postgres.ConnectionString, patient, Stop);
        var rows = Enumerable.Range(0, Math.Max(Accounts, 2 * Workers * SlotsEach))
            .Select(i => new NewAccount($"a{i:00000}", $"m{i}", $"imaps://a{i}@old.example", $"imaps://a{i}@new.example", "old.example", "new.example", 1, 1, "cells")).ToList();
        await list.SubmitAsync(new NewBatch("all", "job", 0, null, "UTC", false), rows, Stop);
        var names = Enumerable.Range(0, Workers).Select(i => $"w{i:0000}").ToList();
        await TimeAsync("heartbeats", names.Count, () => EachAsync(names, n => list.SeenAsync(n, SlotsEach, "1", false, Stop)));
        IReadOnlyList<Offer> offers = [];
        await TimeAsync($"feeder, {Workers * SlotsEach} given out", 1, async () => offers = await list.FeedAsync((_, _, _) => null, Stop));
        Assert.Equal(Workers * SlotsEach, offers.Count);
        await TimeAsync("accounts begun", offers.Count, () => EachAsync(offers, async o => Assert.NotNull(await list.StartAsync(o.Account, o.Attempt, o.Worker, Stop))));
        await TimeAsync("feeder, all slots taken", 1, () => list.FeedAsync((_, _, _) => null, Stop));
        var byWorker = offers.ToLookup(o => o.Worker);
        await TimeAsync($"renewals of {SlotsEach}", names.Count, () => EachAsync(names, async n =>
            Assert.Equal(SlotsEach, (await list.RenewAsync(n, [.. byWorker[n].Select(o => new AccountProgress(o.Account, o.Attempt, 100, 10, 1000, "INBOX"))], Stop)).Count)));
        var ended = offers.Where((_, i) => i % 50 == 0).ToList();
        await TimeAsync("accounts ended", ended.Count, () => EachAsync(ended, async o => Assert.True(await list.FinishAsync(o.Worker, new AttemptEnd(o.Account, o.Attempt, AccountStatus.Done, 0, 0, "done") { Report = "{}" }, Stop))));
        await TimeAsync($"feeder, {ended.Count} given out", 1, async () => Assert.Equal(ended.Count, (await list.FeedAsync((_, _, _) => null, Stop)).Count));
        await TimeAsync("counts of all lists", 1, () => list.ReadBatchesAsync(Stop));
    }

    public async ValueTask DisposeAsync()
    {
        await database.DisposeAsync();
        NpgsqlConnection.ClearAllPools();
        await postgres.DisposeAsync();
        dir.Dispose();
    }

    private static Task EachAsync<T>(IEnumerable<T> items, Func<T, Task> work) =>
        Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Stop }, async (item, _) => await work(item));

    /// <summary>Writes how much wall time and how much database time each of several calls took.</summary>
    private async Task TimeAsync(string what, int calls, Func<Task> work)
    {
        await ExecuteAsync(database, "select pg_stat_statements_reset()");
        var since = TimeProvider.System.GetTimestamp();
        await work();
        var passed = TimeProvider.System.GetElapsedTime(since).TotalMilliseconds;
        var inside = await NumberAsync("select coalesce(sum(total_exec_time), 0) from pg_stat_statements where query not like '%pg_stat_statements%'");
        Say($"{Workers} workers, {what}: {calls} in {passed:0} ms; of the database's time {inside / calls:0.00} ms each");
    }

    private static Task WaitAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System, Stop);

    private static void Say(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);

    private static async Task ExecuteAsync(NpgsqlDataSource at, string text)
    {
        await using var command = at.CreateCommand(text);
        await command.ExecuteNonQueryAsync(Stop);
    }

    private async Task<double> NumberAsync(string text)
    {
        await using var command = database.CreateCommand(text);
        return Convert.ToDouble(await command.ExecuteScalarAsync(Stop), CultureInfo.InvariantCulture);
    }

    private async Task<List<string>> StatementsAsync(double minutes)
    {
        await using var command = database.CreateCommand(
            "select calls, mean_exec_time, regexp_replace(query, '\\s+', ' ', 'g') from pg_stat_statements where query not like '%pg_stat%' order by total_exec_time desc limit 25");
        await using var reader = await command.ExecuteReaderAsync(Stop);
        var lines = new List<string>();
        while (await reader.ReadAsync(Stop))
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"  {reader.GetInt64(0) / minutes:0.0} a minute, {reader.GetDouble(1):0.000} ms: {reader.GetString(2)[..Math.Min(110, reader.GetString(2).Length)]}"));
        return lines;
    }
}
