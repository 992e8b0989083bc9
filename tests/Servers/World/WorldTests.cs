using System.Collections.Concurrent;
using System.Globalization;
using Imapsync.Servers.Tests.Model;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.World;

/// <summary>The second model test: disks put back, numbers left out, people at work, rules that change, restores.</summary>
public sealed class WorldTests
{
    private const int FailuresShown = 20;

    [Fact]
    public async Task Whatever_disks_servers_and_people_do_nothing_is_lost_doubled_wrongly_removed_or_untold()
    {
        var seed = Seeds.Next();
        await using var servers = await ModelServers.StartAsync();
        var tally = new WorldTally();
        var output = TestContext.Current.TestOutputHelper;
        output?.WriteLine($"first seed {seed}");
        var failures = new ConcurrentBag<string>();
        await Parallel.ForAsync(0, Rounds(), new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (i, _) =>
        {
            await using var round = new WorldRound(seed + i, servers, tally);
            try
            {
                await round.PlayAsync();
            }
            catch (Exception e)
            {
                var failure = $"{(e is Xunit.Sdk.XunitException ? e.Message : e)}\n  {round.Story}\nAgain with IMAPSYNC_SEED={seed + i}";
                failures.Add(failure);
                output?.WriteLine(failure);
            }

            if (tally.AddRound() % 100 == 0)
                output?.WriteLine($"{failures.Count} rounds failed so far\n{tally}");
        });
        if (Environment.GetEnvironmentVariable("IMAPSYNC_MODEL_TABLE") is { } file)
            await File.WriteAllTextAsync(file, tally.ToString(), TestContext.Current.CancellationToken);
        Assert.True(failures.IsEmpty, $"{failures.Count} rounds of {Rounds()} failed (first seed {seed})\n\n{string.Join("\n\n", failures.Take(FailuresShown))}\n\n{tally}");
    }

    /// <summary>IMAPSYNC_ROUNDS, if it says; a seed repeats the one round it belongs to.</summary>
    private static int Rounds()
    {
        if (Environment.GetEnvironmentVariable("IMAPSYNC_ROUNDS") is { } given)
            return int.Parse(given, CultureInfo.InvariantCulture);
        if (Environment.GetEnvironmentVariable("IMAPSYNC_SEED") is not null)
            return 1;
        return Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1" ? 2000 : 16;
    }
}
