using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Tests.Copying;

namespace Imapsync.Engine.Tests.Running;

public sealed class JobRunnerTests : IDisposable
{
    private readonly MailboxFixture box = new();

    public void Dispose() => box.Dispose();

    [Fact]
    public async Task A_first_run_brings_everything_and_a_second_one_opens_nothing()
    {
        FillSource();

        var first = await box.RunAsync();
        AssertSame(first, JobOutcome.Ok);
        Assert.Equal(new FolderCounts { SourceMessages = 5, Copied = 5, Bytes = first.Totals.Bytes }, first.Totals);

        box.Source.Steps.Clear();
        box.Target.Steps.Clear();
        var second = await box.RunAsync();
        AssertSame(second, JobOutcome.Ok);
        Assert.Equal(new FolderCounts { SourceMessages = 5, AlreadyPresent = 5 }, second.Totals);
        Assert.Equal(["list"], box.Source.Steps);
        Assert.Equal(["list"], box.Target.Steps);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task New_mail_and_changed_flags_arrive_and_what_the_targets_user_did_stays(bool hasModSeq)
    {
        box.Source.HasModSeq = hasModSeq;
        FillSource();
        await box.RunAsync();

        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("new"));
        box.Source.Folder("INBOX").SetFlags(1, "\\Seen \\Flagged $Work");
        box.Source.Folder("INBOX").SetFlags(2, "");
        box.Target.Folder("INBOX").SetFlags(1, f => f.Union(Imapsync.Imap.FlagSet.Parse(["$Mine"])));
        var report = await box.RunAsync();

        Assert.Equal(JobOutcome.Ok, report.Outcome);
        Assert.Equal((1, 2L, 6L), (report.Totals.Copied, report.Totals.FlagsUpdated, report.Totals.SourceMessages));
        Assert.Equal("\\Seen \\Flagged $Mine $Work", Flags(box.Target, "INBOX", 1));
        Assert.Equal("", Flags(box.Target, "INBOX", 2));
        Assert.Equal(0, (await box.RunAsync()).Totals.FlagsUpdated);
    }

    [Fact]
    public async Task Exact_flags_undo_what_the_targets_user_did_and_once_leaves_everything()
    {
        FillSource();
        box.Job = box.Job with { Flags = FlagPolicy.Exact };
        await box.RunAsync();
        box.Target.Folder("INBOX").SetFlags(1, "$Mine");
        Assert.Equal(1, (await box.RunAsync()).Totals.FlagsUpdated);
        Assert.Equal("\\Seen", Flags(box.Target, "INBOX", 1));

        box.Job = box.Job with { Flags = FlagPolicy.Once };
        box.Source.Folder("INBOX").SetFlags(1, "\\Answered");
        Assert.Equal(0, (await box.RunAsync()).Totals.FlagsUpdated);
        Assert.Equal("\\Seen", Flags(box.Target, "INBOX", 1));
    }

