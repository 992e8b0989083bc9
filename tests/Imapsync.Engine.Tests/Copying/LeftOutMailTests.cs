using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// A filter leaves out a message that was copied before. The copy stays at the target, even if the message gets a new UID at the source.
/// </summary>
public sealed class LeftOutMailTests : IDisposable
{
    private readonly MailboxFixture box = new();

    public void Dispose() => box.Dispose();

    [Theory]
    [InlineData(DeletionPolicy.Mirror, true)]
    [InlineData(DeletionPolicy.Mirror, false)]
    [InlineData(DeletionPolicy.Trash, true)]
    public async Task A_message_moved_away_and_back_is_not_removed_though_the_filter_leaves_it_out_by_now(DeletionPolicy policy, bool hasModSeq)
    {
        box.Source.HasModSeq = hasModSeq;
        box.Job = box.Job with { Deletions = policy };
        var inbox = box.Source.Folder("INBOX");
        for (var i = 1; i <= 4; i++)
            inbox.Add(MailboxFixture.Mail($"m{i}"));
        await box.RunAsync();
        inbox.Remove(2);
        inbox.Remove(3);
        inbox.Add(MailboxFixture.Mail("m2"));
        inbox.Add(MailboxFixture.Mail("m5"));
        box.Job = box.Job with { Messages = new MessageFilter { MaxSizeBytes = 10 } };

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0, 1L, 1L), (report.Outcome, report.Totals.Copied, report.Totals.Skipped, report.Totals.Deleted));
        Assert.Equal(["m1", "m2", "m4"], Ids("INBOX"));
        Assert.Equal((JobOutcome.Ok, 0L), Result(await box.RunAsync()));

        // The left-out message still belongs to the job, so its copy is removed once the message is deleted at the source.
        inbox.Remove(5);
        Assert.Equal((JobOutcome.Ok, 1L), Result(await box.RunAsync()));
        Assert.Equal(["m1", "m4"], Ids("INBOX"));
    }

    [Fact]
    public async Task What_came_back_under_keep_is_still_known_when_deletions_are_mirrored_later()
    {
        box.Job = box.Job with { Deletions = DeletionPolicy.Keep };
        var inbox = box.Source.Folder("INBOX");
        for (var i = 1; i <= 4; i++)
            inbox.Add(MailboxFixture.Mail($"m{i}"));
        await box.RunAsync();
        box.Job = box.Job with { Messages = new MessageFilter { MaxSizeBytes = 10 } };
        inbox.Remove(2);
        inbox.Add(MailboxFixture.Mail("m2"));
        inbox.Remove(3);
        Assert.Equal((JobOutcome.Ok, 0L), Result(await box.RunAsync()));
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror };
        Assert.Equal((JobOutcome.Ok, 1L), Result(await box.RunAsync()));
        Assert.Equal(["m1", "m2", "m4"], Ids("INBOX"));
    }

    [Fact]
    public void A_date_or_size_that_is_not_known_leaves_nothing_out()
    {
        var filter = new MessageFilter { Since = DateTimeOffset.UnixEpoch, Before = DateTimeOffset.MaxValue, MinSizeBytes = 5, MaxSizeBytes = 6 };
        Assert.True(filter.Accepts(new MessageInfo(new Uid(1), FlagSet.Empty)));
        Assert.False(filter.Accepts(new MessageInfo(new Uid(1), FlagSet.Empty, DateTimeOffset.UnixEpoch.AddSeconds(-1))));
        Assert.False(filter.Accepts(new MessageInfo(new Uid(1), FlagSet.Empty, Size: 7)));
    }

    private static (JobOutcome, long) Result(JobReport report) => (report.Outcome, report.Totals.Deleted);

    private IEnumerable<string> Ids(string folder) =>
        box.Target.Folder(folder).Messages.Select(m => System.Text.Encoding.Latin1.GetString(m.Octets).Split("Subject: ")[1].Split('\r')[0]).Order(StringComparer.Ordinal);
}
