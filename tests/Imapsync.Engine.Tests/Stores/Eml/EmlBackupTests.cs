using System.IO.Pipelines;
using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Engine.Verifying;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Eml;

/// <summary>A backup into directories of .eml files, also after people changed or damaged these files.</summary>
public sealed class EmlBackupTests : IDisposable
{
    private readonly MailboxFixture box = new();
    private readonly TemporaryDirectory directory = new();

    public EmlBackupTests()
    {
        box.Job = box.Job with { Target = new EmlEndpoint(Root), Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        box.OpenTarget = StoreRegistry.OpenTargetAsync;
        for (var i = 0; i < 4; i++)
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail($"m{i}", $"text {i}"), i % 2 == 0 ? "\\Seen Work" : "$Forwarded", MemoryFolderState.Day(i));
        box.Source.Folder("Work/Büro: 2025?").Add(MailboxFixture.Mail("invoice"), "\\Flagged", MemoryFolderState.Day(9));
    }

    private string Root => Path.Combine(directory.Path, "mail");

    private string Inbox => Path.Combine(Root, "INBOX");

    public void Dispose()
    {
        box.Dispose();
        directory.Dispose();
    }

    [Fact]
    public async Task Each_message_is_a_file_with_its_octets_and_its_date_and_its_name_says_what_it_is()
    {
        await OkAsync(5);
        var files = Files(Inbox);
        Assert.Equal([.. Enumerable.Range(0, 4).Select(i => $"{MemoryFolderState.Day(i):yyyy-MM-dd HHmm} m{i} {i + 1}.eml")], files.Select(Path.GetFileName));
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(box.Source.Folder("INBOX").Messages[i].Octets, await File.ReadAllBytesAsync(files[i], TestContext.Current.CancellationToken));
            Assert.Equal(MemoryFolderState.Day(i).UtcDateTime, File.GetLastWriteTimeUtc(files[i]));
        }