    [Fact]
    public async Task Losing_the_checkpoints_copies_nothing_and_says_adopted()
    {
        FillSource();
        await box.RunAsync();
        box.DeleteCheckpoints();

        var report = await box.RunAsync();
        AssertSame(report, JobOutcome.Ok);
        Assert.Equal((0, 5L, 5L), (report.Totals.Copied, report.Totals.AlreadyPresent, report.Totals.Adopted));
        Assert.Contains(report.Notes, n => n.Contains("adopted", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Identical_messages_stay_as_many_as_they_are()
    {
        var inbox = box.Source.Folder("INBOX");
        for (var i = 0; i < 3; i++)
            inbox.Add("Subject: no id\r\n\r\nsame\r\n");
        inbox.Add("Subject: no id\r\n\r\nelse\r\n");
        box.Target.Folder("INBOX").Add("Subject: no id\r\n\r\nsame\r\n");

        var report = await box.RunAsync();
        AssertSame(report, JobOutcome.Ok);
        Assert.Equal((3, 1L), (report.Totals.Copied, report.Totals.Adopted));
    }

    [Theory]
    [InlineData("same mail", false)]
    [InlineData("renumbered mail", true)]
    public async Task A_changed_UIDVALIDITY_copies_and_removes_nothing(string what, bool renumbered)
    {
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror };
        FillSource();
        await box.RunAsync();
        if (renumbered)
            box.Source.Folder("INBOX").Renumber(77);
        else
            box.Source.Folder("INBOX").Validity = 77;

        var report = await box.RunAsync();
        AssertSame(report, JobOutcome.Ok);
        Assert.True(report.Totals is { Copied: 0, Deleted: 0, AlreadyPresent: 5 }, what);
        Assert.Contains(report.Notes, n => n.Contains("UIDVALIDITY", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_changed_UIDVALIDITY_with_an_emptied_folder_removes_nothing()
    {
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror };
        FillSource();
        await box.RunAsync();
        box.Source.Folder("INBOX").Messages.Clear();
        box.Source.Folder("INBOX").Renumber(77);

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0L), (report.Outcome, report.Totals.Deleted));
        Assert.Equal(3, box.Target.Folder("INBOX").Messages.Count);
    }

    [Fact]
    public async Task What_vanishes_at_the_source_is_kept_trashed_or_mirrored()
    {
        foreach (var (policy, inInbox, inTrash) in new[] { (DeletionPolicy.Keep, 3, 0), (DeletionPolicy.Trash, 2, 1), (DeletionPolicy.Mirror, 2, 0) })
        {
            using var each = new MailboxFixture();
            each.Job = each.Job with { Deletions = policy };
            for (var i = 1; i <= 3; i++)
                each.Source.Folder("INBOX").Add(MailboxFixture.Mail($"m{i}"));
            await each.RunAsync();
            each.Source.Folder("INBOX").Remove(2);

            var report = await each.RunAsync();
            Assert.Equal((JobOutcome.Ok, policy == DeletionPolicy.Keep ? 0L : 1L), (report.Outcome, report.Totals.Deleted));
            Assert.Equal(inInbox, each.Target.Folder("INBOX").Messages.Count);
            Assert.Equal(inTrash, each.Target.Folders.TryGetValue(new FolderPath("Removed"), out var trash) ? trash.Messages.Count : 0);
            Assert.Equal(new FolderCounts { SourceMessages = 2, AlreadyPresent = 2 }, (await each.RunAsync()).Totals);
        }
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("Archive/**", 2)]
    public async Task A_folder_deleted_at_the_source_is_cleared_under_mirror_unless_it_is_excluded_by_now(string exclude, int left)
    {
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        FillSource();
        await box.RunAsync();
        box.Source.Folders.Remove(FolderPath.Parse("Archive/2025"));
        box.Job = box.Job with { Folders = new FolderRules { Exclude = exclude.Length == 0 ? [] : [exclude] } };

        var report = await box.RunAsync();
        Assert.Equal((StopReason.None, 2L - left), (report.Stop, report.Totals.Deleted));
        Assert.Equal(left, box.Target.Folder("Archive/2025").Messages.Count);
    }

    [Fact]
    public async Task A_folder_deleted_at_the_source_right_after_some_of_its_mail_was_is_cleared_under_mirror()
    {
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        FillSource();
        await box.RunAsync();
        box.Source.Folder("Archive/2025").Remove(1);
        Assert.Equal(1, (await box.RunAsync()).Totals.Deleted);
        box.Source.Folders.Remove(FolderPath.Parse("Archive/2025"));

        var report = await box.RunAsync();
        Assert.Equal((StopReason.None, 1L), (report.Stop, report.Totals.Deleted));
        Assert.Empty(box.Target.Folder("Archive/2025").Messages);
        Assert.Equal(0, (await box.RunAsync()).Totals.Deleted);
    }

    [Fact]
    public async Task A_removal_beyond_the_limit_removes_nothing_and_stops_the_run()
    {
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror };
        for (var i = 1; i <= 20; i++)
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail($"m{i}"));
        await box.RunAsync();
        for (uint i = 1; i <= 8; i++)
            box.Source.Folder("INBOX").Remove(i);

        for (var run = 0; run < 2; run++)
        {
            var report = await box.RunAsync();
            Assert.Equal((JobOutcome.Incomplete, StopReason.DeletionLimit, 0L), (report.Outcome, report.Stop, report.Totals.Deleted));
            Assert.Equal(20, box.Target.Folder("INBOX").Messages.Count);
        }

        box.Job = box.Job with { DeletionLimit = new DeletionLimit(8, IsPercent: false) };
        Assert.Equal((StopReason.None, 8L), await StopAndDeleted());
        Assert.Equal(12, box.Target.Folder("INBOX").Messages.Count);

        async Task<(StopReason, long)> StopAndDeleted()
        {
            var report = await box.RunAsync();
            return (report.Stop, report.Totals.Deleted);
        }
    }

