using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// The source does not list some mail that it may still have. The copies of that mail stay at the target, and a problem is reported.
/// </summary>
public sealed class DoubtfulEmptinessTests : IDisposable
{
    private readonly MailboxFixture box = new();

    public DoubtfulEmptinessTests()
    {
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        for (var i = 1; i <= 3; i++)
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail($"m{i}"));
        box.Source.Folder("Work").Add(MailboxFixture.Mail("w1"));
        box.Source.Folder("Work").Add(MailboxFixture.Mail("w2"));
    }

    public void Dispose() => box.Dispose();

    [Fact]
    public async Task A_count_that_is_never_told_is_no_equal_one()
    {
        box.Job = box.Job with { Flags = FlagPolicy.Once };
        var work = box.Source.Folder("Work");
        work.TellsCount = false;
        await box.RunAsync();
        work.Messages.RemoveAt(0);
        Assert.Equal((JobOutcome.Ok, 1L), Result(await box.RunAsync()));
        Assert.Single(box.Target.Folder("Work").Messages);
    }

    [Fact]
    public async Task A_count_that_was_not_told_equals_none_that_is_told_later()
    {
        box.Job = box.Job with { Flags = FlagPolicy.Once };
        var work = box.Source.Folder("Work");
        work.TellsCount = false;
        await box.RunAsync();
        work.TellsCount = true;
        work.Messages.Clear();
        Assert.Equal((JobOutcome.Ok, 2L), Result(await box.RunAsync()));
        Assert.Empty(box.Target.Folder("Work").Messages);
    }

    /// <summary>
    /// The server always reports the same message count, which is too low. Changes must be found although the count stays the same.
    /// </summary>
    [Theory]
    [InlineData(0, FlagPolicy.Follow)]
    [InlineData(1, FlagPolicy.Follow)]
    [InlineData(0, FlagPolicy.Exact)]
    [InlineData(0, FlagPolicy.Once)]
    [InlineData(1, FlagPolicy.Once)]
    public async Task A_count_below_what_is_known_shows_nothing(int count, FlagPolicy flags)
    {
        box.Job = box.Job with { Flags = flags };
        box.Source.HasModSeq = false;
        var work = box.Source.Folder("Work");
        work.WrongCount = count;
        await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0L), Result(await box.RunAsync()));
        work.SetFlags(2, "\\Flagged");
        work.Messages.RemoveAt(0);

        var report = await box.RunAsync();
        Assert.DoesNotContain(report.Problems, p => p.Reason == Reasons.Accounting);
        Assert.Equal(1, report.Totals.Deleted);
        Assert.Equal(flags != FlagPolicy.Once, Assert.Single(box.Target.Folder("Work").Messages).Flags.System.HasFlag(MessageFlags.Flagged));
    }

    [Fact]
    public async Task Who_says_nothing_when_asked_again_has_not_taken_back_what_was_told()
    {
        await box.RunAsync();
        var inbox = box.Source.Folder("INBOX");
        inbox.Add(MailboxFixture.Mail("m4"));
        inbox.OpensEmpty = true;
        box.Source.OnStep = s => inbox.TellsCount &= s != "open INBOX";
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, 0L), Result(report));
        Assert.Contains(report.Problems, p => p.Reason == Reasons.Listing);
        Assert.Equal(3, box.Target.Folder("INBOX").Messages.Count);
    }

    [Fact]
    public async Task A_folder_that_the_listing_leaves_out_is_asked_for_by_name_before_anything_of_it_is_removed()
    {
        await box.RunAsync();
        box.Source.IsListed = p => p.ToString() != "Work";
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, 0L), (report.Outcome, report.Totals.Deleted));
        Assert.Contains("knows it by its name", Assert.Single(report.Problems).Text, StringComparison.Ordinal);
        Assert.Equal(2, box.Target.Folder("Work").Messages.Count);

        box.Source.Folders.Remove(FolderPath.Parse("Work"));
        Assert.Equal((JobOutcome.Ok, 2L), Result(await box.RunAsync()));
    }

    [Fact]
    public async Task Mail_in_a_folder_that_the_listing_leaves_out_is_not_in_place_though_nothing_is_ever_removed()
    {
        box.Job = box.Job with { Deletions = DeletionPolicy.Keep };
        await box.RunAsync();
        box.Source.IsListed = p => p.ToString() != "Work";
        box.Source.Folder("Work").Add(MailboxFixture.Mail("w3"));
        var report = await box.RunAsync();
        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        Assert.Contains("knows it by its name", Assert.Single(report.Problems).Text, StringComparison.Ordinal);
        box.Source.IsListed = _ => true;
        Assert.Equal((JobOutcome.Ok, 1L), ((await box.RunAsync()).Outcome, (long)box.Target.Folder("Work").Messages.Count - 2));

        // Now the folder is deleted at the source. The next run asks for the folder by its name once, and the target keeps the mail.
        box.Source.Folders.Remove(FolderPath.Parse("Work"));
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        Assert.Equal(3, box.Target.Folder("Work").Messages.Count);
        box.Source.Folder("Work").Add(MailboxFixture.Mail("w4"));
        Assert.Equal((JobOutcome.Ok, 4), ((await box.RunAsync()).Outcome, box.Target.Folder("Work").Messages.Count));
    }

    [Theory]
    [InlineData(DeletionPolicy.Keep)]
    [InlineData(DeletionPolicy.Mirror)]
    public async Task A_listing_without_a_known_INBOX_is_told(DeletionPolicy policy)
    {
        box.Job = box.Job with { Deletions = policy };
        await box.RunAsync();
        box.Source.IsListed = p => !p.IsInbox;
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, 0L), Result(report));
        Assert.Contains(report.Problems, p => p.Text.Contains("lists no INBOX", StringComparison.Ordinal));
        Assert.Equal(3, box.Target.Folder("INBOX").Messages.Count);
    }

    [Theory]
    [InlineData(DeletionPolicy.Keep)]
    [InlineData(DeletionPolicy.Mirror)]
    public async Task A_listing_of_no_known_folder_is_told(DeletionPolicy policy)
    {
        box.Job = box.Job with { Deletions = policy };
        await box.RunAsync();
        box.Source.IsListed = _ => false;
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, 0L), Result(report));
        Assert.Contains(report.Problems, p => p.Text.Contains("none of the folders", StringComparison.Ordinal));
        Assert.Equal(5, box.Target.Folders.Values.Sum(f => f.Messages.Count));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_folder_that_opens_empty_and_counts_messages_has_lost_none(bool isKnown)
    {
        if (isKnown)
            await box.RunAsync();
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("m4"));
        box.Source.Folder("INBOX").OpensEmpty = true;
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, 0L), Result(report));
        Assert.Contains("lists 0", Assert.Single(report.Problems, p => p.Reason == "listing").Text, StringComparison.Ordinal);
        Assert.Equal(isKnown ? 3 : 0, box.Target.Folder("INBOX").Messages.Count);

        box.Source.Folder("INBOX").OpensEmpty = false;
        Assert.Equal((JobOutcome.Ok, 0L), Result(await box.RunAsync()));
        Assert.Equal(4, box.Target.Folder("INBOX").Messages.Count);
    }

    [Theory]
    [InlineData("open Work", FailureScope.Folder)]
    [InlineData("append", FailureScope.Message)]
    public async Task What_was_moved_to_where_it_can_not_be_copied_stays_where_it_was(string fails, FailureScope scope)
    {
        await box.RunAsync();
        var moved = box.Source.Folder("INBOX").Messages[1];
        box.Source.Folder("INBOX").Remove(moved.Uid);
        box.Source.Folder("Work").Add(moved.Octets, moved.Flags, moved.Date);
        box.Target.OnStep = s =>
        {
            if (s == fails)
                throw new MailException(scope, false, "NO permission denied");
        };
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, 0L), Result(report));
        Assert.Contains(report.Problems, p => p.Reason == "removal");
        Assert.Equal(3, box.Target.Folder("INBOX").Messages.Count);

        box.Target.OnStep = _ => { };
        Assert.Equal((JobOutcome.Ok, 1L), Result(await box.RunAsync()));
        Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(box.Target));
    }

    private static (JobOutcome, long) Result(JobReport report) => (report.Outcome, report.Totals.Deleted);
}
