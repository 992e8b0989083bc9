using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Crash.States;

/// <summary>
/// After a power cut, unlike after <c>kill -9</c>, unsynced data may be lost, partly written or reordered. From every possible state, the
/// next run must bring each message to the target exactly once.
/// </summary>
public sealed class CrashStateTests
{
    private const int FailuresShown = 10;

    private static readonly Survival[] Survivals = Enum.GetValues<Survival>();

    [Fact]
    public async Task Whatever_a_power_cut_leaves_the_next_run_loses_and_doubles_nothing()
    {
        var seed = Seeds.Next();
        var failures = new ConcurrentQueue<string>();
        var rows = new ConcurrentDictionary<int, string>();
        await Parallel.ForEachAsync(CrashRuns.All.Index(), new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, async (item, _) =>
        {
            using var run = await item.Item(seed);
            rows[item.Index] = await TryStatesAsync(run, seed, failures);
        });
        var table = new StringBuilder("| run | file operations | crash states | lost | doubled | otherwise wrong |\n| --- | ---: | ---: | ---: | ---: | ---: |\n");
        foreach (var (_, row) in rows.OrderBy(r => r.Key))
            table.Append(row);
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}\n{table}");
        if (Environment.GetEnvironmentVariable("IMAPSYNC_CRASH_TABLE") is { } file)
            await File.WriteAllTextAsync(file, table.ToString(), TestContext.Current.CancellationToken);
        Assert.True(failures.IsEmpty, $"{failures.Count} states, seed {seed}\n{table}\n{string.Join("\n\n", failures.Take(FailuresShown))}");
    }

    /// <summary>
    /// Simulates crashes at moments spread over the whole run. Takes the ways in which unsynced data may survive in turn.
    /// </summary>
    private static async Task<string> TryStatesAsync(RecordedRun run, int seed, ConcurrentQueue<string> failures)
    {
        var (count, lost, doubled, wrong) = (States(), 0, 0, 0);
        var model = await run.BeginAsync();
        var done = 0;
        for (var i = 0; i < count; i++)
        {
            var random = new Random(HashCode.Combine(seed, i));
            for (var until = 1 + (int)((long)i * run.Operations.Count / count); done < until; done++)
                model.Do(run.Operations[done]);
            var survival = Survivals[(i + seed) % Survivals.Length];
            model.WriteCrash(survival, random);
            var verdict = await VerdictAsync(run);
            (lost, doubled) = (lost + verdict.Lost, doubled + verdict.Doubled);
            if (verdict.Text.Length == 0)
                continue;
            wrong += verdict.Lost + verdict.Doubled == 0 ? 1 : 0;
            failures.Enqueue($"{run.Name}, state {i}: {survival} after operation {done} of {run.Operations.Count}, {run.Operations[done - 1]}\n{verdict.Text}");
        }

        return string.Create(CultureInfo.InvariantCulture, $"| {run.Name} | {run.Operations.Count:N0} | {count:N0} | {lost} | {doubled} | {wrong} |\n");
    }

    private static async Task<CrashVerdict> VerdictAsync(RecordedRun run)
    {
        try
        {
            return await run.RecoverAsync();
        }
        catch (Exception e)
        {
            return new CrashVerdict(0, 0, e.ToString());
        }
    }

    /// <summary>The number of crash states to try for each recorded run: the value of IMAPSYNC_STATES, or a default.</summary>
    private static int States() => Environment.GetEnvironmentVariable("IMAPSYNC_STATES") is { } given
        ? int.Parse(given, CultureInfo.InvariantCulture)
        : Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1" ? 600 : 35;
}