        Assert.Single(Files(Path.Combine(Root, "Work", "Büro: 2025?")));
        await OkAsync(0);
    }

    [Fact]
    public async Task Read_as_a_source_it_gives_octets_flags_keywords_dates_and_folders_again()
    {
        box.Source.Folder("Work/Büro: 2025?").Add("Subject: bare\n\nlines that end in LF alone\n", "\\Answered Later", MemoryFolderState.Day(11));
        await OkAsync(6);
        var copy = new EmlEndpoint(Path.Combine(directory.Path, "copy"));
        var job = new JobDefinition("back", box.Job.Target, copy) { StateDirectory = Path.Combine(directory.Path, "state") };
        Assert.Equal(6, (await RunAsync(job)).Totals.Copied);
        Assert.Equal("", (await StoreReader.ReadAsync(copy)).DifferenceFrom(await StoreReader.ReadAsync(box.Job.Target)));
        Assert.Equal(0, (await RunAsync(job)).Totals.Copied);

        // A flag change in the backup is propagated to a copy that was made from the backup.
        box.Source.Folder("INBOX").SetFlags(1, "\\Draft Other");
        await OkAsync(0);
        Assert.Equal(1, (await RunAsync(job)).Totals.FlagsUpdated);
        Assert.Equal("", (await StoreReader.ReadAsync(copy)).DifferenceFrom(await StoreReader.ReadAsync(box.Job.Target)));
    }

    [Fact]
    public async Task Flags_removals_and_renamed_folders_arrive_and_nothing_is_copied_again()
    {
        await OkAsync(5);
        box.Source.Folder("INBOX").SetFlags(2, "\\Seen \\Draft New");
        box.Source.Folder("INBOX").Remove(1);
        await OkAsync(0);
        var inbox = (await StoreReader.ReadAsync(box.Job.Target)).Folders["INBOX"].Messages;
        Assert.Equal(3, inbox.Count);
        Assert.Contains(inbox, m => m.Flags == SnapshotMessage.Canonical(["\\Seen", "\\Draft", "New", "$Forwarded"]) || m.Flags == SnapshotMessage.Canonical(["\\Seen", "\\Draft", "New"]));
        Assert.Equal(3, Files(Inbox).Count);

        var renamed = box.Source.Folder("Work/Büro: 2025?");
        box.Source.Folders.Remove(FolderPath.Parse("Work/Büro: 2025?"));
        box.Source.Folders[FolderPath.Parse("Work/2025")] = renamed;
        await OkAsync(0);
        Assert.Single(Files(Path.Combine(Root, "Work", "2025")));
        Assert.False(Directory.Exists(Path.Combine(Root, "Work", "Büro: 2025?")));
        await OkAsync(0);
    }

    [Fact]
    public async Task A_file_that_a_person_renames_stays_the_message_it_was()
    {
        await OkAsync(5);
        File.Move(Files(Inbox)[0], Path.Combine(Inbox, "the important one.eml"));
        box.Source.Folder("INBOX").SetFlags(1, "\\Answered");
        var report = await OkAsync(0);
        Assert.Equal(1, report.Totals.FlagsUpdated);
        Assert.Contains(report.Notes, n => n.Contains("1 file has another name now, the important one.eml first", StringComparison.Ordinal));
        var message = (await StoreReader.ReadAsync(box.Job.Target)).Folders["INBOX"].Messages[0];
        Assert.Equal(SnapshotMessage.Canonical(["\\Answered"]), message.Flags);
        Assert.Equal(MemoryFolderState.Day(0), message.InternalDate);

        box.Source.Folder("INBOX").Remove(1);
        await OkAsync(0);
        Assert.False(File.Exists(Path.Combine(Inbox, "the important one.eml")));
    }

    [Fact]
    public async Task A_file_that_a_person_puts_there_stays_whatever_becomes_of_the_source()
    {
        await OkAsync(5);
        await File.WriteAllTextAsync(Path.Combine(Inbox, "mine.eml"), "Subject: mine\nDate: Mon, 02 Jun 2025 10:00:00 +0000\n\nmine\n", TestContext.Current.CancellationToken);
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("next"));
        box.Source.Folder("INBOX").Remove(2);
        var report = await OkAsync(1);
        Assert.Contains(report.Notes, n => n.Contains("1 file in ", StringComparison.Ordinal) && n.Contains("mine.eml", StringComparison.Ordinal));
        await OkAsync(0);
        Assert.True(File.Exists(Path.Combine(Inbox, "mine.eml")));
        Assert.Contains((await StoreReader.ReadAsync(box.Job.Target)).Folders["INBOX"].Messages, m => m.InternalDate == new DateTimeOffset(2025, 6, 2, 10, 0, 0, TimeSpan.Zero));
    }

    [Fact]
    public async Task A_file_that_a_person_deletes_is_told_and_healing_brings_it_back()
    {
        await OkAsync(5);
        File.Delete(Files(Inbox)[1]);
        var report = await box.RunAsync();
        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        Assert.Equal(1, (await box.RunAsync(heal: true)).Totals.Copied);
        Assert.Equal(4, Files(Inbox).Count);
        await OkAsync(0);
    }

    [Fact]
    public async Task A_file_that_was_changed_is_found_by_verifying_and_healed()
    {
        await OkAsync(5);
        await File.AppendAllTextAsync(Files(Inbox)[1], "something else", TestContext.Current.CancellationToken);
        Assert.Single((await box.VerifyAsync(new VerifyOptions(Full: true))).Findings);
        await box.RunAsync(heal: true);
        Assert.Empty((await box.VerifyAsync(new VerifyOptions(Full: true))).Findings);
    }

    [Fact]
    public async Task Without_its_index_or_with_a_damaged_one_nothing_is_copied_twice_and_flags_come_back()
    {
        await OkAsync(5);
        var expected = await StoreReader.ReadAsync(box.Job.Target);
        var index = Path.Combine(Inbox, ".imapsync-index");
        var whole = await File.ReadAllBytesAsync(index, TestContext.Current.CancellationToken);
        for (var at = -1; at < whole.Length - 1; at += 17)
        {
            // Each round runs at another time, because two indexes created in the same second may get the same UIDVALIDITY.
            box.Time = new LaterTime(TimeSpan.FromMinutes(at + 2));
            if (at < 0)
            {
                File.Delete(index);
            }
            else
            {
                var damaged = whole.ToArray();
                damaged[at] ^= 4;
                await File.WriteAllBytesAsync(index, damaged, TestContext.Current.CancellationToken);
            }

            // A new message is needed, since otherwise the folder is not opened.
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail($"new{at}"), "", MemoryFolderState.Day(20));
            Assert.Equal(1, (await OkAsync()).Totals.Copied);
            box.Source.Folder("INBOX").Remove(box.Source.Folder("INBOX").Messages[^1].Uid);
            await OkAsync(0);
            Assert.Equal("", (await StoreReader.ReadAsync(box.Job.Target)).DifferenceFrom(expected));
        }
    }

    [Fact]
    public async Task An_index_does_not_grow_for_ever()
    {
        await OkAsync(5);
        for (var round = 0; round < 12; round++)
        {
            await using var store = await StoreRegistry.OpenTargetAsync(box.Job.Target, true, new StoreContext(TimeProvider.System, _ => { }), TestContext.Current.CancellationToken);
            await using var folder = await store.OpenForWritingAsync(FolderPath.Inbox, TestContext.Current.CancellationToken);
            for (var i = 0; i < 100; i++)
                Assert.Equal(1, await folder.SetFlagsAsync([new FlagChange(new Uid(1), FlagSet.Parse(i % 2 == 0 ? ["x"] : []), FlagSet.Parse(i % 2 == 0 ? [] : ["x"]))], TestContext.Current.CancellationToken));
        }

        Assert.True((await File.ReadAllLinesAsync(Path.Combine(Inbox, ".imapsync-index"), TestContext.Current.CancellationToken)).Length < 1200);
        await OkAsync(0);
    }

    [Theory]
    [InlineData("../../../etc/passwd", "_.._.._etc_passwd")]
    [InlineData("CON", "_CON")]
    [InlineData("=?utf-8?B?4oCuZ3BqLmV4ZQ==?=", "_gpj.exe")]
    [InlineData("a:b*c?d\"e<f>g|h\\i/j", "a_b_c_d_e_f_g_h_i_j")]
    [InlineData("  folded\r\n\t subject ", "folded subject")]
    [InlineData("trailing dots...", "trailing dots")]
    public async Task Whatever_the_subject_is_the_name_is_safe(string subject, string shown)
    {
        box.Source.Folder("Odd").Add(Octets($"Subject: {subject}\r\nMessage-ID: <odd@x.example>\r\n\r\nx\r\n"), "", MemoryFolderState.Day(3));
        await OkAsync(6);
        Assert.Equal([$"{MemoryFolderState.Day(3):yyyy-MM-dd HHmm} {shown} 1.eml"], Files(Path.Combine(Root, "Odd")).Select(Path.GetFileName));
    }

    [Fact]
    public async Task However_long_the_subject_is_the_name_has_100_octets_at_most()
    {
        foreach (var subject in new[] { new string('x', 5000), string.Concat(Enumerable.Repeat("\U0001F600", 200)), new string('é', 90) })
            box.Source.Folder("Long").Add(Octets($"Subject: {subject}\r\n\r\n{subject.Length}\r\n"), "", MemoryFolderState.Day(3));
        await OkAsync(8);
        var names = Files(Path.Combine(Root, "Long")).Select(Path.GetFileName).ToList();
        Assert.Equal(3, names.Count);
        Assert.All(names, n => Assert.InRange(Encoding.UTF8.GetByteCount(n!), 60, 100));
    }

    [Fact]
    public async Task A_name_that_somebody_takes_before_a_message_gets_it_stays_theirs()
    {
        await OkAsync(5);
        var token = TestContext.Current.CancellationToken;
        await using var store = await StoreRegistry.OpenTargetAsync(box.Job.Target, true, new StoreContext(TimeProvider.System, _ => { }), token);
        await using var folder = await store.OpenForWritingAsync(FolderPath.Inbox, token);
        var name = $"{MemoryFolderState.Day(7):yyyy-MM-dd HHmm} taken";
        string[] theirs = [$"{name} 5.eml", $"{name} 5-2.eml"];
        foreach (var their in theirs)
            await File.WriteAllTextAsync(Path.Combine(Inbox, their), "Subject: theirs\r\n\r\nx\r\n", token);
        // A name also counts as taken if only a broken symbolic link has it.
        File.CreateSymbolicLink(Path.Combine(Inbox, $"{name} 6.eml"), "/nowhere");
        Directory.CreateDirectory(Path.Combine(Inbox, $"{name} 7.eml"));

        var receipts = await folder.AppendAsync(Window(), token);

        Assert.Equal([5u, 6u, 7u, 8u], receipts.Select(r => r.Target.Value).Order());
        Assert.All(theirs, t => Assert.Equal("Subject: theirs\r\n\r\nx\r\n", File.ReadAllText(Path.Combine(Inbox, t))));
        var (names, texts) = ((string[])[$"{name} 5-3.eml", $"{name} 6-2.eml", $"{name} 7-2.eml", $"{name} 8.eml"], (string[])["0", "1", "2", "3"]);
        Assert.Equal(texts.Select(t => MailboxFixture.Mail("taken", t)), names.Select(n => File.ReadAllText(Path.Combine(Inbox, n))));

        // Each message has the UID and the flags that were recorded for it.
        await using var again = await store.OpenForWritingAsync(FolderPath.Inbox, token);
        var flags = new Dictionary<uint, string>();
        await foreach (var message in again.ListAsync(new ListRequest(), token))
            flags.Add(message.Uid.Value, string.Join(' ', message.Flags.Names));
        Assert.Equal(["n0", "n1", "n2", "n3", "", "", ""], flags.Where(f => f.Key >= 5).Select(f => f.Value));

        static async IAsyncEnumerable<IncomingMessage> Window()
        {
            for (var i = 0u; i < 4; i++)
            {
                await Task.Yield();
                var octets = Encoding.ASCII.GetBytes(MailboxFixture.Mail("taken", $"{i}"));
                yield return new IncomingMessage(
                    new MessageInfo(new Uid(100 + i), FlagSet.Parse([$"n{i}"]), MemoryFolderState.Day(7), octets.Length), octets.Length, PipeReader.Create(new MemoryStream(octets)));
            }
        }
    }

    [Fact]
    public async Task What_lies_there_already_is_adopted_and_not_copied_again()
    {
        Directory.CreateDirectory(Inbox);
        for (var i = 0; i < 4; i++)
            await File.WriteAllBytesAsync(Path.Combine(Inbox, $"old {i}.eml"), box.Source.Folder("INBOX").Messages[i].Octets, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(Root, "in the root.eml"), "Subject: root\r\n\r\nx\r\n", TestContext.Current.CancellationToken);
        var report = await box.RunAsync();
        Assert.Equal((1L, 4L), (report.Totals.Copied, report.Totals.Adopted));
        Assert.Equal(4, Files(Inbox).Count);
        await OkAsync(0);
    }

    /// <summary>Returns the UTF-8 octets of a text as a string with one character for each octet.</summary>
    private static string Octets(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    private static List<string> Files(string folder) => [.. Directory.GetFiles(folder, "*.eml").Order(StringComparer.Ordinal)];

    private static Task<JobReport> RunAsync(JobDefinition job) =>
        new JobRunner(TimeProvider.System, StoreRegistry.Opener).RunAsync(job, new RunOptions(), _ => { }, CancellationToken.None, CancellationToken.None);

    private async Task<JobReport> OkAsync(int? copied = null)
    {
        var report = await box.RunAsync();
        Assert.True(report.Outcome == JobOutcome.Ok, string.Join('\n', report.Problems));
        Assert.Equal(copied ?? report.Totals.Copied, report.Totals.Copied);
        return report;
    }

    private sealed class LaterTime(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
