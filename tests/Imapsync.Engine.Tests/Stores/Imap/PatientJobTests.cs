using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <summary>Whole jobs against a server that throttles and hangs up. The clock leaps over the waits between tries.</summary>
public sealed class PatientJobTests : IDisposable
{
    private const string Throttled = "Request is throttled. Suggested Backoff Time: 299961 milliseconds";

    private readonly AppendServer server = new();
    private readonly MailboxFixture box = new();
    private TimeSpan wait;

    public PatientJobTests()
    {
        box.Time = new LeapingTime { LeapsOver = due => due > TimeSpan.Zero && (due - wait).Duration() < TimeSpan.FromMilliseconds(1) };
        box.OnEvent = e => wait = e is Waiting w ? w.Wait.Delay : wait;
    }

    public void Dispose() => box.Dispose();

    [Theory]
    [InlineData("NO " + Throttled, "IMAP4rev1 UIDPLUS LITERAL+")]
    [InlineData("NO [THROTTLED] " + Throttled, "IMAP4rev1 UIDPLUS MULTIAPPEND LITERAL+")]
    [InlineData("BAD " + Throttled, "IMAP4rev1 UIDPLUS LITERAL+")]
    [InlineData("BYE " + Throttled + "\nOK", "IMAP4rev1 UIDPLUS LITERAL+")]
    [InlineData("BYE " + Throttled + "\nOK", "IMAP4rev1 UIDPLUS MULTIAPPEND LITERAL+")]
    public async Task A_target_that_throttles_as_Office_365_does_is_left_alone_as_long_as_it_said_and_gets_every_message_once(string reply, string capabilities)
    {
        server.Capabilities = capabilities;
        AppendToServer();
        var seen = 0;
        server.OnAppend = (_, _) => ++seen is 4 or 5 ? new AppendAnswer(reply) : null;
        var began = box.Time.GetUtcNow();

        var report = await box.RunAsync();
        // Messages stored before the session ended are found at the target, so they count as already present.
        Assert.Equal((JobOutcome.Ok, 20L), (report.Outcome, report.Totals.Copied + report.Totals.AlreadyPresent));
        Assert.Equal(Bodies(), server.Messages.Select(m => m.Body).Order(StringComparer.Ordinal));
        // The only waits are those that the server asked for, with exactly its delay.
        Assert.NotEmpty(report.Waits);
        Assert.All(report.Waits, w => Assert.Equal(TimeSpan.FromMilliseconds(299_961), w.Delay));
        Assert.All(report.Waits, w => Assert.Contains(Throttled, w.Reason, StringComparison.Ordinal));
        Assert.Equal(report.Waited, box.Time.GetUtcNow() - began);
    }

