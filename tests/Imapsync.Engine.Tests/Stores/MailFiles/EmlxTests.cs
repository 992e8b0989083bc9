using System.Globalization;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores.Emlx;

namespace Imapsync.Engine.Tests.Stores.MailFiles;

/// <summary>Apple Mail's files as stored in <c>~/Library/Mail</c>.</summary>
public sealed class EmlxTests
{
    private const string Account = "V10/6A1B6F7C-3C2E-4A0D-9C7B-0123456789AB";
    private const string Data = "3F2504E0-4F89-11D3-9A0C-0305E82C3301/Data";

    private static string Message(string subject) => $"Message-ID: <{subject}@x.example>\nReceived: by b; Tue, 03 Jun 2025 08:09:10 +0200\nSubject: {subject}\n\n{subject}\n";

    private static string Crlf(string text) => text.Replace("\n", "\r\n", StringComparison.Ordinal);

    private static string File(string message, long flags, long? received = null) =>
        $"{Encoding.Latin1.GetByteCount(message).ToString(CultureInfo.InvariantCulture),-10}\n{message}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        + "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n"
        + "\t<key>conversation-id</key>\n\t<integer>4711</integer>\n"
        + (received is { } date ? $"\t<key>date-received</key>\n\t<integer>{date}</integer>\n" : "")
        + $"\t<key>flags</key>\n\t<integer>{flags}</integer>\n\t<key>remote-id</key>\n\t<string>12</string>\n</dict>\n</plist>\n";

    private static SourceJob Job() => new(place => new EmlxEndpoint(place));

    [Fact]
    public async Task Folders_flags_dates_and_octets_of_a_library_arrive()
    {
        using var job = Job();
        job.Write($"{Account}/INBOX.mbox/{Data}/Messages/1.emlx", File(Message("unread"), 0));
        job.Write($"{Account}/INBOX.mbox/{Data}/3/1/Messages/13001.emlx", File(Message("all"), (1 << 0) | (1 << 2) | (1 << 4) | (1 << 8) | (1 << 24) | (1L << 33), 1748930950));
        job.Write($"{Account}/[Gmail].mbox/Sent Mail.mbox/{Data}/Messages/2.emlx", File(Message("sent"), 1));
        job.Write("V10/Mailboxes/Projekte.mbox/Entwürfe 2025.mbox/Messages/3.emlx", File(Message("old"), 1 << 6));
        job.Write("V10/MailData/Envelope Index", "no mail");

        var first = await job.SucceedAsync();

        Assert.Equal(4, first.Totals.Copied);
        Assert.Equal(
            new[]
            {
                SourceJob.Line("INBOX", "", Crlf(Message("unread"))), SourceJob.Line("INBOX", "\\Seen \\Answered \\Flagged $Forwarded $Junk", Crlf(Message("all"))),
                SourceJob.Line("[Gmail]/Sent Mail", "\\Seen", Crlf(Message("sent"))), SourceJob.Line("Projekte/Entwürfe 2025", "\\Draft", Crlf(Message("old"))),
            }.Order(StringComparer.Ordinal),
            job.Arrived());
        Assert.Equal(new DateTimeOffset(2025, 6, 3, 6, 9, 10, TimeSpan.Zero), job.DateOf("[Gmail]/Sent Mail"));
        Assert.Equal(0, (await job.SucceedAsync()).Totals.Copied);
    }

    [Fact]
    public async Task A_date_of_receipt_in_the_list_is_the_messages()
    {
        using var job = Job();
        job.Write("A.mbox/Messages/1.emlx", File(Message("a"), 1, 1600000000));
        await job.SucceedAsync();
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1600000000), job.DateOf("A"));
    }

    [Fact]
    public async Task A_flag_that_changes_is_followed_and_the_message_is_not_copied_again()
    {
        using var job = Job();
        job.Write("A.mbox/Messages/1.emlx", File(Message("a"), 0));
        job.Write("A.mbox/Messages/2.emlx", File(Message("b"), 0));
        await job.SucceedAsync();
        // Apple Mail replaces the file with a new one when a flag changes.
        job.Write("A.mbox/Messages/1.emlx.new", File(Message("a"), 1 | (1 << 4)));
        System.IO.File.Move(Path.Combine(job.Source, "A.mbox/Messages/1.emlx.new"), Path.Combine(job.Source, "A.mbox/Messages/1.emlx"), overwrite: true);
        job.Write("A.mbox/Messages/3.emlx", File(Message("c"), 0));

        var second = await job.SucceedAsync();

        Assert.Equal((1, 2), (second.Totals.Copied, second.Totals.AlreadyPresent));
        Assert.Equal(
            new[] { SourceJob.Line("A", "\\Seen \\Flagged", Crlf(Message("a"))), SourceJob.Line("A", "", Crlf(Message("b"))), SourceJob.Line("A", "", Crlf(Message("c"))) }.Order(StringComparer.Ordinal),
            job.Arrived());
    }

    [Fact]
    public async Task What_is_incomplete_or_damaged_is_named_with_the_reason_and_the_rest_arrives()
    {
        using var job = Job();
        job.Write("A.mbox/Messages/1.emlx", File(Message("good"), 1));
        job.Write("A.mbox/Messages/2.partial.emlx", File(Message("part"), 1));
        job.Write("A.mbox/Messages/3.emlx", "1000      \nSubject: cut off\n\n");
        job.Write("A.mbox/Messages/4.emlx", "Subject: no length\n\nx\n");
        job.Write("A.mbox/Messages/5.emlx", "");
        job.Write("A.mbox/Messages/6.emlx", "-5\nx");
        job.Write("A.mbox/Messages/7.emlx", "0\n");

        var report = await job.RunAsync();

        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        Assert.Equal((1, 6), (report.Totals.Copied, report.Totals.Failed));
        Assert.All((string[])["in part only", "it was cut off", "no .emlx file", "nothing in it"], reason => Assert.Contains(reason, job.Problems, StringComparison.Ordinal));
        Assert.Equal([SourceJob.Line("A", "\\Seen", Crlf(Message("good")))], job.Arrived());
    }

    [Fact]
    public async Task A_message_that_is_whole_later_comes_then()
    {
        using var job = Job();
        job.Write("A.mbox/Messages/1.emlx", File(Message("good"), 1));
        job.Write("A.mbox/Messages/2.partial.emlx", File(Message("part"), 1));
        await job.RunAsync();
        System.IO.File.Delete(Path.Combine(job.Source, "A.mbox/Messages/2.partial.emlx"));
        job.Write("A.mbox/Messages/2.emlx", File(Message("whole"), 1));

        var second = await job.SucceedAsync();

        Assert.Equal(1, second.Totals.Copied);
    }
}
