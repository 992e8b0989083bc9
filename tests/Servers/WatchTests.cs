using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary><c>imapsync watch</c> of a real account. Changes at the source soon reach the Maildir, even if connections break.</summary>
public sealed class WatchTests
{
    private const string WithoutNotify = "IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT CONDSTORE QRESYNC LIST-EXTENDED LIST-STATUS SPECIAL-USE MOVE";

    private const int Cuts = 20;

    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1";

    [Theory]
    [InlineData("NOTIFY on all of the user's own folders", null, "Lists/cats")]
    [InlineData("IDLE on INBOX", WithoutNotify, "INBOX")]
    public async Task What_happens_at_the_source_is_told_and_done_at_the_target(string how, string? capability, string folder)
    {
        await using var lab = await StartAsync(capability);
        lab.Rules += "\nwatch: { every: 1d }";
        await using var watch = Watch(lab);
        await SeesAsync(watch, $"listened to by {how}; looked at every 24 h in any case");
        await UntilSameAsync(lab, watch);

        await using var probe = await lab.ConnectAsync();
        var took = new List<double>();
        for (var i = 0; i < 5; i++)
        {
            // Wait until the next run may start at once. A run soon after another one is delayed, and the measured time must not include
            // this delay.
            await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, TestContext.Current.CancellationToken);
            var began = TimeProvider.System.GetTimestamp();
            await probe.AppendAsync(folder, MailGenerator.Message(1000 + i));
            await UntilSameAsync(lab, watch);
            took.Add(TimeProvider.System.GetElapsedTime(began).TotalSeconds);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{how}: at the target after {string.Join(", ", took.Select(t => t.ToString("0.00", CultureInfo.InvariantCulture)))} s");
        await probe.CommandAsync($"SELECT {ImapProbe.Quote(folder)}");
        await probe.CommandAsync("STORE 1 +FLAGS (\\Flagged)");
        await UntilSameAsync(lab, watch);
        await probe.CommandAsync("STORE 2 +FLAGS (\\Deleted)");
        await probe.CommandAsync("EXPUNGE");
        await UntilSameAsync(lab, watch);
        if (capability is null)
        {
            await probe.CommandAsync("CREATE \"Quite new\"");
            await probe.AppendAsync("Quite new", MailGenerator.Message(2000));
            await UntilSameAsync(lab, watch);
        }

        await StopAsync(watch, PosixSignal.SIGINT);
        Assert.Contains(lab.Line.Commands, c => c.StartsWith(capability is null ? "NOTIFY SET" : "IDLE", StringComparison.Ordinal));
        await lab.TargetEqualsSourceAsync();
    }

    /// <summary>
    /// The server does not report the change: it has no IDLE, refuses or ends IDLE, or reports only about another folder. The change is
    /// found because the program looks at the source every 10 seconds.
    /// </summary>
    [Theory]
    [InlineData("IMAP4rev1 SASL-IR LITERAL+ NAMESPACE UIDPLUS CONDSTORE LIST-EXTENDED LIST-STATUS", "looked at every 10 s: the source tells nothing of changes by itself", null)]
    [InlineData(WithoutNotify, "looked at every 10 s: the source tells nothing of changes by itself", "NO [CANNOT] not for you")]
    [InlineData(WithoutNotify, "looked at every 10 s: the source tells nothing of changes by itself", "OK so what")]
    [InlineData(WithoutNotify, "listened to by IDLE on Lists/dogs", null)]
    public async Task What_nobody_tells_of_is_found_by_looking(string capability, string told, string? toIdle)
    {
        await using var lab = await StartAsync(capability);
        lab.Rules += "\nwatch: { every: 10s, folders: [Lists/dogs] }";
        if (toIdle is not null)
            lab.Line.Rules = new FaultRules { AnswerInstead = (_, command) => command == "IDLE" ? toIdle : null };
        await using var watch = Watch(lab);
        await SeesAsync(watch, told);
        await UntilSameAsync(lab, watch);
        await using var probe = await lab.ConnectAsync();
        await probe.AppendAsync("Lists/cats", MailGenerator.Message(1000));
        await UntilSameAsync(lab, watch);
        await StopAsync(watch, PosixSignal.SIGTERM);
    }