    [Fact]
    public async Task An_account_that_is_suddenly_empty_is_not_believed()
    {
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        FillSource();
        await box.RunAsync();
        box.Source.Folders.Clear();

        var report = await box.RunAsync();
        Assert.Equal((StopReason.DeletionLimit, 0L), (report.Stop, report.Totals.Deleted));
        Assert.Equal(3, box.Target.Folder("INBOX").Messages.Count);
    }

    [Fact]
    public async Task A_listing_shorter_than_EXISTS_removes_nothing_and_is_reported()
    {
        box.Source.HasModSeq = false;
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror };
        FillSource();
        await box.RunAsync();
        box.Source.Folder("INBOX").Remove(1);
        box.Source.Folder("INBOX").Hidden = 1;

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, 0L, 1L), (report.Outcome, report.Totals.Deleted, report.Totals.Failed));
        Assert.Equal("listing", Assert.Single(report.Problems).Reason);
        Assert.Equal(3, box.Target.Folder("INBOX").Messages.Count);
    }

    [Fact]
    public async Task A_listing_answered_NO_removes_nothing_names_the_folder_and_leaves_the_others_alone()
    {
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror };
        FillSource();
        await box.RunAsync();
        box.Source.Folder("INBOX").Remove(1);
        box.Source.Folder("Archive/2025").Add(MailboxFixture.Mail("late"));
        box.Source.OnStep = s => Throw(s == "listing INBOX", FailureScope.Folder, isTransient: false, "NO [SERVERBUG]");

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, 0L, 1L), (report.Outcome, report.Totals.Deleted, report.Totals.Copied));
        Assert.Equal("INBOX", Assert.Single(report.Problems).Folder!.ToString());
        Assert.Equal(3, box.Target.Folder("INBOX").Messages.Count);
    }

    [Fact]
    public async Task A_refused_message_is_listed_with_the_reason_and_tried_again_by_the_next_run()
    {
        FillSource();
        var appends = 0;
        box.Target.OnStep = s => Throw(s == "append" && ++appends == 2, FailureScope.Message, isTransient: false, "NO Message contains NUL");

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, 4L, 1L), (report.Outcome, report.Totals.Copied, report.Totals.Failed));
        Assert.Contains("NUL", Assert.Single(report.Problems).Text, StringComparison.Ordinal);

        box.Target.OnStep = _ => { };
        AssertSame(await box.RunAsync(), JobOutcome.Ok);
    }

    [Fact]
    public async Task A_passing_failure_is_tried_again_within_the_run()
    {
        FillSource();
        var reads = 0;
        box.Source.OnStep = s => Throw(s == "read" && ++reads == 3, FailureScope.Folder, isTransient: true, "connection lost");

        var report = await box.RunAsync();
        AssertSame(report, JobOutcome.Ok);
        Assert.Equal(5, report.Totals.Copied);
        Assert.Single(box.Events.OfType<Waiting>());
    }

    [Fact]
    public async Task A_renamed_folder_is_renamed_at_the_target_and_not_copied_again()
    {
        FillSource();
        await box.RunAsync();
        box.Source.Folders.Remove(FolderPath.Parse("Archive/2025"), out var state);
        box.Source.Folders[FolderPath.Parse("Old")] = state!;

        var report = await box.RunAsync();
        AssertSame(report, JobOutcome.Ok);
        Assert.Equal(0, report.Totals.Copied);
    }

    [Fact]
    public async Task A_renamed_folder_counts_as_no_removal_and_leaves_a_shared_target_alone()
    {
        for (var i = 0; i < 30; i++)
            box.Source.Folder("Old").Add(MailboxFixture.Mail($"o{i}"));
        box.Source.Folder("Sent").Add(MailboxFixture.Mail("s"));
        box.Source.Folder("Sent Items").Add(MailboxFixture.Mail("si"));
        box.Job = box.Job with
        {
            Deletions = DeletionPolicy.Mirror,
            Folders = new FolderRules { Map = box.Job.Folders.Map.Add(new FolderPath("Sent Items"), new FolderPath("Sent")) },
        };
        await box.RunAsync();
        foreach (var (from, to) in new[] { ("Old", "New"), ("Sent Items", "Sent Elsewhere") })
        {
            box.Source.Folders.Remove(FolderPath.Parse(from), out var state);
            box.Source.Folders[FolderPath.Parse(to)] = state!;
        }

        var report = await box.RunAsync();
        Assert.Equal((StopReason.None, 1L), (report.Stop, report.Totals.Copied));
        Assert.Equal(30, box.Target.Folder("New").Messages.Count);
        Assert.Single(box.Target.Folder("Sent").Messages);
        Assert.Single(box.Target.Folder("Sent Elsewhere").Messages);
    }

    [Fact]
    public async Task Two_folders_mapped_to_one_keep_both_copies_of_what_they_share()
    {
        box.Source.Folder("Sent").Add(MailboxFixture.Mail("both"));
        box.Source.Folder("Sent Items").Add(MailboxFixture.Mail("both"));
        box.Job = box.Job with { Folders = new FolderRules { Map = box.Job.Folders.Map.Add(new FolderPath("Sent Items"), new FolderPath("Sent")) } };

        Assert.Equal(2, (await box.RunAsync()).Totals.Copied);
        Assert.Equal(2, box.Target.Folder("Sent").Messages.Count);
        box.DeleteCheckpoints();
        Assert.Equal((0L, 2L), await CopiedAndAdopted());
        Assert.Equal(2, box.Target.Folder("Sent").Messages.Count);

        async Task<(long, long)> CopiedAndAdopted()
        {
            var report = await box.RunAsync();
            return (report.Totals.Copied, report.Totals.Adopted);
        }
    }

    [Fact]
    public async Task A_filter_skips_and_counts_and_a_changed_filter_looks_again()
    {
        FillSource();
        box.Job = box.Job with { Messages = new MessageFilter { WithoutFlags = Imapsync.Imap.FlagSet.Parse(["\\Seen"]) } };
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 3L, 2L), (report.Outcome, report.Totals.Copied, report.Totals.Skipped));
        Assert.Equal((0L, 3L, 2L), Counts(await box.RunAsync()));

        box.Job = box.Job with { Messages = new MessageFilter() };
        report = await box.RunAsync();
        AssertSame(report, JobOutcome.Ok);
        Assert.Equal((2L, 3L, 0L), Counts(report));

        static (long, long, long) Counts(JobReport r) => (r.Totals.Copied, r.Totals.AlreadyPresent, r.Totals.Skipped);
    }

    [Fact]
    public async Task A_dry_run_says_what_would_be_done_and_changes_nothing()
    {
        FillSource();
        var report = await box.RunAsync(dryRun: true);
        Assert.Equal((JobOutcome.Ok, true, 5L), (report.Outcome, report.IsDryRun, report.Totals.Copied));
        Assert.Empty(box.Target.Folders);
        Assert.Empty(Directory.EnumerateFileSystemEntries(box.StateDirectory));
    }

    private void FillSource()
    {
        var inbox = box.Source.Folder("INBOX");
        inbox.Add(MailboxFixture.Mail("one"), "\\Seen");
        inbox.Add(MailboxFixture.Mail("two"), "$Label1", MemoryFolderState.Day(5));
        inbox.Add("no header at all");
        inbox.Subscribed = true;
        box.Source.Folder("Archive/2025").Add(MailboxFixture.Mail("three"), "\\Seen \\Answered");
        box.Source.Folder("Archive/2025").Add(MailboxFixture.Mail("three", "another body, the same id"));
    }

    private void AssertSame(JobReport report, JobOutcome outcome)
    {
        Assert.True(report.Outcome == outcome, string.Join('\n', report.Problems));
        Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(box.Target));
    }

    private static string Flags(MemoryStore store, string folder, uint uid) =>
        store.Folder(folder).Messages.Find(m => m.Uid == uid)!.Flags.ToString();

    private static void Throw(bool when, FailureScope scope, bool isTransient, string text)
    {
        if (when)
            throw new MailException(scope, isTransient, text);
    }
}
