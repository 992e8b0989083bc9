using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Retrying;

public sealed class RetryTests : IDisposable
{
    private static readonly TimeSpan Asked = TimeSpan.FromMilliseconds(299_961);

    private readonly MailboxFixture box = new() { Time = new LeapingTime() };

    public void Dispose() => box.Dispose();

    [Fact]
    public async Task A_server_that_says_how_long_it_wants_to_be_left_alone_is_left_alone_so_long_and_the_report_tells_it()
    {
        Fill("INBOX", 5);
        box.Job = box.Job with { Retry = new RetrySettings { MaxDelay = TimeSpan.FromSeconds(10) } };
        var appends = 0;
        box.Target.OnStep = s => Throw(s == "append" && ++appends is 2 or 3, FailureScope.Store, "NO Request is throttled", Asked);
        var began = box.Time.GetUtcNow();

        var report = await box.RunAsync();
        AssertAllCopied(report);
        Assert.Equal([Asked, Asked], report.Waits.Select(w => w.Delay));
        Assert.All(report.Waits, w => Assert.Equal("INBOX: NO Request is throttled", w.Reason));
        Assert.Equal(2 * Asked, report.Waited);
        Assert.Equal(began + (2 * Asked), box.Time.GetUtcNow());
        Assert.Equal([began + Asked, began + (2 * Asked)], box.Events.OfType<Waiting>().Select(w => w.Wait.Until));
    }

