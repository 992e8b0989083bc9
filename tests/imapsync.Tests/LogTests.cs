using System.Text.Json;
using System.Text.RegularExpressions;
using Imapsync.CommandLine.Commands;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.CommandLine.Tests;

/// <summary>The options <c>--log-format</c> and <c>--log-file</c>.</summary>
public sealed partial class LogTests : CommandLineFixture
{
    public LogTests() => RunJob = (job, _, onEvent, _, _) =>
    {
        onEvent(new JobStarted(job.Name, "imaps://a", "maildir:b", false));
        onEvent(new NoteRaised(job.Name, null, "a note\nwith a line \u001b[31mend"));
        onEvent(new ProblemFound(job.Name, new Problem(FailureScope.Message, FolderPath.Inbox, 7, "refused", "no")));
        onEvent(new ProblemFound(job.Name, new Problem(FailureScope.Store, null, null, "connect", "gone")));
        var report = Reports.Of(job.Name, JobOutcome.Failed, StopReason.Connect);
        onEvent(new JobFinished(job.Name, report));
        return Task.FromResult(report);
    };

    private string LogFile => Path.Combine(Directory, "log");

    [Fact]
    public async Task Lines_of_text_have_date_and_zone()
    {
        Assert.Equal(11, await InvokeAsync("run", JobFile, "alice", "--log-format", "text"));
        var lines = Error.TrimEnd('\n').Split('\n');
        Assert.All(lines, l => Assert.Matches(Dated(), l));
        Assert.Contains(lines, l => l.EndsWith(@"alice: note: a note\x0Awith a line \x1B[31mend", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.Contains("alice  FAILED, cannot connect", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Lines_for_the_journal_have_priorities()
    {
        await InvokeAsync("run", JobFile, "alice", "--log-format", "journald");
        var lines = Error.TrimEnd('\n').Split('\n');
        Assert.All(lines, l => Assert.Matches("^<[3-6]>", l));
        Assert.Contains("<6>alice: imaps://a → maildir:b", lines);
        Assert.Contains("<4>alice: problem: INBOX, UID 7: no [refused]", lines);
        Assert.Contains("<3>alice: problem: gone [connect]", lines);
        Assert.Contains(lines, l => l.StartsWith("<5>alice: note: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Lines_of_JSON_are_each_a_document()
    {
        await InvokeAsync("run", JobFile, "alice", "--log-format", "json");
        var events = Error.TrimEnd('\n').Split('\n').Select(l => JsonDocument.Parse(l).RootElement)
            .SkipWhile(e => e.TryGetProperty("text", out var text) && text.GetString()!.StartsWith("note: ", StringComparison.Ordinal)).ToList();
        Assert.Equal(["job_started", "note", "problem", "problem", "job_finished"], events.Select(e => e.GetProperty("event").GetString()).Take(5));
        Assert.All(events.Skip(5), e => Assert.Equal("message", e.GetProperty("event").GetString()));
        Assert.Contains("alice  FAILED", events[5].GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    [InlineData("journald")]
    public async Task A_log_file_is_added_to_and_the_screen_stays_as_it_is(string format)
    {
        await InvokeAsync("run", JobFile, "alice");
        var usual = WithoutTimes(Error);
        await InvokeAsync("run", JobFile, "alice", "--log-file", LogFile, "--log-format", format);
        Assert.Equal(usual + usual, WithoutTimes(Error));
        var once = (await File.ReadAllLinesAsync(LogFile, TestContext.Current.CancellationToken)).Length;
        await InvokeAsync("run", JobFile, "alice", "--log-file", LogFile, "--log-format", format);
        Assert.Equal(2 * once, (await File.ReadAllLinesAsync(LogFile, TestContext.Current.CancellationToken)).Length);
        Assert.InRange(once, 6, 20);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(LogFile));
    }

    [Fact]
    public async Task Mistakes_of_the_job_file_are_lines_of_the_log_too()
    {
        Assert.Equal(2, await InvokeAsync("run", JobFile, "alicia", "--log-format", "json", "--log-file", LogFile));
        var line = Assert.Single(await File.ReadAllLinesAsync(LogFile, TestContext.Current.CancellationToken));
        Assert.Contains("there is no job", JsonDocument.Parse(line).RootElement.GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Contains("there is no job", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_cant_be_written_and_a_format_that_is_none_are_told_before_anything_is_done()
    {
        Assert.Equal(2, await InvokeAsync("run", JobFile, "--log-file", Path.Combine(Directory, "nowhere", "log")));
        Assert.Equal(2, await InvokeAsync("run", JobFile, "--log-format", "xml"));
        Assert.DoesNotContain("alice", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Checks_and_verifications_are_logged_too()
    {
        await InvokeAsync("check", JobFile, "alice", "--log-file", LogFile);
        Assert.Contains("alice: source imaps://alice@imap.example.com:993: imaps://alice@imap.example.com:993 refused", await File.ReadAllTextAsync(LogFile, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await InvokeAsync("verify", JobFile, "alice", "--log-format", "journald");
        Assert.Contains("<3>alice: problem: ", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_of_events_and_of_words_that_come_at_the_same_time_are_each_whole()
    {
        const int each = 20_000;
        using var surroundings = new HostContext
        {
            Out = new StringWriter(),
            Error = TextWriter.Null,
            Environment = new Dictionary<string, string>(),
            OpenStore = Openers.Both(_ => throw new InvalidOperationException()),
            RunJob = (_, _, _, _, _) => throw new InvalidOperationException(),
        };
        await new LogSettings(LogForm.Json, LogFile).RunAsync(surroundings, async logged =>
        {
            await Task.WhenAll(
                Task.Run(() => Times(n => logged.Log!.Show(new NoteRaised("alice", null, $"note {n}"), DateTimeOffset.UnixEpoch)), TestContext.Current.CancellationToken),
                Task.Run(() => Times(n => logged.Log!.Say($"word {n}")), TestContext.Current.CancellationToken),
                Task.Run(() => Times(n => logged.Error.WriteLine($"word {n}")), TestContext.Current.CancellationToken));
            return 0;
        });
        var lines = await File.ReadAllLinesAsync(LogFile, TestContext.Current.CancellationToken);
        Assert.Equal(3 * each, lines.Length);
        Assert.All(lines, line => JsonDocument.Parse(line).Dispose());

        static void Times(Action<int> act)
        {
            for (var n = 0; n < each; n++)
                act(n);
        }
    }

    private static string WithoutTimes(string text) => TimeOfDay().Replace(text, "");

    [GeneratedRegex("^[0-9]{2}:[0-9]{2}:[0-9]{2} ", RegexOptions.Multiline, 60_000)]
    private static partial Regex TimeOfDay();

    [GeneratedRegex("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{2}:[0-9]{2} ", RegexOptions.None, 60_000)]
    private static partial Regex Dated();
}
