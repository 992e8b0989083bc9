using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.LocalFaults;

/// <summary>
/// A real, very small file system fills up. Each round has room for one more disk block (4 KiB) or file than the round before, so that each
/// write fails in some round. The run must end, report the failure, and leave only whole messages and a readable checkpoint. Once there is
/// room, the next run goes on.
/// </summary>
public sealed class DiskFullTests
{
    /// <summary>The number of rounds after which the test gives up if no run has succeeded.</summary>
    private const int MostRounds = 400;

    public enum Room
    {
        Pages,
        Inodes,
    }

    [Theory]
    [InlineData("maildir", Room.Pages)]
    [InlineData("maildir", Room.Inodes)]
    [InlineData("mbox", Room.Pages)]
    [InlineData("mbox", Room.Inodes)]
    [InlineData("eml", Room.Pages)]
    [InlineData("eml", Room.Inodes)]
    public async Task At_every_write_of_a_first_backup(string format, Room room) =>
        await RoundsAsync(room, async (disk, free) =>
        {
            using var box = New(disk, format, stateOnDisk: false);
            await LeaveAsync(disk, room, free);
            return await FillUpAndGoOnAsync(disk, box, SourceMail.Digests(box), format, "quota");
        });

    [Theory]
    [InlineData("maildir", Room.Pages)]
    [InlineData("maildir", Room.Inodes)]
    [InlineData("mbox", Room.Pages)]
    [InlineData("mbox", Room.Inodes)]
    [InlineData("eml", Room.Pages)]
    [InlineData("eml", Room.Inodes)]
    public async Task At_every_write_of_a_run_that_adds_flags_renames_and_removes(string format, Room room) =>
        await RoundsAsync(room, async (disk, free) =>
        {
            using var box = New(disk, format, stateOnDisk: false);
            Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
            var removed = SourceMail.Digests(box);
            Change(box);
            await LeaveAsync(disk, room, free);
            return await FillUpAndGoOnAsync(disk, box, [.. removed, .. SourceMail.Digests(box)], format, "quota");
        });

    [Theory]
    [InlineData("maildir", Room.Pages)]
    [InlineData("maildir", Room.Inodes)]
    [InlineData("mbox", Room.Pages)]
    [InlineData("mbox", Room.Inodes)]
    [InlineData("eml", Room.Pages)]
    [InlineData("eml", Room.Inodes)]
    public async Task When_nothing_but_a_subscription_is_written(string format, Room room) =>
        await RoundsAsync(room, async (disk, free) =>
        {
            using var box = New(disk, format, stateOnDisk: false);
            Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
            box.Source.Folder("INBOX").Subscribed = true;
            box.Source.Folder("INBOX").SetFlags(1, "\\Seen \\Answered");
            await LeaveAsync(disk, room, free);
            return await FillUpAndGoOnAsync(disk, box, SourceMail.Digests(box), format, "quota");
        }, fewest: 1);

    [Theory]
    [InlineData(Room.Pages)]
    [InlineData(Room.Inodes)]
    public async Task At_every_write_of_the_state_directory(Room room) =>
        await RoundsAsync(room, async (disk, free) =>
        {
            using var box = New(disk, "memory", stateOnDisk: true);
            await LeaveAsync(disk, room, free);
            return await FillUpAndGoOnAsync(disk, box, [], "memory", "state");
        });

    [Fact]
    public async Task When_a_journal_full_of_history_is_written_anew() =>
        await RoundsAsync(Room.Pages, async (disk, free) =>
        {
            using var box = New(disk, "memory", stateOnDisk: true);
            Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
            await WriteHistoryAsync(box);
            Change(box);
            await LeaveAsync(disk, Room.Pages, free);
            return await FillUpAndGoOnAsync(disk, box, [], "memory", "state");
        });

    [Theory]
    [InlineData("maildir")]
    [InlineData("mbox")]
    [InlineData("eml")]
    public async Task In_the_middle_of_a_message_that_streams(string format) =>
        await RoundsAsync(Room.Pages, async (disk, free) =>
        {
            using var box = New(disk, format, stateOnDisk: false);
            box.Source.Folder("Big").Add(MailboxFixture.Mail("big", string.Concat(Enumerable.Repeat(new string('z', 70) + "\r\n", 18_000))));
            await LeaveAsync(disk, Room.Pages, 37 * free);
            return await FillUpAndGoOnAsync(disk, box, SourceMail.Digests(box), format, "quota");
        });

