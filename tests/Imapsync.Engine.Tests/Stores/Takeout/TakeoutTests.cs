using System.Text.RegularExpressions;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores.Takeout;

namespace Imapsync.Engine.Tests.Stores.Takeout;

/// <summary>Google Takeout files as exported: one mbox, with the labels in each message.</summary>
public sealed partial class TakeoutTests
{
    private static string Message(string labels, string subject, string body = "text\r\n") =>
        $"X-GM-THRID: 169348151321567890\r\nX-Gmail-Labels: {labels}\r\nMessage-ID: <{subject}@x.example>\r\nSubject: {subject}\r\n\r\n{body}";

    private static string Entry(long id, string message) =>
        $"From {id}@xxx Mon Feb 20 09:12:33 +0000 2017\r\n{Quoted().Replace(message, ">$0")}\r\n";

    private static SourceJob Job(LabelPolicy labels, params string[] messages)
    {
        var job = new SourceJob(place => new TakeoutEndpoint(Path.Combine(place, "All mail Including Spam and Trash.mbox")));
        job.Definition = job.Definition with { Labels = labels };
        Write(job, messages);
        return job;
    }

    private static void Write(SourceJob job, params string[] messages) =>
        job.Write("All mail Including Spam and Trash.mbox", string.Concat(messages.Select((m, i) => Entry(1693481513215678901 + i, m))));

    [Fact]
    public async Task With_labels_as_folders_each_message_lies_where_its_labels_say_and_nothing_is_doubled_by_All_Mail()
    {
        var inbox = Message("Inbox,Important,Opened", "a");
        var work = Message("Archived,Work/2017,Unread", "b");
        var archived = Message("Archived,Opened,Category Promotions", "c");
        var sent = Message("Sent,Starred,Opened", "d");
        var spam = Message("Spam,Unread", "e");
        var draft = Message("Drafts,Opened", "f");
        using var job = Job(LabelPolicy.Folders, inbox, work, archived, sent, spam, draft);

        await job.SucceedAsync();

        Assert.Equal(
            new[]
            {
                SourceJob.Line("INBOX", "\\Seen", inbox), SourceJob.Line("Work/2017", "", work), SourceJob.Line("[Gmail]/All Mail", "\\Seen", archived),
                SourceJob.Line("[Gmail]/Sent Mail", "\\Seen \\Flagged", sent), SourceJob.Line("[Gmail]/Spam", "", spam), SourceJob.Line("[Gmail]/Drafts", "\\Seen \\Draft", draft),
            }.Order(StringComparer.Ordinal),
            job.Arrived());
        Assert.Equal(new DateTimeOffset(2017, 2, 20, 9, 12, 33, TimeSpan.Zero), job.DateOf("INBOX"));
        Assert.Equal(0, (await job.SucceedAsync()).Totals.Copied);
    }

    [Fact]
    public async Task With_labels_as_keywords_a_message_with_several_labels_is_there_once()
    {
        var several = Message("Inbox,Important,Opened,Work/2017,\"Bob, Eve\",Zweites", "a");
        using var job = Job(LabelPolicy.Keywords, several);

        await job.SucceedAsync();

        Assert.Equal([SourceJob.Line("[Gmail]/All Mail", "\\Seen $Inbox $Important Work/2017 Bob,_Eve Zweites", several)], job.Arrived());
    }

    [Theory]
    [InlineData("=?UTF-8?Q?Posteingang,Ge=C3=B6ffnet,Gel=C3=B6schte_Kunden?=")]
    [InlineData("=?UTF-8?Q?Posteingang,Ge=C3=B6ffnet,Gel=C3=B6?=\r\n =?UTF-8?Q?schte_Kunden?=")]
    [InlineData("=?UTF-8?B?UG9zdGVpbmdhbmcsR2XDtmZmbmV0LEdlbMO2c2NodGUgS3VuZGVu?=")]
    [InlineData("Posteingang,Ge\u00c3\u00b6ffnet,\r\n Gel\u00c3\u00b6schte Kunden")]
    public async Task Encoded_and_folded_labels_of_another_language_are_read(string labels)
    {
        var message = Message(labels, "a");
        using var job = Job(LabelPolicy.Folders, message);

        await job.SucceedAsync();

        Assert.Equal([SourceJob.Line("Gelöschte Kunden", "\\Seen", message), SourceJob.Line("INBOX", "\\Seen", message)], job.Arrived());
    }

    [Fact]
    public async Task A_label_that_a_sender_wrote_counts_for_nothing()
    {
        var forged = "Message-ID: <f@x.example>\r\nX-Gmail-Labels: Inbox\r\nSubject: f\r\n\r\nx\r\n";
        var labelled = Message("Work,Opened", "a", "X-Gmail-Labels: Inbox\r\n");
        using var job = Job(LabelPolicy.Folders, forged, labelled);

        await job.SucceedAsync();

        Assert.Equal(
            new[] { SourceJob.Line("Work", "\\Seen", labelled), SourceJob.Line("[Gmail]/All Mail", "\\Seen", forged) }.Order(StringComparer.Ordinal), job.Arrived());
        Assert.Contains(job.Notes, n => n.Contains("1 of 2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Where_no_label_says_what_was_read_nothing_is_marked_as_read()
    {
        var message = Message("Work", "a");
        using var job = Job(LabelPolicy.Folders, message);

        await job.SucceedAsync();

        Assert.Equal([SourceJob.Line("Work", "", message)], job.Arrived());
        Assert.Contains(job.Notes, n => n.Contains("shown as unread", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_later_export_of_the_same_account_brings_what_is_new()
    {
        string[] first = [Message("Inbox,Opened", "a"), Message("Inbox,Unread", "b", "From here\r\n>From there\r\n")];
        using var job = Job(LabelPolicy.Folders, first);
        await job.SucceedAsync();
        Write(job, Message("Inbox,Unread", "new"), first[1], first[0]);

        var second = await job.SucceedAsync();

        Assert.Equal((1, 2), (second.Totals.Copied, second.Totals.AlreadyPresent));
        Assert.Equal(3, job.Arrived().Count);
        Assert.Contains(SourceJob.Line("INBOX", "", first[1]), job.Arrived());
    }

    [GeneratedRegex("^>*From ", RegexOptions.Multiline, 60_000)]
    private static partial Regex Quoted();

    [Fact]
    public async Task A_file_that_is_not_there_or_holds_no_mail_is_told_and_not_taken_for_an_empty_account()
    {
        using var job = Job(LabelPolicy.Folders, Message("Inbox", "a"));
        await job.SucceedAsync();
        job.Write("All mail Including Spam and Trash.mbox", "");
        Assert.Equal(JobOutcome.Failed, (await job.RunAsync()).Outcome);
        Assert.Contains("holds no message", job.Problems, StringComparison.Ordinal);
        Directory.Delete(job.Source, recursive: true);
        Assert.Equal(JobOutcome.Failed, (await job.RunAsync()).Outcome);
        Assert.Contains("there is no such file", job.Problems, StringComparison.Ordinal);
    }
}
