using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Engine.Stores.Emlx;
using Imapsync.Engine.Stores.Mh;

namespace Imapsync.Engine.Tests.Stores;

/// <summary>
/// An unreadable file or directory may hide a folder from the source's listing. The folder's copies stay at the target until the whole
/// source can be read.
/// </summary>
public sealed class UnreadPlaceTests
{
    private const string Text = "From: a@example.org\r\nSubject: x\r\n\r\ntext\r\n";

    [Theory]
    [InlineData("maildir", ".Work/cur/1.h:2,S")]
    [InlineData("mbox", "Work")]
    [InlineData("eml", "Work/1.eml")]
    [InlineData("mh", "Work/1")]
    [InlineData("emlx", "Work.mbox/Messages/1.emlx")]
    public async Task Nothing_of_a_folder_that_became_a_link_is_removed(string scheme, string work)
    {
        using var job = new SourceJob(source => scheme switch
        {
            "eml" => new EmlEndpoint(source),
            "mh" => new MhEndpoint(source),
            "maildir" => new MaildirEndpoint(source),
            "mbox" => new MboxEndpoint(source),
            _ => new EmlxEndpoint(source),
        });
        job.Definition = job.Definition with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        var other = scheme switch { "maildir" => "cur/1.h:2,", "mbox" => "Other", "emlx" => "Other.mbox/Messages/1.emlx", "eml" => "Other/1.eml", _ => "Other/1" };
        foreach (var file in (string[])[work, other])
            job.Write(file, Of(scheme));
        if (scheme == "maildir")
            Array.ForEach(["new", "tmp", ".Work/new", ".Work/tmp"], d => Directory.CreateDirectory(Path.Combine(job.Source, d)));
        await job.SucceedAsync();
        Assert.Equal(2, job.Arrived().Count);

        var place = Path.Combine(job.Source, work.Split('/')[0]);
        var away = job.Source + ".away";
        Directory.Move(place, away);
        File.CreateSymbolicLink(place, away);
        await job.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, 0L, 2), (job.Report.Outcome, job.Report.Totals.Deleted, job.Arrived().Count));

        // The link that was not followed is removed. All of the source can be read now, so the folder is known to be gone.
        File.Delete(place);
        await job.SucceedAsync();
        Assert.Equal((1L, 1), (job.Report.Totals.Deleted, job.Arrived().Count));
    }

    private static string Of(string scheme) => scheme switch
    {
        "emlx" => $"{Text.Length}\n{Text}<?xml version=\"1.0\"?><plist version=\"1.0\"><dict><key>flags</key><integer>0</integer></dict></plist>\n",
        "mbox" => $"From a@example.org Tue Jan  7 10:00:00 2025\n{Text.Replace("\r\n", "\n", StringComparison.Ordinal)}\n",
        "maildir" => Text.Replace("\r\n", "\n", StringComparison.Ordinal),
        _ => Text,
    };
}
