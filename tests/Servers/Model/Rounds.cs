using System.Collections.Concurrent;
using System.Globalization;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Model;

/// <summary>A test of one random mailbox, repeatable by its seed.</summary>
internal interface IRound : IAsyncDisposable
{
    /// <summary>What happened in the round, for the person who looks into a failure.</summary>
    string Story { get; }

    Task PlayAsync();
}

/// <summary>
/// Plays test rounds and reports each failed one with the seed that repeats it. IMAPSYNC_ROUNDS sets the number of rounds (2,000 by default
/// in long mode); IMAPSYNC_SEED plays only the round of that seed.
/// </summary>
/// <param name="few">The number of rounds in a normal test run.</param>
internal sealed class Rounds(int few)
{
    private const int FailuresShown = 20;
    private const int Many = 2000;

    /// <param name="begin">Creates the round of a seed.</param>
    /// <param name="onEnd">Called at the end of each round, with its failure or null. Returns the number of ended rounds.</param>
    /// <param name="table">The totals so far.</param>
    public async Task PlayAsync(int atOnce, Func<int, IRound> begin, Func<Exception?, int> onEnd, Func<string> table)
    {
        var seed = Seeds.Next();
        var output = TestContext.Current.TestOutputHelper;
        output?.WriteLine($"first seed {seed}");
        var failures = new ConcurrentBag<string>();
        await Parallel.ForAsync(0, Count(), new ParallelOptions { MaxDegreeOfParallelism = atOnce }, async (i, _) =>
        {
            Exception? failed = null;
            await using (var round = begin(seed + i))
            {
                try
                {
                    await round.PlayAsync();
                }
                catch (Exception e)
                {
                    failed = e;
                    var failure = $"{(e is Xunit.Sdk.XunitException or HangException ? e.Message : e)}\n  {round.Story}\nAgain with IMAPSYNC_SEED={seed + i}";
                    failures.Add(failure);
                    output?.WriteLine(failure);
                }
            }

            if (onEnd(failed) % 100 == 0)
                output?.WriteLine($"{failures.Count} rounds failed so far\n{table()}");
        });
        if (Environment.GetEnvironmentVariable("IMAPSYNC_MODEL_TABLE") is { } file)
            await File.WriteAllTextAsync(file, table(), TestContext.Current.CancellationToken);
        Assert.True(failures.IsEmpty, $"{failures.Count} rounds of {Count()} failed (first seed {seed})\n\n{string.Join("\n\n", failures.Take(FailuresShown))}\n\n{table()}");
    }

    private int Count()
    {
        if (Environment.GetEnvironmentVariable("IMAPSYNC_ROUNDS") is { } given)
            return int.Parse(given, CultureInfo.InvariantCulture);
        if (Environment.GetEnvironmentVariable("IMAPSYNC_SEED") is not null)
            return 1;
        return Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1" ? Many : few;
    }
}