    [Theory]
    [InlineData("NO [UNAVAILABLE] Try again later", "IMAP4rev1 UIDPLUS LITERAL+")]
    [InlineData("NO [SERVERBUG] Internal error occurred", "IMAP4rev1 UIDPLUS LITERAL+")]
    [InlineData("NO System I/O error", "IMAP4rev1 UIDPLUS MULTIAPPEND LITERAL+")]
    public async Task A_target_that_is_out_of_order_for_a_message_is_asked_again_for_that_one_later_and_later(string reply, string capabilities)
    {
        server.Capabilities = capabilities;
        AppendToServer();
        var (troubled, refusals) = (MailboxFixture.Mail("m7"), 0);
        server.OnAppend = (_, body) => body == troubled && ++refusals <= 3 ? new AppendAnswer(reply) : null;

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 20L), (report.Outcome, report.Totals.Copied));
        Assert.Equal(Bodies(), server.Messages.Select(m => m.Body).Order(StringComparer.Ordinal));
        // A refused batch is first sent message by message, without a wait, to find the refused one. Then each wait is longer than the one
        // before.
        Assert.Equal(report.Waits.Select(w => w.Delay).Order(), report.Waits.Select(w => w.Delay));
        Assert.InRange(report.Waits.Length, 2, 3);
        Assert.All(report.Waits, w => Assert.Contains(reply, w.Reason, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_target_that_says_how_long_it_is_out_of_order_for_a_message_is_asked_again_just_then_and_not_before()
    {
        box.Job = box.Job with { Retry = new RetrySettings { MaxDelay = TimeSpan.FromSeconds(10) } };
        AppendToServer();
        var (troubled, refusals) = (MailboxFixture.Mail("m7"), 0);
        server.OnAppend = (_, body) => body == troubled && ++refusals <= 2 ? new AppendAnswer("NO [UNAVAILABLE] Busy. Suggested Backoff Time: 299961 milliseconds") : null;

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 20L), (report.Outcome, report.Totals.Copied));
        Assert.Equal([299_961, 299_961], report.Waits.Select(w => w.Delay.TotalMilliseconds));
    }

    [Fact]
    public async Task A_message_for_which_the_target_stays_out_of_order_keeps_no_other_from_being_copied()
    {
        AppendToServer();
        var troubled = MailboxFixture.Mail("m7");
        server.OnAppend = (_, body) => body == troubled ? new AppendAnswer("NO [UNAVAILABLE] Try again later") : null;

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, 19L, 1L), (report.Outcome, report.Totals.Copied, report.Totals.Failed));
        Assert.Contains("Try again later", Assert.Single(report.Problems).Text, StringComparison.Ordinal);
        Assert.Equal([1, 2, 4, 8, 16], report.Waits.Select(w => w.Delay.TotalSeconds));
    }

    [Fact]
    public async Task A_message_that_the_target_wants_weeks_for_has_failed_and_is_not_waited_for()
    {
        AppendToServer();
        var troubled = MailboxFixture.Mail("m7");
        server.OnAppend = (_, body) => body == troubled ? new AppendAnswer("NO [UNAVAILABLE] Busy. Suggested Backoff Time: 2147483647 milliseconds") : null;

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, 19L, 1L), (report.Outcome, report.Totals.Copied, report.Totals.Failed));
        Assert.Contains("2147483647", Assert.Single(report.Problems).Text, StringComparison.Ordinal);
        Assert.Empty(report.Waits);
    }

    [Fact]
    public async Task A_source_that_throttles_is_left_alone_as_long_as_it_said()
    {
        ReadFromServer();
        var fetches = 0;
        server.OnCommand = c => IsBodyFetch(c) && ++fetches <= 2 ? "NO " + Throttled : null;

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 20L), (report.Outcome, report.Totals.Copied));
        Assert.Equal(Bodies(), box.Target.Folder("INBOX").Messages.Select(m => System.Text.Encoding.Latin1.GetString(m.Octets)).Order(StringComparer.Ordinal));
        Assert.All(report.Waits, w => Assert.Equal(TimeSpan.FromMilliseconds(299_961), w.Delay));
        Assert.Equal(2, report.Waits.Length);
    }

    [Fact]
    public async Task A_message_over_which_the_session_ends_each_time_it_is_read_is_found_and_the_others_are_copied()
    {
        ReadFromServer();
        var asked = new List<string>();
        server.OnCommand = c =>
        {
            if (!IsBodyFetch(c) || !Names(c, 7))
                return null;
            asked.Add(c.Split(' ')[2]);
            return "";
        };

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, 19L, 1L), (report.Outcome, report.Totals.Copied, report.Totals.Failed));
        var problem = Assert.Single(report.Problems);
        Assert.Equal((7u, "unreadable"), (problem.Uid, problem.Reason));
        Assert.StartsWith("the connection ended each time the message was read", problem.Text, StringComparison.Ordinal);
        Assert.Equal(["1:20", "7", "7", "7", "7"], asked);
    }

    [Fact]
    public async Task A_mailbox_that_is_full_ends_the_job_at_once_also_when_it_says_so_with_BYE()
    {
        AppendToServer();
        server.OnAppend = (_, _) => new AppendAnswer("BYE [OVERQUOTA] full\nOK");

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Failed, "quota"), (report.Outcome, Assert.Single(report.Problems, p => p.Scope == FailureScope.Store).Reason));
        Assert.Empty(report.Waits);
        Assert.Equal(1, server.Connections);
    }

    [Fact]
    public async Task A_server_that_accepts_and_never_answers_is_given_up_after_the_tries_and_waits_that_are_stated()
    {
        var clock = new ManualClock();
        box.Time = clock;
        // GiveUpAfter is very long, because the test advances the clock even while the job only waits for processor time. A shorter limit
        // might end the job before its last try.
        box.Job = box.Job with { Source = AppendRun.Endpoint, Retry = new RetrySettings { GiveUpAfter = TimeSpan.FromDays(10_000) } };
        var silent = new List<ScriptedServer>();
        box.OpenSource = async (_, context, c) => await ImapStore.OpenAsync(
            AppendRun.Endpoint,
            context,
            _ =>
            {
                var (server, client) = ScriptedServer.InMemory();
                silent.Add(server);
                return ValueTask.FromResult(client);
            },
            c);

        var running = box.RunAsync();
        while (!running.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        var report = await running;
        Assert.Equal((JobOutcome.Failed, StopReason.Connect), (report.Outcome, report.Stop));
        Assert.Equal(new RetrySettings().Attempts, silent.Count);
        // The waits are at most 1 + 2 + 4 + 8 + 16 seconds, besides the time-out of each try.
        Assert.InRange(report.Waited, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(31));
        foreach (var server in silent)
            await server.DisposeAsync();
    }

    private static IEnumerable<string> Bodies() => Enumerable.Range(0, 20).Select(i => MailboxFixture.Mail($"m{i}")).Order(StringComparer.Ordinal);

    private static bool IsBodyFetch(string command) => command.Contains("BODY.PEEK[]", StringComparison.Ordinal);

    private static bool Names(string command, uint uid) => Imapsync.Imap.UidSet.TryParse(command.Split(' ')[2], out var set) && set.Contains(new Imapsync.Imap.Uid(uid));

    private void AppendToServer()
    {
        for (var i = 0; i < 20; i++)
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail($"m{i}"));
        box.Job = box.Job with { Target = AppendRun.Endpoint };
        box.OpenTarget = OpenAsync;
    }

    private void ReadFromServer()
    {
        for (var i = 0; i < 20; i++)
            server.Messages.Add(new AppendedMessage((uint)i + 1, "", MailboxFixture.Mail($"m{i}")));
        box.Job = box.Job with { Source = AppendRun.Endpoint };
        box.OpenSource = Openers.Both(OpenAsync).OpenAsync;
    }

    private Task<ITargetStore> OpenAsync(Endpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
        ImapStore.OpenAsync(AppendRun.Endpoint, context, server.DialAsync, cancellationToken);
}
