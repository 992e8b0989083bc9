using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Maildir;

/// <summary>Trees laid out by mbsync, OfflineIMAP, Dovecot and Courier: every Maildir in them is read, or reported by name as left out.</summary>
public sealed class MaildirLayoutTests
{
    [Theory]
    [InlineData("INBOX")]
    [InlineData("Inbox")]
    public async Task A_directory_INBOX_is_INBOX_where_the_root_is_no_Maildir(string name)
    {
        using var job = new MaildirJob(MaildirLayout.Fs);
        _ = job.Deliver($"{name}/cur/1.h:2,S", "Subject: inbox\n\n");
        _ = job.Deliver("Work/Sub/cur/1.h:2,S", "Subject: sub\n\n");
        await job.RunAsync();
        Assert.Equal(JobOutcome.Ok, job.Report.Outcome);
        Assert.Equal([". S Subject: inbox\n\n", ".Work.Sub S Subject: sub\n\n"], job.Arrived());
    }

    [Fact]
    public async Task Where_the_root_and_a_directory_INBOX_are_Maildirs_both_arrive()
    {
        using var job = new MaildirJob(MaildirLayout.Fs);
        _ = job.Deliver("INBOX/cur/1.h:2,S", "Subject: inbox\n\n");
        _ = job.Deliver("cur/2.h:2,S", "Subject: root\n\n");
        await job.RunAsync();
        Assert.Equal(JobOutcome.Ok, job.Report.Outcome);
        Assert.Equal([". S Subject: root\n\n", ".INBOX (again) S Subject: inbox\n\n"], job.Arrived());
    }

    [Fact]
    public async Task A_target_that_has_a_directory_INBOX_gets_no_second_one()
    {
        using var job = new MaildirJob(targetLayout: MaildirLayout.Fs);
        _ = job.Deliver("cur/1.h:2,S", "Subject: inbox\n\n");
        foreach (var part in (string[])["tmp", "new", "cur"])
            Directory.CreateDirectory(Path.Combine(job.Target, "INBOX", part));
        await job.RunAsync();
        Assert.Equal(["INBOX S Subject: inbox\n\n"], job.Arrived());
        Assert.False(Directory.Exists(Path.Combine(job.Target, "cur")));
    }

    [Theory]
    [InlineData("Work/.Sub/.Deep", ".Work.Sub.Deep")]
    [InlineData(".Sub.Deep", ".Sub.Deep")]
    [InlineData("Work/.Sub.Deep", ".Work.Sub.Deep")]
    public async Task Subfolders_with_a_dot_are_read_with_the_layout_fs(string directory, string arrives)
    {
        using var job = new MaildirJob(MaildirLayout.Fs);
        _ = job.Deliver("Work/cur/1.h:2,S", "Subject: work\n\n");
        var parent = "";
        foreach (var level in directory.Split('/'))
            _ = job.Folder(parent = Path.Combine(parent, level));
        _ = job.Deliver($"{directory}/cur/1.h:2,S", "Subject: deep\n\n");
        await job.RunAsync();
        Assert.Equal(JobOutcome.Ok, job.Report.Outcome);
        Assert.Contains($"{arrives} S Subject: deep\n\n", job.Arrived());
    }

    [Fact]
    public async Task As_a_target_a_subfolder_with_a_dot_is_the_folder()
    {
        using var job = new MaildirJob(targetLayout: MaildirLayout.Fs);
        _ = job.Deliver(".Work.Sub/cur/1.h:2,S", "Subject: sub\n\n");
        _ = job.Deliver(".Work.Sub.New/cur/1.h:2,S", "Subject: new\n\n");
        foreach (var part in (string[])["tmp", "new", "cur"])
            Directory.CreateDirectory(Path.Combine(job.Target, "Work/.Sub", part));
        await job.RunAsync();
        await job.RunAsync();
        Assert.Equal(JobOutcome.Ok, job.Report.Outcome);
        Assert.Contains("Work/.Sub S Subject: sub\n\n", job.Arrived());
        Assert.Equal(2, job.Arrived().Count);
    }

