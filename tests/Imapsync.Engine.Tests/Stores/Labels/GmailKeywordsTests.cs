using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Verifying;
using Imapsync.Tests.Support.Gmail;

namespace Imapsync.Engine.Tests.Stores.Labels;

/// <summary>The setting <c>labels: keywords</c> with a Maildir as target.</summary>
public sealed class GmailKeywordsTests
{
    [Fact]
    public async Task Each_message_is_copied_once_with_its_labels()
    {
        await using var box = Filled();
        var report = await box.RunAsync();
        Assert.Equal(
            "[Gmail]/All Mail: both ($Inbox Work), none, starred (F $Important Entw=C3=BCrfe_=28alt=29)\n[Gmail]/Spam: spam\n[Gmail]/Trash: trash",
            box.Target());
        Assert.Equal((JobOutcome.Ok, 5L, 5L), (report.Outcome, report.Totals.SourceMessages, report.Totals.Copied));
    }

    [Fact]
    public async Task A_second_run_copies_reads_and_changes_nothing()
    {
        await using var box = Filled();
        await box.RunAsync();
        box.Server.Forget();
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0L, 5L, 0L), (report.Outcome, report.Totals.Copied, report.Totals.AlreadyPresent, report.Totals.FlagsUpdated));
        Assert.DoesNotContain(box.Server.Commands, c => c.Contains("BODY", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Verify_sees_labels_as_keywords()
    {
        await using var box = Filled();
        await box.RunAsync();
        var report = await box.VerifyAsync();
        Assert.Equal((JobOutcome.Ok, 5L, 0L), (report.Job.Outcome, report.Counts.Messages, report.Counts.Differences));
        box.Account.Change(() => Message(box, "both").Labels.Remove("Work"));
        Assert.Equal(1, (await box.VerifyAsync()).Counts[FindingKind.Flags]);
    }

    [Fact]
    public async Task A_relabelled_message_follows_though_no_counter_moved()
    {
        await using var box = Filled();
        await box.RunAsync();
        var message = Message(box, "both");
        box.Account.Change(() =>
        {
            message.Labels.Remove("\\Inbox");
            message.Labels.Add("Lists/dev");
        });
        var report = await box.RunAsync();
        Assert.StartsWith("[Gmail]/All Mail: both (Lists/dev Work), none,", box.Target(), StringComparison.Ordinal);
        Assert.Equal((JobOutcome.Ok, 0L, 1L), (report.Outcome, report.Totals.Copied, report.Totals.FlagsUpdated));
    }

    [Fact]
    public async Task Losing_the_state_copies_nothing_twice()
    {
        await using var box = Filled();
        await box.RunAsync();
        var before = box.Target();
        box.ForgetState();
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0L), (report.Outcome, report.Totals.Copied));
        Assert.Equal(before, box.Target());
    }

    [Fact]
    public async Task Label_folders_copied_earlier_do_not_count_as_vanished()
    {
        await using var box = Filled();
        box.Job = box.Job with { Labels = LabelPolicy.None, Deletions = DeletionPolicy.Mirror };
        await box.RunAsync();
        box.Job = box.Job with { Labels = LabelPolicy.Keywords };
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0L), (report.Outcome, report.Totals.Deleted));
        Assert.Contains("Work: both", box.Target(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_labels_than_a_maildir_has_room_for_are_reported()
    {
        await using var box = new GmailFixture(LabelPolicy.Keywords);
        box.Account.Deliver(GmailFixture.Mail("a"), [.. Enumerable.Range(0, 30).Select(i => $"label{i:00}")]);
        var report = await box.RunAsync();
        Assert.Equal(1, report.Totals.Copied);
        Assert.Contains(box.Notes, n => n.Contains("label29", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_account_that_hides_all_mail_is_told_and_nothing_is_copied()
    {
        await using var box = Filled();
        box.Account.DeleteLabel(box.Account.AllMail);
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Failed, 0L), (report.Outcome, report.Totals.Copied));
        Assert.Contains("All Mail", Assert.Single(report.Problems).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_that_expires_is_gone_on_with()
    {
        await using var box = Filled();
        box.Server.ReadBudget = 2 * GmailFixture.Mail("both").Length;
        var first = await box.RunAsync();
        Assert.NotEqual(JobOutcome.Ok, first.Outcome);
        Assert.Contains("expired", string.Join('\n', first.Problems.Select(p => p.Text)), StringComparison.Ordinal);
        box.Server.ReadBudget = long.MaxValue;
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        Assert.Equal(5, box.Target().Split(", ").Length + 2);
    }

    private static GmailMessage Message(GmailFixture box, string id) =>
        box.Account.Messages.Single(m => m.Octets.Contains($"<{id}@", StringComparison.Ordinal));

    private static GmailFixture Filled()
    {
        var box = new GmailFixture(LabelPolicy.Keywords);
        box.Account.Deliver(GmailFixture.Mail("both"), "\\Inbox", "Work");
        box.Account.Deliver(GmailFixture.Mail("none"));
        var starred = box.Account.Deliver(GmailFixture.Mail("starred"), "\\Important", "\\Starred", "Entw&APw-rfe (alt)");
        box.Account.Change(() => starred.Flags.Add("\\Flagged"));
        box.Account.Change(() => box.Account.Deliver(GmailFixture.Mail("trash")).Place = GmailPlace.Trash);
        box.Account.Change(() => box.Account.Deliver(GmailFixture.Mail("spam")).Place = GmailPlace.Spam);
        return box;
    }
}
