using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// The source has a message twice. Its owner deletes one of the two at the source, and somebody else deletes one of the two copies at the target. One
/// message is still at the source, so the remaining copy stays and gets that message's flag changes.
/// </summary>
public sealed class LastCopyTests
{
    public static TheoryData<DeletionPolicy, int, int, bool> Cases()
    {
        var cases = new TheoryData<DeletionPolicy, int, int, bool>();
        foreach (var policy in (DeletionPolicy[])[DeletionPolicy.Mirror, DeletionPolicy.Trash])
        {
            for (var bits = 0; bits < 8; bits++)
                cases.Add(policy, bits & 1, (bits >> 1) & 1, (bits & 4) > 0);
        }

        return cases;
    }

    /// <param name="deleted">Which of the two is deleted at the source.</param>
    /// <param name="taken">Which of the two copies is removed at the target.</param>
    [Theory]
    [MemberData(nameof(Cases))]
    public async Task The_last_copy_of_a_message_stays(DeletionPolicy policy, int deleted, int taken, bool wasAdopted)
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Deletions = policy, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        var (source, target) = (box.Source.Folder("INBOX"), box.Target.Folder("INBOX"));
        source.Add(MailboxFixture.Mail("before"));
        List<uint> twins = [source.Add(MailboxFixture.Mail("twin")), source.Add(MailboxFixture.Mail("twin"))];
        source.Add(MailboxFixture.Mail("after"));
        await box.RunAsync();
        if (wasAdopted)
        {
            box.DeleteCheckpoints();
            await box.RunAsync();
        }

        target.Remove(target.Messages[1 + taken].Uid);
        source.Remove(twins[deleted]);
        await box.RunAsync();
        Assert.Equal(Describe(source), Describe(target));

        source.SetFlags(twins[1 - deleted], "\\Flagged");
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0L, 0L), (report.Outcome, report.Totals.Copied, report.Totals.Deleted));
        Assert.Equal(Describe(source), Describe(target));
    }

    private static IEnumerable<string> Describe(MemoryFolderState folder) =>
        folder.Messages.Select(m => $"{System.Text.Encoding.Latin1.GetString(m.Octets)} ({m.Flags})").Order(StringComparer.Ordinal);
}
