using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Every connection is cut after about 2 MB in each direction; a single run still moves everything.</summary>
public sealed class FlakyLinkTests
{
    private static readonly int Megabytes = Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1" ? 300 : 20;

    [Fact]
    public async Task A_backup_over_a_line_cut_about_every_2_MB_needs_one_run()
    {
        var seed = Seeds.Next();
        await using var lab = await BackupLab.StartAsync(Plan());
        Cut(lab.Line, new Random(seed));

        var outcome = await lab.RunAsync();

        Check(outcome, seed, lab.Line);
        await lab.TargetEqualsSourceAsync($"seed {seed}");
    }

    [Fact]
    public async Task A_migration_over_two_lines_cut_about_every_2_MB_needs_one_run()
    {
        var seed = Seeds.Next();
        await using var lab = await MigrationLab.StartAsync(Plan());
        Cut(lab.Job.Line, new Random(seed));
        Cut(lab.TargetLine, new Random(seed + 1));

        var outcome = await lab.RunAsync();

        Check(outcome, seed, lab.Job.Line, lab.TargetLine);
        await lab.TargetEqualsSourceAsync($"seed {seed}");
    }

    /// <summary>Messages of 40 KB on average.</summary>
    private static MailboxPlan Plan() => new() { Messages = Megabytes * 25, MedianBytes = 20_000, MaxBytes = 1_000_000 };

    private static void Cut(FaultProxy line, Random random) => line.NextRules = () =>
    {
        var at = random.Next(1_500_000, 2_500_000);
        return new FaultRules { CutAfterFromServer = at, CutAfterFromClient = at, CutWithFin = random.Next(2) == 0 };
    };

    private static void Check(RunOutcome outcome, int seed, params FaultProxy[] lines)
    {
        var cuts = string.Join(" and ", lines.Select(l => l.Faults.Count));
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}: {outcome.Total("bytes"):N0} octets in {outcome.Total("copied")} messages, cuts: {cuts}");
        Assert.True(outcome.Status == 0, $"seed {seed}, cuts: {cuts}\n{outcome}");
        outcome.AddsUp();
        // All mail passes each proxy, and no connection carries more than 2.5 MB, so at least this many connections were cut.
        Assert.All(lines, l => Assert.True(l.Faults.Count >= outcome.Total("bytes") / 2_500_000 - 2, $"seed {seed}, cuts: {cuts}"));
    }
}
