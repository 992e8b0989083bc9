using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Snapshots;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Snapshots;

/// <summary>Snapshots of a Maildir backup: its state on earlier days, kept beside the current one.</summary>
public sealed class SnapshotTests : IDisposable
{
    private static readonly FolderPath[] Folders = [new("INBOX"), new("Lists/a b"), new("Ümläute")];
    private readonly TempDir directory = new();
    private readonly MailboxFixture box = new();
    private readonly NightTime time = new();
    private int messages;

    public SnapshotTests()
    {
        box.Time = time;
        box.OpenTarget = StoreRegistry.OpenTargetAsync;
        box.Job = box.Job with
        {
            Target = new MaildirEndpoint(directory["backup"]),
            Deletions = DeletionPolicy.Mirror,
            DeletionLimit = new DeletionLimit(100, IsPercent: true),
            Snapshots = new SnapshotPolicy(7, 4, 2, 1),
        };
        foreach (var folder in Folders)
            Deliver(folder);
    }

    private SnapshotDirectory Snapshots => SnapshotDirectory.Of(box.Job)!;

    public void Dispose()
    {
        box.Dispose();
        directory.Dispose();
    }

    [Fact]
    public async Task No_sign_in_is_kept_with_the_mail()
    {
        await box.RunAsync();
        foreach (var secret in (string[])["signin-source", "signin-source.key", "signin-target.key"])
            File.WriteAllText(Path.Combine(box.StateDirectory, secret), "secret");
        time.Now += TimeSpan.FromDays(1);
        await box.RunAsync();
        var files = Snapshots.List().SelectMany(s => Directory.EnumerateFiles(s.Directory, "*", SearchOption.AllDirectories)).ToList();
        Assert.Contains(files, f => f.EndsWith(".journal", StringComparison.Ordinal));
        Assert.DoesNotContain(files, f => File.ReadAllText(f) == "secret");
    }

    [Fact]
    public async Task After_thirty_nights_each_one_kept_is_restored_exactly()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        var nights = new Dictionary<DateTimeOffset, string>();
        for (var night = 0; night < 30; night++)
        {
            Change(random);
            var report = await box.RunAsync();
            Assert.True(report.Outcome == JobOutcome.Ok, $"seed {seed}: {string.Join('\n', report.Problems)}");
            nights[time.GetUtcNow()] = MailboxFixture.Describe(box.Source);
            // A second run on the same day takes no snapshot.
            time.Now += TimeSpan.FromHours(1);
            Change(random);
            await box.RunAsync();
            time.Now += TimeSpan.FromHours(23);
        }