    [Fact]
    public async Task Other_runs_get_their_turn_and_the_history_is_one_of_ordinary_runs()
    {
        await using var lab = await StartAsync(null);
        await using var watch = Watch(lab);
        await UntilSameAsync(lab, watch);
        await using var probe = await lab.ConnectAsync();
        for (var i = 0; ; i++)
        {
            await probe.AppendAsync("INBOX", MailGenerator.Message(1000 + i));
            var run = await lab.RunAsync();
            if (run.Status == 0)
                break;
            Assert.True(run.Status == 10, run.ToString());
            Assert.Contains("another run holds this job: pid ", run.Error, StringComparison.Ordinal);
        }

        // A second process watches the same job; its runs and those of the first process take turns.
        await using (var other = Watch(lab))
        {
            await SeesAsync(other, "listened to by");
            await probe.AppendAsync("INBOX", MailGenerator.Message(2000));
            await UntilSameAsync(lab, watch);
            await StopAsync(other, PosixSignal.SIGINT);
        }

        await probe.AppendAsync("INBOX", MailGenerator.Message(2001));
        await UntilSameAsync(lab, watch);
        await StopAsync(watch, PosixSignal.SIGINT);
        await using var status = ImapsyncProcess.Start(lab.Dir.Create("home"), ["status", lab.JobFile, "--max-age", "1h"], lab.Environment);
        var standing = await status.WaitAsync();
        Assert.True(standing.Status == 0, standing.ToString());
    }

    [Fact]
    public async Task The_service_manager_is_told_that_it_is_ready_alive_and_stopping()
    {
        await using var lab = await StartAsync(null);
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(lab.Dir["notify"]));
        lab.Environment["NOTIFY_SOCKET"] = lab.Dir["notify"];
        lab.Environment["WATCHDOG_USEC"] = "200000";
        await using var watch = Watch(lab);
        await HearsAsync("READY=1\nSTATUS=watching 1 job");
        await HearsAsync("WATCHDOG=1");
        await HearsAsync("WATCHDOG=1");
        watch.Signal(PosixSignal.SIGTERM);
        await HearsAsync("STOPPING=1");
        Assert.Equal(0, (await watch.WaitAsync()).Status);

