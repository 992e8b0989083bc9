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

            // Whether a report names the directory itself or a directory above it.
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
}
