using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Engine.Stores.Emlx;
using Imapsync.Engine.Stores.Mh;
using Imapsync.Engine.Tests.Matching;

namespace Imapsync.Engine.Tests.Stores;

/// <summary>The same messages are selected by their headers, whatever kind of store the mail is in.</summary>
public sealed class SelectionTests
{
    private const string Bills = "From: a@example.org\r\nSubject: =?utf-8?q?Rechnung_f=C3=BCr?=\r\n Mai\r\n\r\ntext\r\n";
    private const string Lunch = "From: a@example.org\r\nSubject: lunch\r\n\r\ntext\r\n";

    [Theory]
    [InlineData("eml")]
    [InlineData("mh")]
    [InlineData("maildir")]
    [InlineData("mbox")]
    [InlineData("emlx")]
    public async Task A_filter_chooses_the_same_mail(string scheme)
    {
        using var job = new SourceJob(source => scheme switch
        {
            "eml" => new EmlEndpoint(source),
            "mh" => new MhEndpoint(source),
            "maildir" => new MaildirEndpoint(source),
            "mbox" => new MboxEndpoint(source),
            _ => new EmlxEndpoint(source),
        });
        Write(job, scheme, Bills, Lunch);
        job.Definition = job.Definition with { Messages = new MessageFilter { Headers = [HeaderMatchTests.Rule("subject", "rechnung für*")] } };
        var report = await job.SucceedAsync();
        Assert.Equal((1L, 1L), (report.Totals.Copied, report.Totals.Skipped));
        Assert.EndsWith(SourceJob.Line("INBOX", "", Bills)[^17..], Assert.Single(job.Arrived()), StringComparison.Ordinal);
        report = await job.SucceedAsync();
        Assert.Equal((0L, 1L, 1L), (report.Totals.Copied, report.Totals.AlreadyPresent, report.Totals.Skipped));
        job.Definition = job.Definition with { Messages = new MessageFilter() };
        Assert.Equal(1, (await job.SucceedAsync()).Totals.Copied);
        Assert.Equal(2, job.Arrived().Count);
    }

    private static void Write(SourceJob job, string scheme, params ReadOnlySpan<string> messages)
    {
        var mbox = "";
        for (var i = 0; i < messages.Length; i++)
        {
            var text = messages[i];
            switch (scheme)
            {
                case "eml":
                    job.Write($"{i}.eml", text);
                    break;
                case "mh":
                    job.Write($"inbox/{i + 1}", text);
                    break;
                case "maildir":
                    job.Write($"cur/1700000000.{i}.host:2,", text.Replace("\r\n", "\n", StringComparison.Ordinal));
                    Directory.CreateDirectory(Path.Combine(job.Source, "new"));
                    Directory.CreateDirectory(Path.Combine(job.Source, "tmp"));
                    break;
                case "emlx":
                    job.Write($"INBOX.mbox/Messages/{i + 1}.emlx", $"{text.Length}\n{text}<?xml version=\"1.0\"?><plist version=\"1.0\"><dict><key>flags</key><integer>0</integer></dict></plist>\n");
                    break;
                default:
                    mbox += $"From a@example.org Tue Jan  7 10:00:00 2025\n{text.Replace("\r\n", "\n", StringComparison.Ordinal)}\n";
                    break;
            }
        }

        if (mbox.Length > 0)
            job.Write("INBOX", mbox);
    }
}
