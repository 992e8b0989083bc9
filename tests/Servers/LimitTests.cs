using System.Globalization;
using Imapsync.Engine.State;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>
/// Limits of the job or the server: a job runs slower, several times or with fewer connections, but still copies everything.
/// </summary>
public sealed class LimitTests
{
    private static readonly MailboxPlan Plan = new() { Messages = 120, MedianBytes = 3000 };

    [Fact]
    public async Task A_limited_job_delivers_all_mail()
    {
        await using var lab = await MigrationLab.StartAsync(Plan);
        lab.Job.Endpoint += "\n      limits: { bytes_per_second: 2MB, messages_per_second: 200, connections: 3 }";
        lab.Job.Target += "\n      limits: { bytes_per_second: 2MB, messages_per_second: 200 }\n      timeouts: { connect: 1m, greeting: 1m, stall: 3m }";
        await lab.SucceedAsync();
        await lab.TargetEqualsSourceAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_days_budget_ends_each_run_cleanly_until_all_is_there(bool ofTarget)
    {
        await using var lab = await MigrationLab.StartAsync(Plan);
        const string limits = "\n      limits: { bytes_per_day: 300KB }";
        if (ofTarget)
            lab.Job.Target += limits;
        else
            lab.Job.Endpoint += limits;
        var before = 0L;
        RunOutcome outcome;
        for (var day = 1; (outcome = await lab.RunAsync()).Status == 3; day++)
        {
            Assert.True(day < 20, outcome.ToString());
            Assert.Equal("incomplete", outcome.Outcome);
            Assert.StartsWith("bytes_per_day: ", Assert.Single(outcome.Problems), StringComparison.Ordinal);
            outcome.AddsUp();
            Assert.NotEqual(0, outcome.Total("copied"));
            before += outcome.Total("copied");
            LetADayPass(Path.Combine(lab.Job.StateDirectory, ofTarget ? "budget-target" : "budget-source"));
        }

        Assert.True(outcome.Status == 0, outcome.ToString());
        Assert.NotEqual(0, before);
        // Each message is copied once: the stopped run recorded everything it had copied.
        Assert.Equal(outcome.Total("source_messages"), before + outcome.Total("copied"));
        await lab.TargetEqualsSourceAsync();
    }

    /// <summary>
    /// Folders are copied in parallel until the server refuses connections. No two folders may wait for each other's connection.
    /// </summary>
    [Fact]
    public async Task Servers_that_give_one_connection_each_hold_up_nothing()
    {
        var one = new DovecotOptions { Extra = "mail_max_userip_connections = 1" };
        await using var there = await MigrationLab.WithDovecotAsync(await BackupLab.StartAsync(new MailboxPlan { Messages = 700 }, one), one);
        var outcome = await there.SucceedAsync();
        Assert.Equal(700, outcome.Total("copied"));
        Assert.Equal(0, (await there.SucceedAsync()).Total("copied"));
    }

    [Fact]
    public async Task A_server_that_allows_fewer_connections_than_the_job_gets_all_mail_on_fewer()
    {
        await using var lab = await MigrationLab.StartAsync(
            Plan, new DovecotOptions { Extra = "mail_max_userip_connections = 2" });
        lab.Job.Endpoint += "\n      connections: 4";
        lab.Job.Target += "\n      limits: { connections: 4 }";
        var outcome = await lab.SucceedAsync();
        outcome.AddsUp();
        await lab.TargetEqualsSourceAsync();
    }

    /// <summary>Moves each hour in the file of a daily transfer budget one day back, as if a day had passed.</summary>
    private static void LetADayPass(string budget)
    {
        var lines = File.ReadAllLines(budget);
        for (var i = 1; i < lines.Length; i++)
        {
            var hour = DateTime.ParseExact(lines[i][..13], "yyyy-MM-dd'T'HH", CultureInfo.InvariantCulture);
            lines[i] = hour.AddDays(-1).ToString("yyyy-MM-dd'T'HH", CultureInfo.InvariantCulture) + lines[i][13..];
        }

        File.WriteAllLines(budget, lines);
    }
}
