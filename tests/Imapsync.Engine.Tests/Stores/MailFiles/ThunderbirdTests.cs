using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores.Thunderbird;

namespace Imapsync.Engine.Tests.Stores.MailFiles;

/// <summary>Thunderbird profiles as a source.</summary>
public sealed class ThunderbirdTests
{
    private static string Body(string subject) => $"Message-ID: <{subject}@x.example>\nDate: Mon, 02 Jun 2025 10:00:00 +0000\nSubject: {subject}\n\n{subject}\n";

    private static string Entry(string subject, string status = "0001", string keys = "") =>
        $"From - Mon Jun 02 10:00:00 2025\nX-Mozilla-Status: {status}\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: {keys,-80}\n{Body(subject)}\n";

    private static string Line(string folder, string flags, string subject) => SourceJob.Line(folder, flags, Body(subject).Replace("\n", "\r\n", StringComparison.Ordinal));

    private static SourceJob Job() => new(place => new ThunderbirdEndpoint(place));

    private static void Fill(SourceJob job, string account)
    {
        job.Write($"{account}/Inbox", Entry("unread", "0000") + Entry("read", "0003", "$label1 work") + Entry("deleted", "0009") + Entry("forwarded", "1005"));
        job.Write($"{account}/Inbox.msf", "// <!-- <mdb:mork:z v=\"1.4\"/> -->");
        job.Write($"{account}/Archive", "");
        job.Write($"{account}/Archive.sbd/2024", Entry("old"));
        job.Write($"{account}/Archive.sbd/2024.msf", "// <!-- <mdb:mork:z v=\"1.4\"/> -->");
        job.Write($"{account}/popstate.dat", "# POP3 State File\n");
        job.Write($"{account}/msgFilterRules.dat", "version=\"9\"\n");
    }

    [Fact]
    public async Task One_account_is_shown_as_it_is_with_flags_and_tags_and_what_is_deleted_left_out_and_told()
    {
        using var job = Job();
        Fill(job, "Mail/pop.example.com");
        job.Write("prefs.js", "// settings");

        await job.SucceedAsync();

        Assert.Equal(
            new[]
            {
                Line("INBOX", "", "unread"), Line("INBOX", "\\Seen \\Answered $label1 work", "read"), Line("INBOX", "\\Seen \\Flagged $Forwarded", "forwarded"), Line("Archive/2024", "\\Seen", "old"),
            }.Order(StringComparer.Ordinal),
            job.Arrived());
        Assert.Contains(job.Notes, n => n.Contains("Thunderbird has deleted", StringComparison.Ordinal));
        Assert.Equal(0, (await job.SucceedAsync()).Totals.Copied);
    }

    [Fact]
    public async Task Several_accounts_lie_below_their_names_and_an_account_alone_can_be_named()
    {
        using var job = Job();
        Fill(job, "Mail/Local Folders");
        Fill(job, "ImapMail/imap.example.com");
        Directory.CreateDirectory(Path.Combine(job.Source, "Mail", "smart mailboxes"));

        await job.SucceedAsync();

        Assert.Equal(8, job.Arrived().Count);
        Assert.Contains(Line("Local Folders/Archive/2024", "\\Seen", "old"), job.Arrived());
        Assert.Contains(Line("imap=2Eexample=2Ecom/INBOX", "", "unread").Replace("=2E", ".", StringComparison.Ordinal), job.Arrived().Select(a => a.Replace("=2E", ".", StringComparison.Ordinal)));
        Assert.Contains(job.Notes, n => n.Contains("ImapMail", StringComparison.Ordinal));
        Assert.Equal(0, (await job.SucceedAsync()).Totals.Copied);

        using var single = new SourceJob(_ => new ThunderbirdEndpoint(Path.Combine(job.Source, "Mail", "Local Folders")));
        await single.SucceedAsync();
        Assert.Contains(Line("INBOX", "", "unread"), single.Arrived());
    }

    [Fact]
    public async Task A_host_with_an_account_in_Mail_and_one_in_ImapMail_is_two_accounts()
    {
        using var job = Job();
        job.Write("Mail/mail.example/Inbox", Entry("popped"));
        job.Write("ImapMail/mail.example/INBOX", Entry("downloaded"));

        await job.SucceedAsync();

        Assert.Equal([Line("mail.example (ImapMail)/INBOX", "\\Seen", "downloaded"), Line("mail.example/INBOX", "\\Seen", "popped")], job.Arrived());
    }

    [Fact]
    public async Task Accounts_that_are_called_INBOX_in_any_case_are_several_accounts()
    {
        using var job = Job();
        job.Write("Mail/Inbox/one", Entry("a"));
        job.Write("Mail/INBOX/one", Entry("b"));
        job.Write("ImapMail/inbox/one", Entry("c"));

        await job.SucceedAsync();

        Assert.Equal(
            new[] { Line("INBOX/one", "\\Seen", "b"), Line("Inbox (Mail)/one", "\\Seen", "a"), Line("inbox (ImapMail)/one", "\\Seen", "c") }.Order(StringComparer.Ordinal), job.Arrived());
        Assert.Equal(0, (await job.SucceedAsync()).Totals.Copied);
    }

    [Fact]
    public async Task Mail_that_comes_and_is_compacted_away_is_followed()
    {
        using var job = Job();
        Fill(job, "Mail/a");
        await job.SucceedAsync();
        job.Write("Mail/a/Inbox", Entry("read", "0007") + Entry("new"));

        var second = await job.SucceedAsync();

        Assert.Equal(1, second.Totals.Copied);
        Assert.Contains(Line("INBOX", "\\Seen", "new"), job.Arrived());
    }

    [Fact]
    public async Task A_directory_that_is_no_profile_is_told()
    {
        using var job = Job();
        Directory.CreateDirectory(job.Source);
        Assert.Equal(JobOutcome.Failed, (await job.RunAsync()).Outcome);
        Assert.NotEmpty(job.Problems);
    }

    [Fact]
    public async Task An_account_kept_as_maildir_decides_the_exit_status_and_one_without_mail_does_not()
    {
        using var job = new SourceJob(place => new ThunderbirdEndpoint(place));
        job.Write("Mail/pop.example/Inbox", "From - Mon Jun  2 10:00:00 2025\nMessage-ID: <1@x.example>\nSubject: mbox\n\ntext\n\n");
        job.Write("Mail/smart mailboxes/INBOX.msf", "index");
        await job.SucceedAsync();
        Assert.Contains(job.Notes, n => n.Contains("smart mailboxes", StringComparison.Ordinal));

        foreach (var part in (string[])["tmp", "new", "cur"])
            job.Write($"Mail/maildir.example/Inbox/{part}/{part}.eml", "Message-ID: <2@x.example>\nSubject: maildir\n\ntext\n");
        await job.RunAsync();
        Assert.Equal(JobOutcome.Incomplete, job.Report.Outcome);
        Assert.Contains("maildir.example/Inbox (a Maildir, read as maildir:)", job.Problems, StringComparison.Ordinal);
        Assert.Contains(job.Notes, n => n.Contains("smart mailboxes", StringComparison.Ordinal));
    }
}
