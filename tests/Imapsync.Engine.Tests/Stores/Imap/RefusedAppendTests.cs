using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Engine.Tests.Copying;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <summary>
/// The target refuses some messages and stores the others. A message refused because of a flag is sent again without the flag. Many
/// refusals in a row cost few commands.
/// </summary>
public sealed class RefusedAppendTests : IDisposable
{
    private const string Multi = "IMAP4rev1 UIDPLUS LITERAL+ MULTIAPPEND";

    private readonly AppendServer server = new();
    private readonly MailboxFixture box = new();

    public void Dispose() => box.Dispose();

    [Theory]
    [InlineData(Multi, "BAD Parse Error")]
    [InlineData(Multi, "NO Parse Error")]
    [InlineData("IMAP4rev1 UIDPLUS", "BAD Parse Error")]
    [InlineData("IMAP4rev1 LITERAL+ MULTIAPPEND", "BAD Parse Error")]
    public async Task A_window_that_is_refused_for_a_keyword_is_followed_by_single_appends(string capabilities, string reply)
    {
        server.Capabilities = capabilities;
        server.OnAppend = (flags, _) => flags.Contains('.', StringComparison.Ordinal) ? new(reply) : null;
        await using var run = await AppendRun.OpenAsync(server);
        await run.CopyAsync(("$Good", "one"), ("\\Seen $Good bad.word", "two"), ("", "three"), ("bad.word", "four"));
        Assert.Equal(["four", "one", "three", "two"], server.Messages.Select(m => m.Body).Order(StringComparer.Ordinal));
        Assert.Equal("\\Seen $Good", server.Messages.Single(m => m.Body == "two").Flags);
        Assert.Equal("$Good", server.Messages.Single(m => m.Body == "one").Flags);
        Assert.All(run.Receipts.Values, r => Assert.True(r.IsAccepted));
    }

    [Theory]
    [InlineData(Multi)]
    [InlineData("IMAP4rev1 UIDPLUS LITERAL+")]
    public async Task A_message_refused_for_a_system_flag_gets_it_afterwards(string capabilities)
    {
        server.Capabilities = capabilities;
        server.OnAppend = (flags, _) => flags.Contains("\\Deleted", StringComparison.Ordinal) ? new("NO [CANNOT] APPEND Contains Deleted flag") : null;
        await using var run = await AppendRun.OpenAsync(server);
        await run.CopyAsync(("\\Seen", "one"), ("\\Seen \\Deleted", "two"), ("", "three"));
        Assert.Equal(["one", "three", "two"], server.Messages.Select(m => m.Body).Order(StringComparer.Ordinal));
        Assert.Contains("\\Deleted", server.Messages.Single(m => m.Body == "two").Flags, StringComparison.Ordinal);
        Assert.Contains("\\Deleted", run.Receipts[2].Note!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NO [ALERT] You exceeded your mail quota.")]
    [InlineData("NO Mailbox is full")]
    [InlineData("NO Your quota has been exceeded.")]
    [InlineData("NO the user is over its storage limit")]
    [InlineData("NO Not enough space on device")]
    public async Task A_mailbox_that_is_full_in_words_of_its_own_ends_the_run_at_once(string reply)
    {
        FillBox(80, reply);
        var report = await box.RunAsync();
        Assert.Contains(report.Problems, p => p.Reason == "quota");
        Assert.InRange(server.Commands.Count(c => c.StartsWith("APPEND", StringComparison.Ordinal)), 1, 40);
    }

    [Fact]
    public async Task A_row_of_refusals_in_words_that_nobody_knows_costs_few_messages_and_few_lines()
    {
        FillBox(300, "NO computer says no");
        var report = await box.RunAsync();
        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        Assert.Equal((300L, 0L), (report.Totals.Failed, report.Totals.Copied));
        Assert.InRange(server.Commands.Count(c => c.StartsWith("APPEND", StringComparison.Ordinal)), 10, 60);
        Assert.InRange(report.Problems.Length, 2, 60);

        server.OnAppend = (_, _) => null;
        var next = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 300L), (next.Outcome, next.Totals.Copied));
    }

    [Fact]
    public async Task What_was_passed_over_in_a_row_of_refusals_is_sent_once_one_is_taken()
    {
        FillBox(100, "");
        var bad = Enumerable.Range(10, 40).Select(i => MailboxFixture.Mail($"m{i}")).ToHashSet();
        server.OnAppend = (_, body) => bad.Contains(body) ? new("NO computer says no") : null;
        var report = await box.RunAsync();
        // A partly refused batch may have stored messages. The next try finds these at the target, and they may count as already present.
        Assert.Equal((60L, 40L), (report.Totals.Copied + report.Totals.AlreadyPresent, report.Totals.Failed));
        Assert.Equal(60, server.Messages.Select(m => m.Body).Distinct().Count());
        Assert.Equal(60, server.Messages.Count);
    }

    private void FillBox(int count, string reply)
    {
        for (var i = 0; i < count; i++)
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail($"m{i}"));
        box.Job = box.Job with { Target = AppendRun.Endpoint };
        box.OpenTarget = (_, _, context, c) => ImapStore.OpenAsync(AppendRun.Endpoint, context with { Time = TimeProvider.System }, server.DialAsync, c);
        server.OnAppend = (_, _) => new(reply);
    }
}
