using System.Collections.Concurrent;
using System.Globalization;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Model;

/// <summary>Random mailboxes, random changes between runs, random faults in them: at the end nothing is lost and nothing doubled.</summary>
public sealed class ModelTests
{
    private const int FailuresShown = 20;

    [Fact]
    public async Task Whatever_happens_between_and_in_runs_the_target_ends_as_the_model()
    {
        var seed = Seeds.Next();
        await using var servers = await ModelServers.StartAsync();
        var tally = new ModelTally();
        var output = TestContext.Current.TestOutputHelper;
        output?.WriteLine($"first seed {seed}");
        var failures = new ConcurrentBag<string>();
        // Rounds spend half of their time waiting.
        await Parallel.ForAsync(0, Rounds(), new ParallelOptions { MaxDegreeOfParallelism = 2 * Environment.ProcessorCount }, async (i, _) =>
        {
            await using var round = new ModelRound(seed + i, servers, tally);
            try
            {
                await round.PlayAsync();
            }
            catch (Exception e)
            {
                if (e is HangException)
                    tally.AddHung();
                var failure = $"{(e is Xunit.Sdk.XunitException or HangException ? e.Message : e)}\n{round.Story}\nAgain with IMAPSYNC_SEED={seed + i}";
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
        return Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1" ? 2000 : 40;
    }
}
