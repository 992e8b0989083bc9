using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Tests.Matching;
using Imapsync.Engine.Verifying;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>Jobs that choose messages by their headers.</summary>
public sealed class HeaderSelectionTests
{
    private static readonly MessageFilter Invoices = new() { Headers = [HeaderMatchTests.Rule("subject", "*invoice*")] };

    [Fact]
    public async Task Headers_are_read_of_new_mail_alone_and_again_when_the_filter_changes()
    {
        using var box = new MailboxFixture();
        var inbox = box.Source.Folder("INBOX");
        inbox.Add(MailboxFixture.Mail("invoice 1"));
        inbox.Add(MailboxFixture.Mail("lunch"));
        box.Job = box.Job with { Messages = Invoices };
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 1L, 1L), (report.Outcome, report.Totals.Copied, report.Totals.Skipped));
        Assert.Equal(0, (await box.VerifyAsync(new VerifyOptions { Full = true })).Counts.Differences);

        // Without new messages no header is read, even though flags changed.
        inbox.SetFlags(2, "\\Flagged");
        box.Source.Steps.Clear();
        Assert.Equal((0L, 1L), Counts(await box.RunAsync()));
        Assert.DoesNotContain("headers INBOX", box.Source.Steps);

        // Only the headers of new messages are read.
        inbox.Add(MailboxFixture.Mail("invoice 2"));
        inbox.Add(MailboxFixture.Mail("dinner"));
        box.Source.HeadersRead.Clear();
        Assert.Equal((1L, 2L), Counts(await box.RunAsync()));
        Assert.Equal([3u, 4u], box.Source.HeadersRead.Distinct().Order());

        // With another filter, excluded messages are examined again, and copied messages stay.
        box.Job = box.Job with { Messages = new MessageFilter { Headers = [HeaderMatchTests.Rule("subject", "lunch")] } };
        Assert.Equal((1L, 1L), Counts(await box.RunAsync()));
        Assert.Equal(3, box.Target.Folder("INBOX").Messages.Count);
        Assert.Equal(0, (await box.VerifyAsync(new VerifyOptions { Full = true })).Counts.Differences);
    }

    [Fact]
    public async Task A_header_that_comes_only_at_the_next_try_decides()
    {
        var store = new MemoryStore();
        var inbox = store.Folder("INBOX");
        foreach (var subject in (string[])["invoice 1", "lunch", "invoice 2"])
            inbox.Add(MailboxFixture.Mail(subject));
        store.WithoutHeader.Add(2);
        await using var folder = await store.Open().OpenAsync(FolderPath.Inbox, TestContext.Current.CancellationToken);
        var listing = await folder.ListAsync(new ListRequest(WithDateAndSize: true), TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);
        var choice = new HeaderChoice();
        Assert.Equal("1:3", $"{await ReadAsync()}");
        Assert.Equal("2", $"{choice.Doubtful}");
        store.WithoutHeader.Clear();
        Assert.Equal("1,3", $"{await ReadAsync()}");
        Assert.True(choice.Doubtful.IsEmpty);
        Assert.Equal("1,3", $"{await ReadAsync()}");

        Task<UidSet?> ReadAsync() => choice.ReadAsync(folder, Invoices, listing, _ => true, _ => { }, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Of_what_flags_and_headers_choose_only_changed_flags_are_looked_at_again()
    {
        using var box = new MailboxFixture();
        var inbox = box.Source.Folder("INBOX");
        inbox.Add(MailboxFixture.Mail("invoice 1"), "\\Flagged");
        inbox.Add(MailboxFixture.Mail("invoice 2"));
        inbox.Add(MailboxFixture.Mail("lunch"), "\\Flagged");
        box.Job = box.Job with { Messages = Invoices with { WithFlags = FlagSet.Parse(["\\Flagged"]) } };
        Assert.Equal((1L, 2L), Counts(await box.RunAsync()));
        box.Source.HeadersRead.Clear();
        Assert.Equal((0L, 2L), Counts(await box.RunAsync()));
        Assert.Empty(box.Source.HeadersRead);
        inbox.SetFlags(2, "\\Flagged");
        Assert.Equal((1L, 1L), Counts(await box.RunAsync()));
        Assert.Equal([2u], box.Source.HeadersRead.Distinct());
    }

    [Fact]
    public async Task What_a_filter_comes_to_leave_out_is_not_removed_by_a_mirror_and_what_vanished_is()
    {
        using var box = new MailboxFixture();
        var inbox = box.Source.Folder("INBOX");
        foreach (var subject in (string[])["invoice 1", "invoice 2", "lunch"])
            inbox.Add(MailboxFixture.Mail(subject));
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror };
        await box.RunAsync();
        box.Job = box.Job with { Messages = Invoices };
        Assert.Equal(0, (await box.RunAsync()).Totals.Deleted);
        // A message that returns under another UID and is excluded by the filter keeps its copy at the target.
        inbox.Remove(3);
        inbox.Add(MailboxFixture.Mail("lunch"));
        inbox.Remove(1);
        Assert.Equal(1, (await box.RunAsync()).Totals.Deleted);
        Assert.Equal(2, box.Target.Folder("INBOX").Messages.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\r\nonly a body\r\n")]
    [InlineData("Subject: =?x-nobody-knows?b?AAEC?=\r\n\r\ntext\r\n")]
    public async Task Mail_whose_header_can_not_be_judged_is_copied_and_named(string text)
    {
        using var box = new MailboxFixture();
        box.Source.Folder("INBOX").Add(text);
        box.Job = box.Job with { Messages = Invoices };
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 1L, 0L), (report.Outcome, report.Totals.Copied, report.Totals.Skipped));
        Assert.Contains(box.Events.OfType<NoteRaised>(), n => n.Text.EndsWith("they are not left out: UID 1", StringComparison.Ordinal));
        Assert.Equal(0, (await box.VerifyAsync(new VerifyOptions { Full = true })).Counts.Differences);
        Assert.Equal(0, (await box.RunAsync()).Totals.Copied);
        Assert.DoesNotContain(box.Events.OfType<NoteRaised>(), n => n.Text.Contains("not left out", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_header_that_does_not_come_leaves_nothing_out()
    {
        using var box = new MailboxFixture();
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("lunch"));
        box.Source.WithoutHeader.Add(1);
        box.Job = box.Job with { Messages = Invoices };
        Assert.Equal((1L, 0L), Counts(await box.RunAsync()));
        // A message is reported as failed if neither its header nor the whole message can be read.
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("dinner"));
        box.Source.WithoutHeader.Add(2);
        box.Source.OnStep = s =>
        {
            if (s == "read")
                throw new MailException(FailureScope.Message, isTransient: false, "no");
        };
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, 1L), (report.Outcome, report.Totals.Failed));
    }

    [Fact]
    public async Task A_line_that_breaks_while_headers_are_read_has_each_read_once()
    {
        using var box = new MailboxFixture();
        for (var n = 0; n < 50; n++)
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail(n % 10 == 0 ? $"invoice {n}" : $"lunch {n}"));
        box.Source.OnHeader = _ =>
        {
            // The connection breaks more often than a run accepts without progress. But each attempt reads some headers, which is progress.
            if (box.Source.HeadersRead.Count % 3 == 0)
                throw new MailException(FailureScope.Folder, isTransient: true, "cut");
        };
        box.Job = box.Job with { Messages = Invoices };
        Assert.Equal((5L, 45L), Counts(await box.RunAsync()));
        Assert.True(box.Source.HeadersRead.Count <= 50 + 25, $"{box.Source.HeadersRead.Count} headers were read");
    }

    private static (long Copied, long Skipped) Counts(JobReport report)
    {
        Assert.True(report.Outcome == JobOutcome.Ok, string.Join('\n', report.Problems.Select(p => p.Text)));
        return (report.Totals.Copied, report.Totals.Skipped);
    }
}
