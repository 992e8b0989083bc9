using Imapsync.Fleet.Listing;
using Imapsync.Tests.Support;

namespace Imapsync.Fleet.Tests.Runs;

/// <summary>Three workers on one real PostgreSQL, each of which is disturbed in a different way.</summary>
[Collection(OtherPostgresCollection.Name)]
public sealed class ClusterTests(PostgresFixture postgres)
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1";

    private static int Accounts => IsLong ? 300 : 24;

    /// <summary>
    /// The minimum time for which one worker is frozen (SIGSTOP). It stays frozen for longer if other workers need longer
    /// to take over all its accounts.
    /// </summary>
    private static TimeSpan Sleep => IsLong ? TimeSpan.FromSeconds(45) : TimeSpan.Zero;

    [Fact(Timeout = 1_500_000)]
    public async Task One_worker_killed_one_ended_one_frozen_and_the_database_restarted_every_account_is_complete()
    {
        await using var lab = await FleetLab.StartAsync(Accounts, messages: 40);
        lab.Postgres = await postgres.NewDatabaseAsync();
        lab.WriteJob();
        await using var server = lab.Serve("--slots", "0");
        await lab.KnowAsync(server);
        await using var killed = lab.Work("killed", 4);
        await using var ended = lab.Work("ended", 4);
        await using var frozen = lab.Work("frozen", 4);
        await using var list = await lab.OpenListAsync();
        // The target's connection is slowed so that the workers are disturbed in the middle of their work.
        lab.TargetLine.Rules = new FaultRules { BytesPerSecond = 4000 };
        await lab.CommandAsync("submit", "moves.yaml");
        await FleetLab.UntilAsync(list, a => Running(a, "killed") && Running(a, "ended") && Running(a, "frozen"), killed, ended, frozen);

        // From here on the database records which worker writes each part of state.
        await using var watch = await StateWatch.BeginAsync(lab.Postgres);
        await frozen.SignalAsync("STOP");
        // Look only at accounts whose attempt the frozen worker has begun. An account that was only offered to it may be begun by another
        // worker under the same attempt number.
        var asleep = Held(await FleetLab.AccountsAsync(list), "frozen");
        var (since, sinceAt) = (TimeProvider.System.GetTimestamp(), TimeProvider.System.GetUtcNow());
        await killed.SignalAsync("KILL");
        var orphaned = Held(await FleetLab.AccountsAsync(list), "killed");
        var killedAt = TimeProvider.System.GetUtcNow();
        await ended.SignalAsync("TERM");
        await using var fresh = lab.Work("fresh", 12);
        Assert.Equal(0, await ended.WaitAsync().WaitAsync(TestContext.Current.CancellationToken));

        // Wait until each of the frozen worker's accounts is run by another worker or finished.
        var taken = await FleetLab.UntilAsync(list, a => a.Where(x => asleep.ContainsKey(x.Id)).All(x => x.Status == AccountStatus.Done || (x.Attempt > asleep[x.Id] && x.Status == AccountStatus.Running)), fresh);
        // Leave out accounts that the frozen worker finished itself. Its statement was already on the way to
        // the database when it was frozen.
        foreach (var finished in taken.Where(x => asleep.TryGetValue(x.Id, out var attempt) && x.Attempt == attempt))
            asleep.Remove(finished.Id);
        Assert.NotEmpty(asleep);
        if (Sleep - TimeProvider.System.GetElapsedTime(since) is var rest && rest > TimeSpan.Zero)
            await Task.Delay(rest, TimeProvider.System, TestContext.Current.CancellationToken);
        TestContext.Current.TestOutputHelper?.WriteLine($"the frozen worker slept for {TimeProvider.System.GetElapsedTime(since).TotalSeconds:0.0} s");
        // The frozen worker can't begin a write now. So if it later writes state of an account that it has lost,
        // that write gets a higher number.
        var awakeFrom = await watch.MarkAsync();
        await frozen.SignalAsync("CONT");
        await postgres.Server.KillAsync();
        await postgres.Server.StartAsync();
        lab.TargetLine.Rules = new FaultRules();
        var all = await FleetLab.UntilAsync(list, a => a.All(x => x.Status == AccountStatus.Done), fresh, frozen);

        await lab.AllEqualAsync();
        Assert.All(asleep, a => Assert.True(all.Single(x => x.Id == a.Key).Attempt > a.Value));
        await SayTakenOverAsync(list, "frozen", asleep, sinceAt);
        await SayTakenOverAsync(list, "killed", orphaned, killedAt);
        var writes = await watch.ReadAsync();
        Assert.NotEmpty(writes);
        Assert.All(writes, w => Assert.Equal(w.Holder, w.Writer));
        var awake = writes.Where(w => w.Number > awakeFrom).ToList();
        Assert.DoesNotContain(awake, w => asleep.TryGetValue(w.Account, out var attempt) && w.Attempt <= attempt);
        TestContext.Current.TestOutputHelper?.WriteLine($"{writes.Count} parts of state written from the start of the watch, each by the worker that had the account, {awake.Count(w => w.Writer == "frozen")} of them by the one that was frozen, for attempts it was given since");
        await frozen.SignalAsync("TERM");
        Assert.Equal(0, await frozen.WaitAsync());
        await fresh.SignalAsync("TERM");
        Assert.Equal(0, await fresh.WaitAsync());
    }

    private static bool Running(IReadOnlyList<AccountView> accounts, string worker) => accounts.Any(a => a.Worker == worker && a.Status == AccountStatus.Running && a.Copied > 0);

    /// <summary>Returns the accounts that a worker is running, each with its attempt.</summary>
    private static Dictionary<long, long> Held(IReadOnlyList<AccountView> accounts, string worker) =>
        accounts.Where(a => a.Worker == worker && a.Status == AccountStatus.Running).ToDictionary(a => a.Id, a => a.Attempt);

    /// <summary>
    /// Prints how long after the worker was frozen or killed each of its accounts was begun again, in seconds, from the accounts' events.
    /// </summary>
    private static async Task SayTakenOverAsync(FleetStore list, string worker, Dictionary<long, long> had, DateTimeOffset since)
    {
        var seconds = new List<double>();
        foreach (var (account, attempt) in had)
        {
            var (_, events) = await list.ReadStoryAsync(account, TestContext.Current.CancellationToken);
            if (events.FirstOrDefault(e => e.Text.EndsWith($", attempt {attempt + 1}", StringComparison.Ordinal)) is { } begun)
                seconds.Add((DateTimeOffset.FromUnixTimeMilliseconds(begun.At) - since).TotalSeconds);
        }

        seconds.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine(seconds.Count == 0 ? $"{worker}: had nothing that another began" : $"{worker}: {seconds.Count} accounts begun by another {seconds[0]:0.0} to {seconds[^1]:0.0} s later, half of them within {seconds[seconds.Count / 2]:0.0} s");
    }
}