    [Fact]
    public async Task A_nested_tree_without_its_layout_says_which_is_meant()
    {
        using var job = new MaildirJob();
        _ = job.Deliver("Work/cur/1.h:2,S", "Subject: work\n\n");
        await job.RunAsync();
        Assert.Equal(JobOutcome.Failed, job.Report.Outcome);
        Assert.Contains("layout: fs might be meant", job.Problems, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Links_to_folders_are_named_and_loops_of_them_end()
    {
        using var job = new MaildirJob();
        _ = job.Deliver("cur/1.h:2,S", "Subject: inbox\n\n");
        _ = job.Deliver(".Sent/cur/1.h:2,S", "Subject: sent\n\n");
        _ = job.Deliver("../big/cur/1.h:2,S", "Subject: archive\n\n");
        Directory.CreateSymbolicLink(Path.Combine(job.Source, ".Archive"), Path.Combine(job.Root, "big"));
        Directory.CreateSymbolicLink(Path.Combine(job.Source, ".Away"), "/mnt/not-mounted/Away");
        Directory.CreateSymbolicLink(Path.Combine(job.Source, ".Loop"), ".Loop");
        Directory.CreateSymbolicLink(Path.Combine(job.Source, ".Sent Items"), ".Sent");
        await job.RunAsync();
        Assert.Equal(JobOutcome.Incomplete, job.Report.Outcome);
        Assert.True(job.Report.Problems.Length == 3, job.Problems);
        Assert.All((string[])[".Archive", ".Away", ".Loop"], name => Assert.Contains(name, job.Problems, StringComparison.Ordinal));
        Assert.Equal(2, job.Arrived().Count);
    }

    [Theory]
    [InlineData(MaildirLayout.MaildirPlusPlus)]
    [InlineData(MaildirLayout.Fs)]
    public async Task Every_Maildir_of_a_tree_is_read_or_named(MaildirLayout layout)
    {
        string[] levels = ["A", "INBOX", "inbox", ".A", ".A.B", ".A..B", ".T.", ".INBOX", ".INBOX.X", "A.B", "x y", "..", ".b/.c", "d/e", "&", "."];
        var seed = Seeds.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 25; round++)
        {
            using var job = new MaildirJob(layout);
            var planted = new Dictionary<string, string>();
            for (var n = random.Next(1, 9); n > 0; n--)
            {
                var directory = string.Join('/', Enumerable.Range(0, random.Next(3)).Select(_ => levels[random.Next(levels.Length)]).Where(l => l is not (".." or ".")));
                planted[directory] = $"Subject: planted {n} {directory}\n\n";
                _ = job.Deliver($"{directory}/cur/{n}.h:2,S".TrimStart('/'), planted[directory]);
            }

            var report = await job.RunAsync();
            var arrived = Directory.Exists(job.Target) ? string.Concat(job.Arrived()) : "";
            foreach (var (directory, text) in planted)
            {
                var isNamed = report.Outcome != JobOutcome.Ok && job.Problems.Contains(job.Source, StringComparison.Ordinal)
                    && (report.Outcome == JobOutcome.Failed || IsNamed(directory));
                Assert.True(arrived.Contains(text, StringComparison.Ordinal) || isNamed, $"seed {seed}, round {round}, '{directory}' of {string.Join(" | ", planted.Keys)}: {job.Problems}");
            }

            // Returns whether the job's report says that this directory, or a directory above it, is left out.
            bool IsNamed(string directory)
            {
                for (var at = directory; at.Length > 0; at = Path.GetDirectoryName(at) ?? "")
                {
                    if (job.Problems.Contains(Path.Combine(job.Source, at) + " is left out", StringComparison.Ordinal))
                        return true;
                }

                return false;
            }
        }
    }

    [Theory]
    [InlineData(MaildirLayout.MaildirPlusPlus)]
    [InlineData(MaildirLayout.Fs)]
    public async Task Mail_that_lies_beside_the_Maildirs_is_named_and_other_files_are_not(MaildirLayout layout)
    {
        const string Message = "From: a@x.example\nSubject: beside\n\ntext\n";
        (string Name, string Contents)[] mail =
        [
            ("sent", $"From a@x.example Thu Jan  2 03:04:05 2020\n{Message}\n"), ("1.eml", Message), ("7", Message), ("1577880000.M1P1.host:2,S", Message), ("3.emlx", $"{Message.Length}\n{Message}"),
            ("mmdf", $"\u0001\u0001\u0001\u0001\n{Message}\u0001\u0001\u0001\u0001\n"), ("old.mbox.gz", "\u001f\u008b\b\0\0\0\0\0"), ("outlook.pst", "!BDN"),
        ];
        (string Name, string Contents)[] other =
        [
            ("procmail.log", "From a@x.example Thu Jan  2 03:04:05 2020\n Subject: beside\n  Folder: Mail/new/1\n"), ("dovecot.index.log", Message), ("maildirfolder", ""), ("courierimapuiddb", "1 1 1\n"), ("notes.txt", "From: here\nto there\n"),
            ("photos.tar.gz", "\u001f\u008b\b\0\0\0\0\0"), (".mailfilter", Message), ("subscriptions", "V\t2\n\n"), ("empty", ""), ("vacation", "Subject: away\n\nI am away\n"),
        ];
        string[] places = ["", ".Work", "Work", ".Work/deep", "cur.old", "new.bak/below", ".hidden", ".hidden/below", "plain/down/there"];
        var seed = Seeds.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 30; round++)
        {
            using var job = new MaildirJob(layout);
            _ = job.Deliver("cur/1.h:2,S", "Subject: inbox\n\n");
            _ = job.Deliver(layout == MaildirLayout.Fs ? "Work/cur/1.h:2,S" : ".Work/cur/1.h:2,S", "Subject: work\n\n");
            var planted = Enumerable.Range(0, random.Next(4)).Select(_ => (Place: places[random.Next(places.Length)], File: mail[random.Next(mail.Length)])).ToList();
            var beside = Enumerable.Range(0, random.Next(6)).Select(_ => (Place: places[random.Next(places.Length)], File: other[random.Next(other.Length)])).ToList();
            foreach (var (place, (name, contents)) in planted.Concat(beside))
            {
                Directory.CreateDirectory(Path.Combine(job.Source, place));
                await File.WriteAllTextAsync(Path.Combine(job.Source, place, name), contents, System.Text.Encoding.Latin1, TestContext.Current.CancellationToken);
            }

            await job.RunAsync();
            var context = $"seed {seed}, round {round}: {string.Join(" | ", planted.Select(p => $"{p.Place}/{p.File.Name}"))}: {job.Problems}";
            Assert.True(job.Report.Outcome == (planted.Count == 0 ? JobOutcome.Ok : JobOutcome.Incomplete), context);
            Assert.Equal(2, job.Arrived().Count);
            // The report has one line for each directory, which names the first of its files.
            foreach (var directory in planted.GroupBy(p => Path.Combine(job.Source, p.Place)))
            {
                var first = directory.Select(p => p.File.Name).Distinct().Order(StringComparer.Ordinal).ToList();
                Assert.True(job.Problems.Contains($"{Path.Combine(directory.Key, first[0])} is left out: it is ", StringComparison.Ordinal), context);
                Assert.True(first.Count == 1 || job.Problems.Contains($", like {first.Count - 1} more in that directory", StringComparison.Ordinal), context);
            }

            Assert.Equal(planted.Select(p => p.Place).Distinct().Count(), job.Report.Problems.Length);
        }
    }