    private static async Task RoundsAsync(Room room, Func<SmallDisk, int, Task<bool>> round, int fewest = 3)
    {
        var why = await SmallDisk.WhyNotAsync();
        Assert.SkipWhen(why is not null, why ?? "");
        for (var free = 0; ; free++)
        {
            Assert.True(free < MostRounds, $"still full with {free} {room}");
            using var disk = await SmallDisk.MountAsync();
            try
            {
                if (await round(disk, free))
                {
                    Assert.True(free >= fewest, $"{free} {room} were enough: nothing was tried");
                    return;
                }
            }
            catch (Xunit.Sdk.XunitException e)
            {
                throw new InvalidOperationException($"with {free} {room} left: {e.Message}", e);
            }
        }
    }

    /// <summary>Runs the job, checks the result, makes room, and runs it again. Returns whether the first run had enough room.</summary>
    private static async Task<bool> FillUpAndGoOnAsync(SmallDisk disk, MailboxFixture box, HashSet<string> known, string format, string reason)
    {
        var report = await box.RunAsync();
        if (report.Outcome != JobOutcome.Ok)
        {
            Assert.Equal((JobOutcome.Failed, StopReason.Other), (report.Outcome, report.Stop));
            var problem = Assert.Single(report.Problems, p => p.Scope == FailureScope.Store);
            Assert.Equal(reason, problem.Reason);
            Assert.Contains("no space left", problem.Text, StringComparison.OrdinalIgnoreCase);
            Assert.Contains(disk.Path, problem.Text, StringComparison.Ordinal);
            Assert.Contains("run again", problem.Text, StringComparison.Ordinal);
            Assert.Single(report.Problems);
        }

        AssertNothingTorn(disk, known, format);
        await AssertStateReadableAsync(box);
        await disk.LeaveAsync();
        var resumed = await box.RunAsync();
        Assert.True(resumed.Outcome == JobOutcome.Ok, string.Join('\n', resumed.Problems.Select(p => p.Text)));
        await AssertEqualAsync(disk, box, format);
        Assert.Equal(0, (await box.RunAsync()).Totals.Copied);
        Assert.DoesNotContain(Directory.EnumerateFiles(disk.Path, "*", SearchOption.AllDirectories), IsLeftover);
        return report.Outcome == JobOutcome.Ok;
    }

    private static Task LeaveAsync(SmallDisk disk, Room room, int free) =>
        room == Room.Pages ? disk.LeaveAsync(pages: free) : disk.LeaveAsync(inodes: free);

    private static MailboxFixture New(SmallDisk disk, string format, bool stateOnDisk)
    {
        var box = new MailboxFixture();
        box.Job = box.Job with
        {
            Deletions = DeletionPolicy.Mirror,
            DeletionLimit = new DeletionLimit(100, IsPercent: true),
            StateDirectory = stateOnDisk ? disk["state"] : box.StateDirectory,
            Target = format switch { "mbox" => new MboxEndpoint(disk["mail"]), "maildir" => new MaildirEndpoint(disk["mail"]), "eml" => new EmlEndpoint(disk["mail"]), _ => box.Job.Target },
        };
        box.OpenTarget = format == "memory" ? null : StoreRegistry.OpenTargetAsync;
        var keywords = new[] { "\\Seen", "$Work \\Flagged", "", "Later" };
        foreach (var name in new[] { "INBOX", "Work", "Work/Müll" })
        {
            var folder = box.Source.Folder(name);
            folder.Subscribed = name != "INBOX";
            for (var i = 0; i < 12; i++)
                folder.Add(MailboxFixture.Mail($"{name.Length}.{i}", new string('x', 700 * i) + "\r\nFrom here on"), keywords[i % 4], MemoryFolderState.Day(i));
        }

        // Add so many messages that lists and journals become longer than one disk block (4 KiB). Then the beginning of a file can be
        // written while a later addition fails.
        for (var i = 0; i < (format is "maildir" or "eml" ? 100 : 300); i++)
            box.Source.Folder("Many").Add(MailboxFixture.Mail($"many.{i}"), "\\Seen");
        return box;
    }

