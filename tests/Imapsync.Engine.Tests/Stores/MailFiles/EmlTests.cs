using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.MailFiles;

/// <summary>Directories of .eml files, and the behaviour of every store with one file per message.</summary>
public sealed class EmlTests
{
    private static string Message(string subject) => $"Message-ID: <{subject}@x.example>\r\nDate: Mon, 02 Jun 2025 10:00:00 +0000\r\nSubject: {subject}\r\n\r\n{subject}\r\n";

    private static SourceJob Job() => new(place => new EmlEndpoint(place));

    [Fact]
    public async Task A_file_or_directory_whose_name_is_no_UTF_8_is_told_and_not_taken_for_one_that_has_gone()
    {
        using var job = Job();
        job.Write("a.eml", Message("a"));
        await Command.RunAsync("sh", ["-c", "cd \"$1\" && cp a.eml \"$(printf 'b\\377.eml')\"; mkdir \"$(printf 'd\\377')\"; cp a.eml \"$(printf 'd\\377/c.eml')\"", "sh", job.Source]);

        var report = await job.RunAsync();

        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        Assert.Single(job.Arrived());
        Assert.Contains("files whose names are no UTF-8; rename them: 1, ", job.Problems, StringComparison.Ordinal);
        Assert.Contains("directories whose names are no UTF-8; rename them: 1, ", job.Problems, StringComparison.Ordinal);
        // .NET can't delete files whose names are not valid UTF-8, so rm is used.
        await Command.RunAsync("rm", ["-r", job.Source]);
    }

    [Fact]
    public async Task What_macOS_keeps_of_a_file_beside_it_is_no_message()
    {
        using var job = Job();
        job.Write("a.eml", Message("a"));
        job.Write("._a.eml", "\0\u0005\u0016\u0007\0\u0002\0\0Mac OS X        ");
        job.Write("._b.eml", Message("b"));
        await job.SucceedAsync();
        Assert.Equal([SourceJob.Line("INBOX", "", Message("a")), SourceJob.Line("INBOX", "", Message("b"))], job.Arrived());
    }

    [Fact]
    public async Task Directories_become_folders_and_octets_stay_what_they_are()
    {
        using var job = Job();
        string[] bodies = [Message("crlf"), Message("nul") + "a\0b\r\n", Message("8-bit") + "\u00e4\u00ff\r\n", Message("no end") + "x", Message("bare") + "a\nb\r\n", "\r\nno header\r\n"];
        for (var i = 0; i < bodies.Length; i++)
            job.Write($"Work/Büro/{i}.eml", bodies[i]);
        job.Write("top.EML", Message("top"));
        // A file as programs on a system with LF line ends write it.
        job.Write("Work/lf.eml", Message("lf").Replace("\r\n", "\n", StringComparison.Ordinal));
        job.Write("Work/Thumbs.db", "x");
        job.Write("Work/notes.txt", "x");

        var first = await job.SucceedAsync();

        Assert.Equal(bodies.Length + 2, first.Totals.Copied);
        // The reader of this test shows a bare LF as CRLF, as Dovecot does, so CRLF is expected.
        Assert.Equal(
            bodies.Select(b => SourceJob.Line("Work/Büro", "", b.Replace("a\nb", "a\r\nb", StringComparison.Ordinal)))
                .Append(SourceJob.Line("INBOX", "", Message("top"))).Append(SourceJob.Line("Work", "", Message("lf"))).Order(StringComparer.Ordinal),
            job.Arrived());
        Assert.Equal(new DateTimeOffset(2025, 6, 2, 10, 0, 0, TimeSpan.Zero), job.DateOf("Work"));
        Assert.Contains(job.Notes, n => n.Contains("without the ending .eml", StringComparison.Ordinal) && n.Contains("notes.txt", StringComparison.Ordinal));
        Assert.Equal(0, (await job.SucceedAsync()).Totals.Copied);
    }