        var kept = Snapshots.List();
        Assert.True(box.Job.Snapshots!.Keep(nights.Keys).SetEquals(kept.Select(s => s.Taken)), $"seed {seed}");
        Assert.Equal(9, kept.Count);
        foreach (var snapshot in kept)
        {
            var account = new MemoryStore { NextValidity = 9000 };
            var asOf = box.Job with { Target = new MaildirEndpoint(snapshot.Mail), StateDirectory = snapshot.State };
            var restore = new RestoreOrigin(asOf, []).ToJob(null, new MessageFilter()) with { StateDirectory = directory.Create($"restore-{snapshot.Name}") };
            var before = Listing(snapshot.Directory);
            var report = await new JobRunner(time, Openers.Both((endpoint, forWriting, context, c) =>
                endpoint == restore.Target ? Task.FromResult(account.Open()) : StoreRegistry.OpenTargetAsync(endpoint, forWriting, context, c))).RunAsync(
                restore, new RunOptions(), _ => { }, CancellationToken.None, TestContext.Current.CancellationToken);
            Assert.True(report.Outcome == JobOutcome.Ok, $"seed {seed}, {snapshot.Name}: {string.Join('\n', report.Problems)}");
            Assert.True(nights[snapshot.Taken] == MailboxFixture.Describe(account), $"seed {seed}, {snapshot.Name}");
            Assert.Equal(before, Listing(snapshot.Directory));
        }
    }

    /// <summary>Interrupts the taking and the removal of a snapshot at every file, as a crash would.</summary>
    [Fact]
    public async Task One_that_was_not_finished_is_none_and_harms_none()
    {
        await box.RunAsync();
        var first = Assert.Single(Snapshots.List());
        var (mail, whole) = (Listing(directory["backup"]), Listing(first.Mail));
        time.Now += TimeSpan.FromDays(1);
        for (var steps = 0; ; steps++)
        {
            var left = steps;
            try
            {
                Snapshots.Take(directory["backup"], box.StateDirectory, time.GetUtcNow(), () => _ = left-- > 0 ? 0 : throw new OperationCanceledException());
                break;
            }
            catch (OperationCanceledException)
            {
                Assert.Equal([first], Snapshots.List());
                Assert.Equal(mail, Listing(directory["backup"]));
            }
        }

        var second = Snapshots.List()[^1];
        Assert.Equal(whole, Listing(second.Mail));
        Assert.True(Snapshots.TryForget(first));
        // A part of the forgotten snapshot is already deleted, as after a crash.
        File.Delete(Directory.EnumerateFiles(first.Directory + ".forgotten", "*", SearchOption.AllDirectories).First());
        Assert.Equal([second], Snapshots.List());
        await box.RunAsync();
        Assert.Equal([second.Directory], Directory.GetFileSystemEntries(Snapshots.Path));
        Assert.Equal((mail, whole), (Listing(directory["backup"]), Listing(second.Mail)));
    }

    [Fact]
    public async Task None_is_taken_while_something_is_not_in_place_nor_in_a_dry_run()
    {
        box.Source.Folder("INBOX").Hidden = 1;
        Assert.Equal(JobOutcome.Incomplete, (await box.RunAsync()).Outcome);
        await box.RunAsync(dryRun: true);
        Assert.Empty(Snapshots.List());
        box.Source.Folder("INBOX").Hidden = 0;
        await box.RunAsync();
        Assert.Single(Snapshots.List());
    }

    [Fact]
    public async Task Where_no_link_can_be_made_the_mail_is_in_place_and_the_job_says_why_it_is_not_all_well()
    {
        box.Job = box.Job with { Snapshots = box.Job.Snapshots! with { Directory = "/proc/imapsync-snapshots" } };
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, Reasons.Snapshot), (report.Outcome, Assert.Single(report.Problems).Reason));
        Assert.Equal(3, report.Totals.Copied);
    }

    /// <summary>
    /// Another program renames files while a snapshot hard-links them. Each message must be in the snapshot exactly once.
    /// </summary>
    [Fact]
    public async Task Flags_that_change_meanwhile_neither_lose_nor_double_a_message()
    {
        for (var n = 0; n < 300; n++)
            Deliver(Folders[0]);
        await box.RunAsync();
        using var done = new CancellationTokenSource();
        var renaming = Task.Run(
            () =>
            {
                var random = new Random(1);
                while (!done.IsCancellationRequested)
                {
                    var files = Directory.GetFiles(directory["backup/cur"]).Concat(Directory.GetFiles(directory["backup/new"])).ToList();
                    foreach (var file in files.Where(_ => random.Next(4) == 0))
                    {
                        var unique = Path.GetFileName(file).Split(':')[0];
                        File.Move(file, Path.Combine(directory["backup/cur"], $"{unique}:2,{(random.Next(2) == 0 ? "S" : "")}{(random.Next(2) == 0 ? "T" : "")}"), overwrite: true);
                    }
                }
            },
            CancellationToken.None);
        for (var round = 0; round < 20; round++)
        {
            time.Now += TimeSpan.FromDays(1);
            var (snapshot, _) = Snapshots.Take(directory["backup"], box.StateDirectory, time.GetUtcNow(), CancellationToken.None);
            var names = Directory.GetFiles(Path.Combine(snapshot.Mail, "cur")).Concat(Directory.GetFiles(Path.Combine(snapshot.Mail, "new"))).Select(f => Path.GetFileName(f).Split(':')[0]).ToList();
            Assert.Equal((301, 301), (names.Count, names.Distinct().Count()));
        }

        await done.CancelAsync();
        await renaming;
    }

    /// <summary>The test renames a file at each step of the snapshot in turn, so it does not depend on thread timing.</summary>
    [Fact]
    public async Task A_rename_at_any_step_neither_loses_nor_doubles_a_message()
    {
        for (var n = 0; n < 12; n++)
            Deliver(Folders[0]);
        await box.RunAsync();
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 60; round++)
        {
            time.Now += TimeSpan.FromDays(1);
            var (snapshot, _) = Snapshots.Take(directory["backup"], box.StateDirectory, time.GetUtcNow(), () =>
            {
                if (random.Next(3) == 0)
                    return;
                var files = Directory.GetFiles(directory["backup/cur"]);
                var file = files[random.Next(files.Length)];
                File.Move(file, $"{file.Split(":2,")[0]}:2,{"DFRST"[random.Next(5)]}", overwrite: true);
            });
            var names = Directory.GetFiles(Path.Combine(snapshot.Mail, "cur")).Concat(Directory.GetFiles(Path.Combine(snapshot.Mail, "new"))).Select(f => Path.GetFileName(f).Split(':')[0]).ToList();
            Assert.True((13, 13) == (names.Count, names.Distinct().Count()), $"seed {seed}, round {round}: {string.Join(' ', names)}");
        }
    }

    [Fact]
    public async Task A_clock_that_was_ahead_takes_no_snapshot_at_each_run_and_none_away()
    {
        for (var night = 0; night < 5; night++)
        {
            await box.RunAsync();
            time.Now += TimeSpan.FromDays(1);
        }

        var before = Snapshots.List();
        var now = time.Now;
        time.Now += TimeSpan.FromDays(3650);
        box.Job = box.Job with { Snapshots = new SnapshotPolicy(9, 0, 0, 0) };
        Deliver(Folders[0]);
        await box.RunAsync();
        time.Now = now;
        for (var run = 0; run < 3; run++)
        {
            Deliver(Folders[0]);
            var report = await box.RunAsync();
            Assert.Contains(report.Notes, n => n.Contains("a time that is yet to come, by this machine's clock: 1", StringComparison.Ordinal));
            time.Now += TimeSpan.FromHours(1);
        }

        var names = Snapshots.List().Select(s => s.Name).ToList();
        Assert.Equal(before.Count + 2, names.Count);
        Assert.All(before, s => Assert.Contains(s.Name, names));
    }

    [Fact]
    public async Task What_is_being_read_is_not_forgotten()
    {
        box.Job = box.Job with { Snapshots = new SnapshotPolicy(1, 0, 0, 0) };
        await box.RunAsync();
        var first = Assert.Single(Snapshots.List());
        time.Now += TimeSpan.FromDays(1);
        using (first.TryHold())
        {
            using var another = first.TryHold();
            Assert.NotNull(another);
            Assert.Contains((await box.RunAsync()).Notes, n => n.Contains($"snapshot {first.Name} is being read", StringComparison.Ordinal));
            Assert.Equal(2, Snapshots.List().Count);
        }

        await box.RunAsync();
        Assert.NotEqual(first, Assert.Single(Snapshots.List()));
        Assert.Null(first.TryHold());
    }

    [Theory]
    [InlineData("latest", 3)]
    [InlineData("2026-03-02", 2)]
    [InlineData("2026-03-02T01:59", 1)]
    [InlineData("2026-03-02T02:00:00Z", 2)]
    [InlineData("2026-03-02T03:30+01:00", 2)]
    [InlineData("2026-03-01T02-00-00Z", 1)]
    [InlineData("2026-02-28", 0)]
    [InlineData("2026-03-02T02-00-01Z", 0)]
    [InlineData("9999-12-31", 3)]
    [InlineData("0001-01-01", 0)]
    public async Task A_time_means_the_newest_taken_then_or_before(string text, int which)
    {
        for (var night = 0; night < 3; night++)
        {
            await box.RunAsync();
            time.Now += TimeSpan.FromDays(1);
        }

        Assert.Equal(which == 0 ? null : Snapshots.List()[which - 1], Snapshots.Find(text, TimeZoneInfo.Utc));
        Assert.Throws<FormatException>(() => Snapshots.Find("yesterday", TimeZoneInfo.Utc));
    }

    private void Deliver(FolderPath folder) =>
        box.Source.Folder(folder.ToString()).Add(MailboxFixture.Mail($"m{++messages}", new string('x', messages)), "\\Seen", new DateTimeOffset(2025, 1, 1, 10, 0, 0, TimeSpan.Zero).AddMinutes(messages));

    private void Change(Random random)
    {
        for (var n = random.Next(6); n > 0; n--)
            Deliver(Folders[random.Next(Folders.Length)]);
        foreach (var folder in Folders.Select(f => box.Source.Folder(f.ToString())))
        {
            foreach (var message in folder.Messages.ToList())
            {
                if (random.Next(12) == 0 && folder.Messages.Count > 1)
                    folder.Remove(message.Uid);
                else if (random.Next(6) == 0)
                    folder.SetFlags(message.Uid, random.Next(2) == 0 ? "\\Flagged" : "\\Seen $Work");
            }
        }
    }

    private static string Listing(string root) => string.Join('\n', Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal).Select(f => $"{Path.GetRelativePath(root, f)} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(f)))}"));

    private sealed class NightTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 3, 1, 2, 0, 0, TimeSpan.Zero);

        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => Now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime == Timeout.InfiniteTimeSpan ? dueTime : TimeSpan.Zero, period);
    }
}
