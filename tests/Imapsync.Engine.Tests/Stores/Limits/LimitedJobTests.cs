using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Engine.Tests.Stores.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Limits;

/// <summary>Jobs that stop at a day's limit, their own or the server's, and go on the next day.</summary>
public sealed class LimitedJobTests : IDisposable
{
    private const int Messages = 12;

    private static readonly long MessageBytes = MailboxFixture.Mail("m10").Length;

    private readonly MailboxFixture box = new();
    private readonly ManualClock clock = new();

    public LimitedJobTests()
    {
        box.Time = clock;
        for (var i = 0; i < Messages; i++)
            box.Source.Folder(i % 2 == 0 ? "A" : "B").Add(MailboxFixture.Mail($"m{10 + i}"));
        box.Target.Folder("A");
        box.Target.Folder("B");
    }

    public void Dispose() => box.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_days_budget_ends_the_run_and_the_next_days_run_goes_on(bool ofTarget)
    {
        var limits = new TransferLimits { BytesPerDay = 5 * MessageBytes };
        box.Job = ofTarget ? box.Job with { Target = box.Job.Target with { Limits = limits } } : box.Job with { Source = box.Job.Source with { Limits = limits } };

        Assert.Equal(5, (await StoppedAsync()).Totals.Copied);
        // Twenty hours later the day's budget is still spent.
        clock.Advance(TimeSpan.FromHours(20));
        Assert.Equal(0, (await StoppedAsync()).Totals.Copied);
        clock.Advance(TimeSpan.FromHours(4));
        Assert.Equal(5, (await StoppedAsync()).Totals.Copied);
        clock.Advance(TimeSpan.FromHours(24));
        var last = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, StopReason.None, 2L), (last.Outcome, last.Stop, last.Totals.Copied));
        Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(box.Target));

        async Task<JobReport> StoppedAsync()
        {
            var goesOn = clock.GetUtcNow().Date.AddHours(26);
            var report = await box.RunAsync();
            Assert.Equal((JobOutcome.Incomplete, StopReason.Limit), (report.Outcome, report.Stop));
            var problem = Assert.Single(report.Problems);
            Assert.Equal("bytes_per_day", problem.Reason);
            Assert.Contains($"a run after {goesOn:yyyy-MM-dd} 02:00 UTC goes on", problem.Text, StringComparison.Ordinal);
            return report;
        }
    }

    [Fact]
    public async Task A_message_bigger_than_a_days_budget_gets_through()
    {
        box.Job = box.Job with { Source = box.Job.Source with { Limits = new TransferLimits { BytesPerDay = 1 } } };
        for (var day = 0; day < Messages; day++)
        {
            Assert.Equal(1, (await box.RunAsync()).Totals.Copied);
            clock.Advance(TimeSpan.FromHours(24));
        }

        Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(box.Target));
    }

    [Fact]
    public async Task A_run_with_nothing_to_move_is_not_stopped_by_a_spent_budget()
    {
        box.Job = box.Job with { Source = box.Job.Source with { Limits = new TransferLimits { BytesPerDay = Messages * MessageBytes } } };
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
    }

    [Fact]
    public async Task A_pace_delivers_all_mail_and_keeps_to_the_clock()
    {
        // At two messages per second, the twelve messages take 5.5 seconds, since the first is sent at once.
        box.Job = box.Job with { Source = box.Job.Source with { Limits = new TransferLimits { MessagesPerSecond = 2, BytesPerSecond = 1_000_000 } } };
        var began = clock.GetUtcNow();
        var running = box.RunAsync();
        while (!running.IsCompleted)
        {
            clock.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        Assert.Equal((JobOutcome.Ok, (long)Messages), ((await running).Outcome, (await running).Totals.Copied));
        Assert.True(clock.GetUtcNow() - began >= TimeSpan.FromSeconds((Messages - 1) / 2.0));
        Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(box.Target));
    }

    [Theory]
    [InlineData("NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)", 2)]
    [InlineData("NO [ALERT] Account exceeded command or bandwidth limits. (Failure)", 2)]
    [InlineData("BYE [OVERQUOTA] Account exceeded command or bandwidth limits.\nNO gone", 0)]
    public async Task Gmails_daily_limit_ends_the_run_and_the_next_days_run_goes_on(string refusal, long copied)
    {
        var server = new AppendServer();
        var endpoint = new ImapEndpoint("imap.example.com", 143, TlsMode.None, "alice");
        box.OpenTarget = (_, _, context, c) => ImapStore.OpenAsync(endpoint, context, server.DialAsync, c);
        box.Job = box.Job with { Folders = new FolderRules { Include = ["A"], Map = box.Job.Folders.Map.Add(new FolderPath("A"), FolderPath.Inbox) } };
        server.OnAppend = (_, _) => server.Messages.Count < copied ? null : new AppendAnswer(refusal);

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, StopReason.Limit, copied), (report.Outcome, report.Stop, report.Totals.Copied));
        // Select the problem with the reason "limit". Refused messages in flight have problems of their own with the same text.
        var problem = Assert.Single(report.Problems, p => p.Reason == "limit");
        Assert.Contains("Account exceeded command or bandwidth limits", problem.Text, StringComparison.Ordinal);
        Assert.Contains("a run on the next day goes on", problem.Text, StringComparison.Ordinal);

        server.OnAppend = (_, _) => null;
        clock.Advance(TimeSpan.FromDays(1));
        report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, StopReason.None), (report.Outcome, report.Stop));
        Assert.Equal(
            box.Source.Folder("A").Messages.Select(m => System.Text.Encoding.Latin1.GetString(m.Octets)), server.Messages.Select(m => m.Body));
    }
}