        async Task HearsAsync(string expected)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2), TimeProvider.System);
            var datagram = new byte[1000];
            while (Encoding.UTF8.GetString(datagram, 0, await manager.ReceiveAsync(datagram, patience.Token)) != expected)
            {
            }
        }
    }

    [Fact]
    public async Task A_wrong_password_is_told_at_once_and_the_other_jobs_are_watched()
    {
        await using var lab = await StartAsync(null);
        lab.WriteJob();
        var text = await File.ReadAllTextAsync(lab.JobFile, TestContext.Current.CancellationToken);
        var other = text[text.IndexOf("  - name", StringComparison.Ordinal)..].Replace("name: alice", "name: bob", StringComparison.Ordinal)
            .Replace(lab.StateDirectory, lab.Dir["bob"], StringComparison.Ordinal).Replace(lab.TargetDirectory, lab.Dir["bobs-mail"], StringComparison.Ordinal)
            .Replace(BackupLab.PasswordVariable, "WRONG", StringComparison.Ordinal);
        await File.WriteAllTextAsync(lab.JobFile, text + other, TestContext.Current.CancellationToken);
        var environment = new Dictionary<string, string>(lab.Environment) { ["WRONG"] = "not it" };
        await using var watch = ImapsyncProcess.Start(lab.Dir.Create("home"), ["watch", lab.JobFile], environment);
        await SeesAsync(watch, "bob: not watched, FAILED, login refused: correct it and start again");
        await UntilSameAsync(lab, watch);
        watch.Signal(PosixSignal.SIGINT);
        var result = await watch.WaitAsync();
        Assert.True(result.Status == 12, result.ToString());
    }

    /// <summary>
    /// Mail arrives and is deleted while connections break. Compares the memory used after a tenth of the changes with that at the end.
    /// </summary>
    [Fact]
    public async Task Nothing_is_missing_after_a_storm_of_changes_and_twenty_cuts()
    {
        var (seed, changes) = (Seeds.Next(), IsLong ? 10_000 : 300);
        var random = new Random(seed);
        await using var lab = await StartAsync(null);
        lab.Rules += "\nretry: { max_delay: 1s }\nwatch: { every: 1m }";
        await using var watch = Watch(lab);
        await UntilSameAsync(lab, watch);
        await using var probe = await lab.ConnectAsync();
        // All connections are cut, those that copy and those that wait with IDLE.
        lab.Line.NextRules = () => new FaultRules { CutAfterFromServer = random.Next(1000, 5000), MostFaults = Cuts };
        var atFirst = 0L;
        for (var done = 0; done < changes || lab.Line.Faults.Count < Cuts; done++)
        {
            Assert.True(done < changes + 20_000, $"seed {seed}: {lab.Line.Faults.Count} cuts");
            await ChangeAsync(probe, random, done);
            if (done == changes / 10)
            {
                await UntilSameAsync(lab, watch, seed);
                atFirst = await ResidentKiBAsync(watch);
            }
        }

        lab.Line.NextRules = null;
        await UntilSameAsync(lab, watch, seed);
        var atEnd = await ResidentKiBAsync(watch);
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}: {changes} changes, {lab.Line.Faults.Count} cuts, {atFirst} KiB after a tenth, {atEnd} KiB at the end");
        if (IsLong)
            Assert.True(atEnd <= atFirst * 1.1, $"seed {seed}: {atFirst} KiB, then {atEnd} KiB");
        await StopAsync(watch, PosixSignal.SIGTERM);
        await lab.TargetEqualsSourceAsync($"seed {seed}");
    }

    private static async Task<BackupLab> StartAsync(string? capability)
    {
        var lab = await BackupLab.StartAsync(
            mailbox =>
            {
                foreach (var folder in (string[])["Lists", "Lists/cats", "Lists/dogs"])
                    mailbox.AddFolder(folder);
                for (var i = 0; i < 20; i++)
                    mailbox.Add(i % 2 == 0 ? "INBOX" : "Lists/cats", MailGenerator.Message(i), MailGenerator.Date(i));
            },
            new DovecotOptions { Capability = capability });
        lab.Rules = "deletions: mirror\ndeletion_limit: 100%";
        return lab;
    }

    private static async Task ChangeAsync(ImapProbe probe, Random random, int number)
    {
        var folder = random.Next(3) switch { 0 => "Lists/cats", 1 => "Lists/dogs", _ => "INBOX" };
        var kind = random.Next(10);
        if (kind < 6)
        {
            await probe.AppendAsync(folder, MailGenerator.Message(10_000 + number));
            return;
        }

        await probe.CommandAsync($"SELECT {ImapProbe.Quote(folder)}");
        // The UID of a message, which usually exists.
        var uid = random.Next(1, 10 + (number / 4));
        if (kind < 8)
        {
            await probe.CommandAsync($"UID STORE {uid} {(random.Next(2) == 0 ? "+" : "-")}FLAGS (\\Flagged)");
            return;
        }

        await probe.CommandAsync($"UID STORE {uid} +FLAGS (\\Deleted)");
        await probe.CommandAsync("EXPUNGE");
    }

    private static ImapsyncProcess Watch(BackupLab lab)
    {
        lab.WriteJob();
        return ImapsyncProcess.Start(lab.Dir.Create("home"), ["watch", lab.JobFile], lab.Environment);
    }

    private static async Task StopAsync(ImapsyncProcess watch, PosixSignal signal)
    {
        watch.Signal(signal);
        var result = await watch.WaitAsync();
        Assert.True(result.Status == 0, result.ToString());
    }

    private static async Task SeesAsync(ImapsyncProcess watch, string text)
    {
        var seen = watch.SeesErrorAsync(text);
        if (await Task.WhenAny(seen, Task.Delay(TimeSpan.FromMinutes(2), TimeProvider.System, TestContext.Current.CancellationToken)) == seen && !watch.HasExited)
            return;
        watch.Kill();
        Assert.Fail($"not told: {text}\n{await watch.WaitAsync()}");
    }

    private static async Task UntilSameAsync(BackupLab lab, ImapsyncProcess watch, int seed = 0)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(IsLong ? 20 : 2), TimeProvider.System);
        var difference = "nothing is there";
        while (true)
        {
            try
            {
                if (Directory.Exists(lab.TargetDirectory))
                    difference = MaildirReader.Read(lab.TargetDirectory).DifferenceFrom(await lab.SourceAsync());
                if (difference.Length == 0)
                    return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A file was renamed while it was read; compare again.
            }

            if (patience.IsCancellationRequested || watch.HasExited)
            {
                watch.Kill();
                Assert.Fail($"seed {seed}: {difference}\n{await watch.WaitAsync()}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Returns the resident memory in KiB once no run is active and the process has released memory.</summary>
    private static async Task<long> ResidentKiBAsync(ImapsyncProcess process)
    {
        if (IsLong)
            await Task.Delay(TimeSpan.FromSeconds(25), TimeProvider.System, TestContext.Current.CancellationToken);
        var line = File.ReadAllLines($"/proc/{process.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.AsSpan(6).Trim().TrimEnd("kB"), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
    }
}
