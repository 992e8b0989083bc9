using System.Text;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores.ImapBackup;

namespace Imapsync.Engine.Tests.Stores.MailFiles;

/// <summary>Accounts as stored by the program imap-backup.</summary>
public sealed class ImapBackupTests
{
    private static string Body(string subject, string text = "text\n") => $"Message-ID: <{subject}@x.example>\nDate: Mon, 02 Jun 2025 10:00:00 +0000\nSubject: {subject}\n\n{text}";

    private static string Line(string folder, string flags, string body) => SourceJob.Line(folder, flags, body.Replace("\n", "\r\n", StringComparison.Ordinal));

    private static SourceJob Job() => new(place => new ImapBackupEndpoint(place));

    private static void Write(SourceJob job, string folder, params (string Body, string Flags)[] messages)
    {
        var mbox = new StringBuilder();
        var json = new StringBuilder("{\"version\":3,\"uid_validity\":1234,\"messages\":[");
        foreach (var (body, flags) in messages)
        {
            var entry = $"From alice@x.example Mon Jun 02 10:00:00 2025\n{body.Replace("\nFrom ", "\n>From ", StringComparison.Ordinal)}\n";
            json.Append(mbox.Length == 0 ? "" : ",").Append($"{{\"uid\":{mbox.Length + 1},\"offset\":{mbox.Length},\"length\":{entry.Length},\"flags\":[{flags}]}}");
            mbox.Append(entry);
        }

        job.Write(folder + ".mbox", mbox.ToString());
        job.Write(folder + ".imap", json.Append("]}").ToString());
    }

    [Fact]
    public async Task A_symbolic_link_is_told_and_not_followed()
    {
        using var job = Job();
        Write(job, "INBOX", (Body("a"), "\"Seen\""));
        Directory.CreateSymbolicLink(Path.Combine(job.Source, "Archive"), job.Source);

        var report = await job.RunAsync();

        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        Assert.Contains("symbolic links to directories, which are not followed: 1, " + Path.Combine(job.Source, "Archive"), job.Problems, StringComparison.Ordinal);
        Assert.Single(job.Arrived());
    }

    [Fact]
    public async Task Of_two_spellings_of_INBOX_one_is_read_and_the_other_is_a_problem()
    {
        using var job = Job();
        Write(job, "INBOX", (Body("a"), ""));
        Write(job, "Inbox", (Body("b"), ""));

        var report = await job.RunAsync();

        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        Assert.Equal([Line("INBOX", "", Body("a"))], job.Arrived());
        Assert.Contains($"files of the folder INBOX, as which {Path.Combine(job.Source, "INBOX.mbox")} is read; rename them: 1, {Path.Combine(job.Source, "Inbox.mbox")} first", job.Problems, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Folders_flags_and_octets_arrive_and_changes_are_followed()
    {
        using var job = Job();
        Write(job, "INBOX", (Body("a"), "\"Seen\",\"Answered\""), (Body("b", "From here\n"), "\"$label1\",\"Recent\""));
        Write(job, "Archive/2024", (Body("old"), "\"Seen\",\"Flagged\""));

        await job.SucceedAsync();

        Assert.Equal(
            new[] { Line("INBOX", "\\Seen \\Answered", Body("a")), Line("INBOX", "$label1", Body("b", "From here\n")), Line("Archive/2024", "\\Seen \\Flagged", Body("old")) }.Order(StringComparer.Ordinal),
            job.Arrived());
        Write(job, "INBOX", (Body("a"), "\"Seen\""), (Body("b", "From here\n"), "\"Seen\",\"$label1\""), (Body("c"), ""));

        var second = await job.SucceedAsync();

        Assert.Equal((1, 3), (second.Totals.Copied, second.Totals.AlreadyPresent));
        Assert.Contains(Line("INBOX", "\\Seen $label1", Body("b", "From here\n")), job.Arrived());
        Assert.Contains(Line("INBOX", "", Body("c")), job.Arrived());
    }

    [Theory]
    [InlineData(null, "there is none")]
    [InlineData("{\"version\":3,\"messages\":[{\"uid\":1,", "it can't be read")]
    [InlineData("{\"version\":3,\"messages\":[{\"uid\":1,\"flags\":[]}]}", "it can't be read")]
    [InlineData("{\"version\":3,\"messages\":[{\"uid\":1,\"offset\":0,\"length\":9,\"flags\":[]},{\"uid\":2,\"offset\":900,\"length\":9,\"flags\":[]}]}", "may be cut off: 1")]
    public async Task Flags_that_can_not_be_had_are_told_and_the_mail_arrives(string? json, string told)
    {
        using var job = Job();
        Write(job, "INBOX", (Body("a"), ""));
        if (json is null)
            File.Delete(Path.Combine(job.Source, "INBOX.imap"));
        else
            job.Write("INBOX.imap", json);

        var report = await job.RunAsync();

        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        Assert.Contains(told, job.Problems, StringComparison.Ordinal);
        Assert.Equal([Line("INBOX", "", Body("a"))], job.Arrived());
    }

    [Fact]
    public async Task An_older_version_without_flags_is_no_mistake()
    {
        using var job = Job();
        Write(job, "INBOX", (Body("a"), ""));
        job.Write("INBOX.imap", "{\"version\":2,\"uid_validity\":1234,\"uids\":[1]}");

        await job.SucceedAsync();

        Assert.Equal([Line("INBOX", "", Body("a"))], job.Arrived());
    }
}
