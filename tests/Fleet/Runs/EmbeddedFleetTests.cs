using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Tests.Runs;

/// <summary>A fleet on one machine without a database server, run by <c>serve</c> alone.</summary>
public sealed class EmbeddedFleetTests
{
    private static int Accounts => Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1" ? 100 : 24;

    [Fact(Timeout = 580_000)]
    public async Task A_process_that_is_killed_in_the_middle_and_started_again_moves_every_account_whole_within_the_limits()
    {
        await using var lab = await FleetLab.StartAsync(Accounts, messages: 40);
        lab.Hosts = $"  \"127.0.0.1:{lab.SourceLine.Port}\": {{ connections: 6 }}\n  \"127.0.0.1:{lab.TargetLine.Port}\": {{ connections: 5 }}\n";
        lab.WriteJob();
        await using (var first = lab.Serve("--slots", "8"))
        {
            await lab.KnowAsync(first);
            Assert.Contains($"{Accounts} accounts", await lab.CommandAsync("submit", "moves.yaml"), StringComparison.Ordinal);
            await using var seen = await lab.OpenListAsync();
            await FleetLab.UntilAsync(seen, a => a.Any(x => x.Status == AccountStatus.Done) && a.Any(x => x.Copied > 0 || x.Status == AccountStatus.Running), first);
            await first.SignalAsync("KILL");
            await first.WaitAsync();
        }

        await using var second = lab.Serve("--slots", "8");
        await lab.KnowAsync(second);
        await using var list = await lab.OpenListAsync();
        await FleetLab.UntilAsync(list, a => a.All(x => x.Status == AccountStatus.Done), second);
        await lab.AllEqualAsync();
        Assert.InRange(lab.SourceLine.MostAtOnce, 1, 6);
        Assert.InRange(lab.TargetLine.MostAtOnce, 1, 5);
        Assert.Contains($"{Accounts} done", await lab.CommandAsync("status"), StringComparison.Ordinal);
        await second.SignalAsync("TERM");
        Assert.Equal(0, await second.WaitAsync());
        foreach (var file in Directory.EnumerateFiles(lab.Dir["data"], "*", SearchOption.AllDirectories))
            Assert.DoesNotContain("open-sesame", System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)), StringComparison.Ordinal);
        Assert.DoesNotContain("open-sesame", second.Words, StringComparison.Ordinal);
    }
}
