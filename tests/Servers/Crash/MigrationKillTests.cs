using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Crash;

/// <summary>kill -9 at any moment of a migration, then another run: exactly one copy of each message.</summary>
public sealed class MigrationKillTests
{
    private static readonly int Kills = Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1" ? 300 : 50;

    [Fact]
    public async Task Killed_fifty_times_it_loses_and_doubles_nothing()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        await using var lab = await MigrationLab.StartAsync(
            mailbox =>
            {
                for (var i = 0; i < 600; i++)
                    mailbox.Add($"Folder {i % 4}", MailGenerator.Message(i % 10 == 4 ? i - 4 : i, 3000), MailGenerator.Date(i), "Sa");
            });
        var expected = await lab.Job.SourceAsync();
        for (var (kills, runs) = (0, 0); kills < Kills; runs++)
        {
            Assert.True(runs < 4 * Kills, $"only {kills} of {runs} runs were killed, seed {seed}");
            // The kill comes after a random number of octets; small and large orders of magnitude are equally likely.
            var (line, most) = random.Next(2) == 0 ? (lab.Job.Line, 1_000_000) : (lab.TargetLine, 10_000);
            var moment = (long)Math.Exp(Math.Log(500) + (random.NextDouble() * Math.Log(most / 500.0)));
            await using var process = lab.Job.Start();
            line.CallAfterFromServer(line.TotalFromServer + moment, process.Kill);
            var status = (await process.WaitAsync()).Status;
            lab.Forget();
            if (status != 0)
            {
                kills++;
                continue;
            }

            // The run ended before the kill, so the migration is complete. Start another one without state, into another account.
            BackupLab.Same(expected, await lab.TargetAsync(), $"seed {seed}, after {kills} kills");
            (lab.User, lab.Job.StateName) = ($"user{runs}", $"state{runs}");
        }

        var last = await lab.RunAsync();
        Assert.True(last.Status == 0, $"seed {seed}\n{last}");
        last.AddsUp();
        BackupLab.Same(expected, await lab.TargetAsync(), $"seed {seed}");
    }
}