    [Fact]
    public async Task A_wait_that_would_go_beyond_the_jobs_patience_is_not_begun_and_the_next_run_goes_on()
    {
        Fill("A", 2);
        Fill("B", 2);
        box.Job = box.Job with { Retry = new RetrySettings { GiveUpAfter = TimeSpan.FromMinutes(4) } };
        var appends = 0;
        box.Target.OnStep = s => Throw(s == "append" && ++appends == 4, FailureScope.Store, "NO Request is throttled", Asked);
        var began = box.Time.GetUtcNow();

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, StopReason.Limit), (report.Outcome, report.Stop));
        var problem = Assert.Single(report.Problems);
        Assert.Equal("throttled", problem.Reason);
        Assert.Equal("B: NO Request is throttled; to wait 300 seconds more would go beyond retry.give_up_after", problem.Text);
        Assert.Equal((4L, 2L), (report.Totals.SourceMessages, report.Totals.Copied));
        Assert.Equal(began, box.Time.GetUtcNow());

        AssertAllCopied(await box.RunAsync());
    }

    [Fact]
    public async Task As_long_as_mail_passes_between_two_failures_they_are_not_counted()
    {
        Fill("INBOX", 40);
        box.Job = box.Job with { Retry = new RetrySettings { Attempts = 2 } };
        var reads = 0;
        box.Source.OnStep = s => Throw(s == "read" && ++reads % 2 == 0, FailureScope.Folder, "connection lost");

        var report = await box.RunAsync();
        AssertAllCopied(report);
        Assert.Equal(39, report.Waits.Length);
        // Between any two waits mail has arrived, which resets the back-off. So each wait has the shortest delay.
        Assert.All(report.Waits, w => Assert.InRange(w.Delay, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(1)));
    }

    [Theory]
    [InlineData(FlagPolicy.Follow, "$Theirs \\Seen work")]
    [InlineData(FlagPolicy.Exact, "\\Seen work")]
    public async Task Flags_of_adopted_messages_are_carried_over_though_the_connection_breaks_before_they_are(FlagPolicy policy, string expected)
    {
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("a"), "\\Seen work");
        box.Target.Folder("INBOX").Add(MailboxFixture.Mail("a"), "\\Seen $Theirs");
        box.Job = box.Job with { Flags = policy };
        var tries = 0;
        box.Target.OnStep = s => Throw(s == "flags" && ++tries == 1, FailureScope.Folder, "connection lost");

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 1L, 1L), (report.Outcome, report.Totals.Adopted, report.Totals.FlagsUpdated));
        Assert.Equal(FlagSet.Parse(expected.Split(' ')), box.Target.Folder("INBOX").Messages[0].Flags);
    }

    [Fact]
    public async Task Flags_that_come_after_the_message_are_not_lost_with_the_connection_in_between()
    {
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("a"), "\\Seen work");
        box.Job = box.Job with { Flags = FlagPolicy.Once };
        var (appends, flaggings) = (0, 0);
        box.Target.OnStep = s =>
        {
            if (s == "append!" && ++appends == 1)
            {
                box.Target.Folder("INBOX").SetFlags(1, "");
                Throw(true, FailureScope.Folder, "connection lost");
            }

            Throw(s == "flags" && ++flaggings == 1, FailureScope.Folder, "connection lost");
        };

        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        Assert.Equal((1, 2), (appends, flaggings));
        Assert.Equal(FlagSet.Parse(["\\Seen", "work"]), Assert.Single(box.Target.Folder("INBOX").Messages).Flags);
    }

    [Fact]
    public async Task A_folder_in_which_nothing_gets_on_is_given_up_and_the_next_one_is_copied()
    {
        Fill("A", 3);
        Fill("B", 3);
        var opened = 0;
        box.Source.OnStep = s => Throw(s == "open A" && ++opened > 0, FailureScope.Folder, "connection lost");

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, StopReason.None), (report.Outcome, report.Stop));
        Assert.Equal((6, 3L, 3L), (opened, report.Totals.Copied, report.Totals.Failed));
        Assert.Equal("connection lost (given up, tries: 6)", Assert.Single(report.Problems).Text);
        Assert.Equal(5, report.Waits.Length);
    }

    [Fact]
    public async Task A_server_that_is_gone_in_mid_job_is_waited_for_until_the_patience_ends()
    {
        Fill("INBOX", 3);
        var settings = new RetrySettings { MaxDelay = TimeSpan.FromMinutes(2), GiveUpAfter = TimeSpan.FromMinutes(30) };
        box.Job = box.Job with { Retry = settings };
        box.Source.OnStep = s => Throw(s == "open INBOX", FailureScope.Store, "connection refused", kind: FailureKind.Connect);
        var began = box.Time.GetUtcNow();

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Failed, StopReason.Connect), (report.Outcome, report.Stop));
        Assert.All(report.Waits, w => Assert.InRange(w.Delay, TimeSpan.FromSeconds(0.5), settings.MaxDelay));
        // No wait is longer than MaxDelay, so the last try came at most MaxDelay before the time limit GiveUpAfter.
        Assert.InRange(box.Time.GetUtcNow() - began, settings.GiveUpAfter - settings.MaxDelay, settings.GiveUpAfter);
        // Timers have a resolution of one millisecond, so each wait may be shorter than the reported delay by up to that much.
        Assert.InRange(report.Waited - (box.Time.GetUtcNow() - began), TimeSpan.Zero, TimeSpan.FromMilliseconds(report.Waits.Length));
    }

    [Theory]
    [InlineData(FailureKind.Authentication, StopReason.Authentication, "authentication")]
    [InlineData(FailureKind.Quota, StopReason.Other, "quota")]
    public async Task What_will_not_pass_is_not_tried_again(FailureKind kind, StopReason stop, string reason)
    {
        Fill("A", 3);
        Fill("B", 3);
        var appends = 0;
        box.Target.OnStep = s =>
        {
            if (s == "append" && ++appends > 0)
                throw new MailException(FailureScope.Store, isTransient: false, "NO") { Kind = kind };
        };

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Failed, stop, 1), (report.Outcome, report.Stop, appends));
        Assert.Equal(reason, Assert.Single(report.Problems).Reason);
        Assert.Empty(report.Waits);
    }

    [Fact]
    public async Task A_connection_that_is_lost_while_folders_are_listed_and_made_costs_nothing()
    {
        Fill("A", 1);
        Fill("B", 1);
        var (lists, creates) = (0, 0);
        box.Source.OnStep = s => Throw(s == "list" && ++lists == 1, FailureScope.Folder, "connection lost");
        box.Target.OnStep = s => Throw(s.StartsWith("create ", StringComparison.Ordinal) && ++creates == 2, FailureScope.Folder, "connection lost");

        var report = await box.RunAsync();
        AssertAllCopied(report);
        // The failed CREATE is repeated at once over another connection, so only the failed listing causes a wait.
        Assert.Single(report.Waits);
    }

    [Fact]
    public async Task A_run_that_is_stopped_while_it_waits_ends_at_once_and_the_next_one_goes_on()
    {
        Fill("INBOX", 3);
        using var stop = new CancellationTokenSource();
        // With a manual clock no wait ends by itself, so only the stop ends the job.
        (box.Time, box.Stop) = (new ManualClock(), stop.Token);
        var appends = 0;
        box.Target.OnStep = s =>
        {
            if (s == "append" && ++appends == 2)
                throw new MailException(FailureScope.Message, isTransient: false, "NO Message contains NUL");
            if (s == "append!" && appends == 3)
                _ = stop.CancelAsync();
            Throw(s == "append!" && appends == 3, FailureScope.Folder, "connection lost");
        };

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Cancelled, StopReason.Cancelled), (report.Outcome, report.Stop));
        Assert.Equal(report.Totals.SourceMessages, report.Totals.Failed + report.Totals.Copied);

        (box.Time, box.Stop) = (new LeapingTime(), CancellationToken.None);
        box.Target.OnStep = _ => { };
        AssertAllCopied(await box.RunAsync());
    }

    [Fact]
    public async Task After_its_max_duration_a_job_stops_as_incomplete_and_the_next_run_goes_on()
    {
        foreach (var folder in new[] { "A", "B", "C" })
            Fill(folder, 2);
        var clock = new ManualClock();
        box.Time = clock;
        box.Job = box.Job with { MaxDuration = TimeSpan.FromHours(4) };
        box.Target.OnStep = s =>
        {
            if (s == "open A")
                clock.Advance(TimeSpan.FromHours(4) - TimeSpan.FromSeconds(1));
            if (s == "append")
                clock.Advance(TimeSpan.FromSeconds(1));
        };

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, StopReason.Limit, 2L), (report.Outcome, report.Stop, report.Totals.Copied));
        Assert.Equal("max_duration", Assert.Single(report.Problems).Reason);

        box.Target.OnStep = _ => { };
        AssertAllCopied(await box.RunAsync());
    }

    [Fact]
    public async Task A_refused_message_is_among_the_problems_of_a_run_that_was_stopped()
    {
        Fill("A", 3);
        Fill("B", 1);
        using var stop = new CancellationTokenSource();
        box.Stop = stop.Token;
        var appends = 0;
        box.Target.OnStep = s =>
        {
            // Refuse the second message, and refuse it again if the source is read to its end before the stop is noticed.
            if (s != "append" || ++appends is 1 or 3)
                return;
            _ = stop.CancelAsync();
            throw new MailException(FailureScope.Message, isTransient: true, "NO try again");
        };

        var report = await box.RunAsync();
        Assert.Equal(JobOutcome.Cancelled, report.Outcome);
        var problem = Assert.Single(report.Problems);
        Assert.Equal(("refused", 2u, "NO try again"), (problem.Reason, problem.Uid, problem.Text));
        Assert.Equal(1, report.Totals.Failed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_refused_log_in_is_told_though_the_other_side_has_not_answered_yet(bool isSource)
    {
        var account = new ImapEndpoint("h.example", 993, TlsMode.Implicit, "alice");
        box.Job = box.Job with { Source = account, Target = account with { User = "bob" } };
        TargetOpener refused = (_, _, _, _) => throw new MailException(FailureScope.Store, isTransient: false, "NO") { Kind = FailureKind.Authentication };
        TargetOpener silent = async (_, _, _, c) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, c);
            return box.Source.Open();
        };
        (box.OpenSource, box.OpenTarget) = (Openers.Both(isSource ? refused : silent).OpenAsync, isSource ? silent : refused);

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Failed, StopReason.Authentication), (report.Outcome, report.Stop));
    }

    private void Fill(string folder, int messages)
    {
        for (var i = 0; i < messages; i++)
            box.Source.Folder(folder).Add(MailboxFixture.Mail($"{folder}{i}"));
    }

    private void AssertAllCopied(JobReport report)
    {
        Assert.Equal((JobOutcome.Ok, StopReason.None), (report.Outcome, report.Stop));
        Assert.Empty(report.Problems);
        Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(box.Target));
    }

    private static void Throw(
        bool condition, FailureScope scope, string text, TimeSpan? retryAfter = null, FailureKind kind = FailureKind.Other)
    {
        if (condition)
            throw new MailException(scope, isTransient: true, text) { RetryAfter = retryAfter, Kind = kind };
    }
}