    private static void Change(MailboxFixture box)
    {
        var inbox = box.Source.Folder("INBOX");
        inbox.Add(MailboxFixture.Mail("new", new string('y', 9000)), "Brandnew \\Seen");
        inbox.SetFlags(1, "\\Answered Other");
        inbox.Remove(5);
        box.Source.Folder("Work").SetFlags(2, "\\Draft");
        box.Source.Folder("Work").Subscribed = false;
        box.Source.Folder("Fresh").Add(MailboxFixture.Mail("fresh"));
        var renamed = box.Source.Folder("Work/Müll");
        box.Source.Folders.Remove(FolderPath.Parse("Work/Müll"));
        box.Source.Folders[new FolderPath(new string('ü', 120))] = renamed;
    }

    /// <summary>Makes the journal of INBOX (the file that records its copied messages) so long that the next run compacts it.</summary>
    private static async Task WriteHistoryAsync(MailboxFixture box)
    {
        var inbox = new PairKey(FolderPath.Inbox, FolderPath.Inbox);
        await using var store = await MailboxFixture.OnDisk(box.Job.StateDirectory, false, TestContext.Current.CancellationToken);
        var open = await store.OpenAsync(inbox, TestContext.Current.CancellationToken);
        var message = open.Messages.First();
        for (var i = 0; i < 2000; i++)
            open.Settle(message with { Flags = i % 2 == 0 ? FlagSet.Empty : message.Flags });
        await open.CommitAsync(TestContext.Current.CancellationToken);
        var journal = Directory.GetFiles(Path.Combine(box.Job.StateDirectory, "pairs"), "INBOX-*").Single();
        var grown = await File.ReadAllBytesAsync(journal, TestContext.Current.CancellationToken);
        // Disposing compacts the journal, so write the uncompacted octets back, as a killed run would leave them.
        await open.DisposeAsync();
        await File.WriteAllBytesAsync(journal, grown, TestContext.Current.CancellationToken);
    }

    /// <summary>Asserts, with readers independent of the product, that the target holds only whole messages of the source.</summary>
    private static void AssertNothingTorn(SmallDisk disk, HashSet<string> known, string format)
    {
        if (format == "memory" || !Directory.Exists(disk["mail"]))
            return;
        var digests = format == "mbox"
            ? MboxrdReader.Digests(disk["mail"])
            : format == "eml" ? [.. Directory.EnumerateFiles(disk["mail"], "*.eml", SearchOption.AllDirectories).Select(f => SourceMail.Digest(File.ReadAllBytes(f)))]
            : [.. Visible(disk["mail"]).Select(f => SourceMail.Digest(MaildirReader.WithCrLf(File.ReadAllBytes(f)).ToArray()))];

        Assert.All(digests, d => Assert.Contains(d, known));
        Assert.Equal(digests.Distinct().Count(), digests.Count);
    }

    private static IEnumerable<string> Visible(string maildir) => Directory.EnumerateFiles(maildir, "*", SearchOption.AllDirectories)
        .Where(f => Path.GetFileName(Path.GetDirectoryName(f)) is "cur" or "new");

    private static async Task AssertStateReadableAsync(MailboxFixture box)
    {
        await using var store = await MailboxFixture.OnDisk(box.Job.StateDirectory, true, TestContext.Current.CancellationToken);
        foreach (var pair in await store.FindPairsAsync(TestContext.Current.CancellationToken))
        {
            await using var checkpoint = await store.OpenAsync(pair, TestContext.Current.CancellationToken);
            Assert.NotEqual(CheckpointCondition.Damaged, checkpoint.Condition);
        }
    }

    private static async Task AssertEqualAsync(SmallDisk disk, MailboxFixture box, string format)
    {
        if (format == "memory")
        {
            Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(box.Target));
            return;
        }

        var source = SourceMail.Snapshot(box);
        var target = await StoreReader.ReadAsync(box.Job.Target);
        // Ignore empty folders that the source does not have: a rename left them, or they only hold other folders.
        target = target.Select((name, f) => source.Folders.ContainsKey(name) || f.Messages.Count > 0 ? f : null);
        Assert.Equal("", target.DifferenceFrom(source));
    }

    private static bool IsLeftover(string file) =>
        file.EndsWith(".tmp", StringComparison.Ordinal) || file.EndsWith("-new", StringComparison.Ordinal) || file.EndsWith(".lock", StringComparison.Ordinal)
        || Path.GetFileName(Path.GetDirectoryName(file)) == "tmp";
}
