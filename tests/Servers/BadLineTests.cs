using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Connections that break, stall, or have a long round-trip time.</summary>
public sealed class BadLineTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_line_that_breaks_a_few_times_costs_time_and_no_mail(bool inGoodOrder)
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 400, AwkwardNames = true });
        lab.Line.Rules = new FaultRules { CutAfterFromServer = random.Next(20_000, 400_000), CutWithFin = inGoodOrder, MostFaults = 3 };

        var outcome = await lab.RunAsync();

        Assert.True(outcome.Status == 0 && lab.Line.Faults.Count == 3, $"seed {seed}, {lab.Line.Faults.Count} cuts\n{outcome}");
        outcome.AddsUp();
        await lab.TargetEqualsSourceAsync($"seed {seed}");
    }

    [Fact]
    public async Task A_line_that_gives_one_octet_at_a_time_changes_nothing()
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 20, MedianBytes = 500, AwkwardNames = true });
        lab.Line.Rules = new FaultRules { PieceBytes = 1 };
        await lab.SucceedAsync();
        await lab.TargetEqualsSourceAsync();
    }

    [Fact]
    public async Task Round_trips_do_not_follow_the_number_of_messages()
    {
        await using var few = await BackupLab.StartAsync(new MailboxPlan { Messages = 100 });
        await few.SucceedAsync();
        await using var many = await BackupLab.StartAsync(new MailboxPlan { Messages = 2000 });
        await many.SucceedAsync();

        var (before, after) = (few.Line.Connections.Sum(c => c.Turns), many.Line.Connections.Sum(c => c.Turns));
        Assert.True(after - before < 200, $"{before} round trips for 100 messages, {after} for 2000");
    }
}
