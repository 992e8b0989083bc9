using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Crash;

/// <summary>kill -9 at any moment, then another run: no message missing, none twice, no temporary file left.</summary>
public sealed class KillTests
{
    private static readonly int Kills = Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1" ? 200 : 20;

    [Fact]
    public Task A_first_run_into_a_Maildir_killed_twenty_times_loses_and_doubles_nothing() => KillAsync(
        lab => "maildir:" + lab.TargetDirectory,
        lab =>
        {
            Assert.Empty(MaildirReader.TemporaryFiles(lab.TargetDirectory));
            return Task.FromResult(MaildirReader.Read(lab.TargetDirectory));
        });

    [Fact]
    public Task A_first_run_into_mbox_files_killed_twenty_times_loses_and_doubles_nothing() => KillAsync(
        lab => "mbox:" + lab.TargetDirectory,
        lab => StoreReader.ReadMboxAsync(lab.TargetDirectory));

    private static async Task KillAsync(Func<BackupLab, string> target, Func<BackupLab, Task<MailboxSnapshot>> read)
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 1500, AwkwardNames = true });
        await using (var probe = await lab.ConnectAsync())
        {
            for (var i = 0; i < 3; i++)
                await probe.AppendAsync("INBOX", MailGenerator.Message(9000), "\\Seen");
        }

        var expected = await lab.SourceAsync();
        var octets = expected.Folders.Values.Sum(f => f.Messages.Sum(m => m.Length));
        lab.Target = target(lab);
        var killed = 0;
        for (var i = 0; i < Kills; i++)
        {
            // The kill comes after a random number of octets; small and large orders of magnitude are equally likely.
            var moment = (long)Math.Exp(Math.Log(500) + (random.NextDouble() * Math.Log(octets / 5.0 / 500)));
            await using var process = lab.Start();
            lab.Line.CallAfterFromServer(lab.Line.TotalFromServer + moment, process.Kill);
            killed += (await process.WaitAsync()).Status == 0 ? 0 : 1;
        }

        Assert.True(killed > Kills / 2, $"only {killed} runs were killed, seed {seed}");
        var last = await lab.RunAsync();
        Assert.True(last.Status == 0, $"seed {seed}\n{last}");
        last.AddsUp();
        BackupLab.Same(expected, await read(lab), $"seed {seed}");
        Assert.DoesNotContain(Directory.EnumerateFiles(lab.Dir.Path, "*.tmp*", SearchOption.AllDirectories), f => !f.StartsWith(lab.Server.Directory, StringComparison.Ordinal));

        var again = await lab.SucceedAsync();
        Assert.True(again.Total("copied") == 0, $"seed {seed}\n{again}");
    }
}
