using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Tests.Support.Gmail;

namespace Imapsync.Engine.Tests.Stores.Labels;

/// <summary>The setting <c>labels: folders</c>, and a job without a setting for labels.</summary>
public sealed class GmailFoldersTests
{
    [Fact]
    public async Task Without_labels_a_message_is_copied_as_often_as_it_is_seen()
    {
        await using var box = Filled(LabelPolicy.None);
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        Assert.Equal("INBOX: both, inbox\nWork: both, one\n[Gmail]/All Mail: both, inbox, none, one", box.Target());
        Assert.DoesNotContain(box.Server.Commands, c => c.Contains("X-GM", StringComparison.Ordinal));
    }

    [Fact]
    public async Task All_mail_adds_only_what_lies_in_no_other_folder()
    {
        await using var box = Filled(LabelPolicy.Folders);
        var report = await box.RunAsync();
        Assert.Equal("INBOX: both, inbox\nWork: both, one\n[Gmail]/All Mail: none", box.Target());
        Assert.Equal((JobOutcome.Ok, 5L, 5L), (report.Outcome, report.Totals.SourceMessages, report.Totals.Copied));
    }

    [Fact]
    public async Task Folders_outside_the_job_do_not_count_as_elsewhere()
    {
        await using var box = Filled(LabelPolicy.Folders);
        box.Job = box.Job with { Folders = new FolderRules { Exclude = ["Work"] } };
        await box.RunAsync();
        Assert.Equal("INBOX: both, inbox\n[Gmail]/All Mail: none, one", box.Target());
    }

    [Fact]
    public async Task All_mail_is_known_by_its_use_whatever_its_name()
    {
        await using var box = Filled(LabelPolicy.Folders, new GmailAccount(isGerman: true));
        await box.RunAsync();
        Assert.Equal("INBOX: both, inbox\nWork: both, one\n[Gmail]/Alle Nachrichten: none", box.Target());
    }

    [Fact]
    public async Task A_second_run_copies_reads_and_changes_nothing()
    {
        await using var box = Filled(LabelPolicy.Folders);
        await box.RunAsync();
        box.Server.Forget();
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0L, 5L), (report.Outcome, report.Totals.Copied, report.Totals.AlreadyPresent));
        Assert.DoesNotContain(box.Server.Commands, c => c.Contains("BODY", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Verify_sees_the_account_as_the_job_does()
    {
        await using var box = Filled(LabelPolicy.Folders);
        await box.RunAsync();
        var report = await box.VerifyAsync();
        Assert.Equal((JobOutcome.Ok, 5L, 0L), (report.Job.Outcome, report.Counts.Messages, report.Counts.Differences));
    }

    [Fact]
    public async Task Dry_runs_tell_what_the_run_does()
    {
        await using var box = Filled(LabelPolicy.Folders);
        Assert.Equal(5, (await box.RunAsync(dryRun: true)).Totals.Copied);
        Assert.Equal(5, (await box.RunAsync()).Totals.Copied);
    }

    [Fact]
    public async Task A_message_that_loses_its_last_label_is_not_lost_with_it()
    {
        await using var box = Filled(LabelPolicy.Folders);
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror };
        await box.RunAsync();
        box.Account.Change(() => Message(box, "one").Labels.Clear());
        var report = await box.RunAsync();
        Assert.Equal("INBOX: both, inbox\nWork: both\n[Gmail]/All Mail: none, one", box.Target());
        Assert.Equal((JobOutcome.Ok, 1L, 1L), (report.Outcome, report.Totals.Copied, report.Totals.Deleted));
    }

    [Fact]
    public async Task A_message_that_gets_a_label_moves_to_its_folder()
    {
        await using var box = Filled(LabelPolicy.Folders);
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror };
        await box.RunAsync();
        box.Account.Change(() => Message(box, "none").Labels.Add("New"));
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        Assert.Equal("INBOX: both, inbox\nNew: none\nWork: both, one", box.Target());
    }

    [Fact]
    public async Task A_label_taken_from_a_message_removes_that_folders_copy_alone()
    {
        await using var box = Filled(LabelPolicy.Folders);
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror };
        await box.RunAsync();
        box.Account.Change(() => Message(box, "both").Labels.Remove("Work"));
        await box.RunAsync();
        Assert.Equal("INBOX: both, inbox\nWork: one\n[Gmail]/All Mail: none", box.Target());
    }

    [Fact]
    public async Task A_deleted_label_removes_its_folders_copies_alone()
    {
        await using var box = Filled(LabelPolicy.Folders);
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror };
        await box.RunAsync();
        box.Account.DeleteLabel("Work");
        var report = await box.RunAsync();
        Assert.Equal("INBOX: both, inbox\n[Gmail]/All Mail: none, one", box.Target());
        Assert.Equal((JobOutcome.Ok, 2L), (report.Outcome, report.Totals.Deleted));
    }

    [Fact]
    public async Task A_source_without_labels_is_told_and_nothing_is_copied()
    {
        using var box = new MailboxFixture();
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("a"));
        box.Job = box.Job with { Labels = LabelPolicy.Folders };
        var report = await box.RunAsync();
        Assert.Equal(JobOutcome.Failed, report.Outcome);
        Assert.Contains("labels", Assert.Single(report.Problems).Text, StringComparison.Ordinal);
        Assert.Empty(box.Target.Folders);
    }

    private static GmailMessage Message(GmailFixture box, string id) =>
        box.Account.Messages.Single(m => m.Octets.Contains($"<{id}@", StringComparison.Ordinal));

    private static GmailFixture Filled(LabelPolicy labels, GmailAccount? account = null)
    {
        var box = new GmailFixture(labels, account);
        box.Account.Deliver(GmailFixture.Mail("both"), "\\Inbox", "Work");
        box.Account.Deliver(GmailFixture.Mail("one"), "Work");
        box.Account.Deliver(GmailFixture.Mail("none"));
        box.Account.Deliver(GmailFixture.Mail("inbox"), "\\Inbox");
        return box;
    }

}