    [Fact]
    public async Task A_directory_of_mbox_files_is_no_Maildir_and_says_what_it_is()
    {
        using var job = new MaildirJob();
        await File.WriteAllTextAsync(Path.Combine(job.Source, "sent"), "From a@x.example Thu Jan  2 03:04:05 2020\nFrom: a@x.example\n\ntext\n\n", TestContext.Current.CancellationToken);
        await job.RunAsync();
        Assert.Equal(JobOutcome.Failed, job.Report.Outcome);
        Assert.Contains("there is no Maildir; ", job.Problems, StringComparison.Ordinal);
        Assert.Contains("it is an mbox", job.Problems, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("new")]
    [InlineData("cur")]
    public async Task A_folder_of_an_archive_that_keeps_no_empty_directories_is_read(string part)
    {
        using var job = new MaildirJob();
        _ = job.Deliver("cur/1.h:2,S", "Subject: inbox\n\n");
        var directory = Path.Combine(job.Source, ".Work", part);
        Directory.CreateDirectory(directory);
        await File.WriteAllTextAsync(Path.Combine(directory, "2.h"), "Subject: work\n\n", TestContext.Current.CancellationToken);
        for (var run = 0; run < 2; run++)
        {
            await job.RunAsync();
            Assert.True(job.Report.Outcome == JobOutcome.Ok, job.Problems);
            Assert.Equal([". S Subject: inbox\n\n", ".Work  Subject: work\n\n"], job.Arrived());
        }
    }

    [Fact]
    public async Task Where_the_directory_cur_vanishes_its_mail_does_not_look_deleted()
    {
        using var job = new MaildirJob();
        job.Definition = job.Definition with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        _ = job.Deliver("cur/1.h:2,S", "Subject: inbox\n\n");
        _ = job.Deliver(".Work/cur/2.h:2,S", "Subject: read\n\n");
        _ = job.Deliver(".Work/new/3.h", "Subject: unread\n\n");
        await job.RunAsync();
        Assert.Equal(3, job.Arrived().Count);
        Directory.Move(Path.Combine(job.Source, ".Work/cur"), Path.Combine(job.Root, "away"));
        await job.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, 0L, 3), (job.Report.Outcome, job.Report.Totals.Deleted, job.Arrived().Count));
        Directory.Move(Path.Combine(job.Root, "away"), Path.Combine(job.Source, ".Work/cur"));
        await job.RunAsync();
        Assert.Equal((JobOutcome.Ok, 3), (job.Report.Outcome, job.Arrived().Count));
    }
}
