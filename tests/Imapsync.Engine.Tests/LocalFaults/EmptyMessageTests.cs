using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Engine.Stores.Maildir;
using Imapsync.Engine.Stores.Mbox;
using Imapsync.Engine.Tests.Stores;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.LocalFaults;

/// <summary>
/// Messages of 0 octets, which a full disk leaves, anywhere among others: they are copied like the others, into every kind of backup, and stop none.
/// </summary>
public sealed class EmptyMessageTests
{
    public static TheoryData<string, int> Cases => new MatrixTheoryData<string, int>(["maildir", "mbox", "eml"], [.. Enumerable.Range(0, 16)]);

    /// <param name="empty">Bit n tells whether message n of the four has no octets.</param>
    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Empty_messages_at_any_position_stop_no_other(string kind, int empty)
    {
        using var job = new SourceJob(place => new MaildirEndpoint(place));
        Directory.CreateDirectory(Path.Combine(job.Source, "new"));
        Directory.CreateDirectory(Path.Combine(job.Source, "tmp"));
        for (var n = 0; n < 4; n++)
            job.Write($"cur/{n + 1}.M1P1.host:2,S", (empty & (1 << n)) != 0 ? "" : $"Message-ID: <{n}@x.example>\nSubject: {n}\n\ntext\n");
        Endpoint target = kind switch
        {
            "mbox" => new MboxEndpoint(job.Target),
            "eml" => new EmlEndpoint(job.Target),
            _ => new MaildirEndpoint(job.Target),
        };
        job.Definition = job.Definition with { Target = target };

        await job.RunAsync();
        Assert.True(job.Report.Outcome == JobOutcome.Ok, job.Problems);
        Assert.Equal(4, job.Report.Totals.Copied);
        var inbox = (await StoreReader.ReadAsync(target)).Folders["INBOX"];
        Assert.Equal(4, inbox.Messages.Count);
        await job.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0L), (job.Report.Outcome, job.Report.Totals.Copied));
    }
}
