using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.State;

/// <summary>State files with half a million unknown records. Reading them takes little memory and causes at most one note.</summary>
[Collection(nameof(MemoryBoundsTests))]
public sealed class ManyUnknownRecordsTests
{
    private const int Many = 500_000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_summary_gives_the_pairs_that_it_knows()
    {
        using var box = new MailboxFixture();
        var path = Path.Combine(box.StateDirectory, "summary");
        var pair = new PairKey(FolderPath.Inbox, FolderPath.Inbox);
        await File.WriteAllBytesAsync(path, SummaryFile.Write([new PairSummary(pair, new FolderStatus(new UidValidity(1), new Uid(2), 1), null, "r", 1, 0)]).ToArray(), Token);
        await using (var file = new FileStream(path, FileMode.Append))
        {
            var lines = new RecordWriter(isChained: false);
            for (var n = 0; n < Many; n++)
                lines.Begin("key"u8).Add((ulong)n).End();
            await file.WriteAsync(lines.Written, Token);
        }

        var octets = await File.ReadAllBytesAsync(path, Token);
        var length = octets.Length;
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal([pair], SummaryFile.Read(octets, path).Keys);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < (2 * length) + (1 << 20));
    }

    [Fact]
    public async Task A_journal_is_damaged_with_the_first_and_set_aside_in_one_word()
    {
        using var box = new MailboxFixture();
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("m1"));
        await box.RunAsync();
        var journal = Assert.Single(Directory.GetFiles(Path.Combine(box.StateDirectory, "pairs"), "*.journal"));
        await using (var file = new StreamWriter(journal, append: true))
        {
            for (var n = 0; n < Many; n++)
                await file.WriteAsync($"key{n} value 00000000\n");
        }

        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("m2"));
        var before = GC.GetTotalAllocatedBytes(precise: true);
        var report = await box.RunAsync();
        Assert.True(GC.GetTotalAllocatedBytes(precise: true) - before < 64 << 20);
        Assert.Equal(1, report.Totals.Copied);
        Assert.Equal(2, box.Target.Folder("INBOX").Messages.Count);
        Assert.Single(report.Notes, n => n.Contains("damaged", StringComparison.Ordinal) && n.Length < 1000);
    }
}