    [Fact]
    public async Task A_random_tree_that_changes_between_runs_arrives_whole_and_nothing_twice()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        using var job = Job();
        job.Definition = job.Definition with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        var there = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var round = 0; round < 8; round++)
        {
            for (var i = random.Next(1, 12); i > 0; i--)
            {
                var name = $"{(char)('A' + random.Next(3))}/{random.Next(1000)}.eml";
                if (there.ContainsKey(name))
                    continue;
                there[name] = Message($"{round}-{i}-{random.Next()}");
                job.Write(name, there[name]);
            }

            foreach (var name in there.Keys.Where(_ => random.Next(6) == 0).Take(there.Count - 1).ToList())
            {
                there.Remove(name);
                File.Delete(Path.Combine(job.Source, name));
            }

            await job.RunAsync();
            Assert.True(job.Report.Outcome == JobOutcome.Ok, $"seed {seed}, round {round}: {job.Problems}");
            Assert.Equal(there.Select(t => SourceJob.Line(t.Key[..1], "", t.Value)).Order(StringComparer.Ordinal), job.Arrived());
        }
    }

    [Fact]
    public async Task Files_that_are_renamed_are_not_copied_twice()
    {
        using var job = Job();
        foreach (var name in (string[])["1", "2", "5"])
            job.Write($"A/{name}.eml", Message(name));
        await job.SucceedAsync();
        // Rename two files, one of them to the former name of the other, and add a new file.
        File.Move(Path.Combine(job.Source, "A/2.eml"), Path.Combine(job.Source, "A/9.eml"));
        File.Move(Path.Combine(job.Source, "A/5.eml"), Path.Combine(job.Source, "A/2.eml"));
        job.Write("A/3.eml", Message("new"));

        var second = await job.SucceedAsync();
        var third = await job.SucceedAsync();
        var fourth = await job.SucceedAsync();

        Assert.Equal((1, 0, 0), (second.Totals.Copied, third.Totals.Copied, fourth.Totals.Copied));
        Assert.Equal(4, job.Arrived().Count);
        Assert.Contains(job.Notes, n => n.Contains("files were renamed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_replaced_by_another_message_of_the_same_name_is_new_mail()
    {
        using var job = Job();
        job.Write("A/1.eml", Message("one"));
        await job.SucceedAsync();
        job.Write("A/other", Message("two"));
        File.Move(Path.Combine(job.Source, "A/other"), Path.Combine(job.Source, "A/1.eml"), overwrite: true);

        await job.SucceedAsync();

        Assert.Equal(new[] { SourceJob.Line("A", "", Message("one")), SourceJob.Line("A", "", Message("two")) }.Order(StringComparer.Ordinal), job.Arrived());
    }

    [Fact]
    public async Task An_empty_file_and_one_that_can_not_be_read_fail_alone_and_links_are_told()
    {
        using var job = Job();
        job.Write("A/1.eml", Message("one"));
        job.Write("A/2.eml", "");
        File.CreateSymbolicLink(Path.Combine(job.Source, "A/3.eml"), Path.Combine(job.Source, "A/1.eml"));
        Directory.CreateSymbolicLink(Path.Combine(job.Source, "B"), Path.Combine(job.Source, "A"));

        var report = await job.RunAsync();

        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        Assert.Equal((1, 2), (report.Totals.Copied, report.Totals.Failed));
        Assert.Contains("nothing in it", job.Problems, StringComparison.Ordinal);
        Assert.Contains("symbolic links to directories", job.Problems, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_without_mail_is_not_taken_for_an_emptied_mailbox()
    {
        using var job = Job();
        job.Definition = job.Definition with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        job.Write("A/1.eml", Message("one"));
        await job.SucceedAsync();
        Directory.Delete(job.Source, recursive: true);
        Assert.Equal(JobOutcome.Failed, (await job.RunAsync()).Outcome);
        Directory.CreateDirectory(job.Source);
        Assert.Equal(JobOutcome.Failed, (await job.RunAsync()).Outcome);
        Assert.Single(job.Arrived());
    }
}
