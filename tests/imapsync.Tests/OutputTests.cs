using System.Text.Json;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Tests;

public sealed class OutputTests
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly DateTimeOffset Now = Reports.Start;

    [Fact]
    public async Task The_report_has_the_documented_shape()
    {
        var path = Path.GetTempFileName();
        await ReportFile.WriteAsync(path, ReportJson.Of([Reports.Full(), Reports.Full() with { Name = "bob" }], exitStatus: 3), DocumentJson.Default.ReportJson, CancellationToken.None);
        Assert.Equal("""
            {"version":1,"exit_status":3,"totals":{"folders":2,"source_messages":20,"copied":6,"already_present":10,"adopted":2,"skipped":2,"failed":2,"flags_updated":4,"deleted":8,"bytes":8192},
            "jobs":[{"name":"alice","outcome":"incomplete","started":"2026-01-31T18:00:00+00:00","finished":"2026-01-31T18:00:12+00:00",
            "totals":{"folders":1,"source_messages":10,"copied":3,"already_present":5,"adopted":1,"skipped":1,"failed":1,"flags_updated":2,"deleted":4,"bytes":4096},
            "folders":[{"source":"Sent Items","target":"Sent","source_messages":10,"copied":3,"already_present":5,"adopted":1,"skipped":1,"failed":1,"flags_updated":2,"deleted":4,"bytes":4096}],
            "problems":[{"scope":"message","folder":"Sent Items","uid":17,"reason":"refused","text":"over\u001B[2J quota","envelope":null},{"scope":"store","folder":null,"uid":null,"reason":"connect","text":"gone","envelope":null}],
            "notes":["1 message was there already"],"waited_seconds":300,"waits":[{"reason":"over quota","seconds":300,"until":"2026-01-31T18:05:00+00:00"}]},
            {"name":"bob","outcome":"incomplete","started":"2026-01-31T18:00:00+00:00","finished":"2026-01-31T18:00:12+00:00",
            "totals":{"folders":1,"source_messages":10,"copied":3,"already_present":5,"adopted":1,"skipped":1,"failed":1,"flags_updated":2,"deleted":4,"bytes":4096},
            "folders":[{"source":"Sent Items","target":"Sent","source_messages":10,"copied":3,"already_present":5,"adopted":1,"skipped":1,"failed":1,"flags_updated":2,"deleted":4,"bytes":4096}],
            "problems":[{"scope":"message","folder":"Sent Items","uid":17,"reason":"refused","text":"over\u001B[2J quota","envelope":null},{"scope":"store","folder":null,"uid":null,"reason":"connect","text":"gone","envelope":null}],
            "notes":["1 message was there already"],"waited_seconds":300,"waits":[{"reason":"over quota","seconds":300,"until":"2026-01-31T18:05:00+00:00"}]}]}
            """.ReplaceLineEndings(""), Compact(await File.ReadAllTextAsync(path)));
        File.Delete(path);
    }

    [Fact]
    public void Every_event_is_a_line_of_JSON()
    {
        var output = new StringWriter();
        var lines = new JsonLines(output, TextWriter.Null);
        foreach (var happened in EveryEvent())
            lines.Show(happened, Now);
        Assert.Equal("""
            {"event":"job_started","time":"2026-01-31T18:00:00+00:00","job":"alice","source":"imaps://a@h","target":"maildir:/t","dry_run":true}
            {"event":"folders_planned","time":"2026-01-31T18:00:00+00:00","job":"alice","folders":2,"messages":30}
            {"event":"folder_started","time":"2026-01-31T18:00:00+00:00","job":"alice","source":"A","target":"B","to_copy":5,"to_copy_bytes":600}
            {"event":"messages_copied","time":"2026-01-31T18:00:00+00:00","job":"alice","source":"A","count":5,"bytes":600}
            {"event":"messages_verified","time":"2026-01-31T18:00:00+00:00","job":"alice","source":"A","count":7}
            {"event":"folder_finished","time":"2026-01-31T18:00:00+00:00","job":"alice","folder":{"source":"A","target":"B","source_messages":5,"copied":5,"already_present":0,"adopted":0,"skipped":0,"failed":0,"flags_updated":0,"deleted":0,"bytes":600}}
            {"event":"note","time":"2026-01-31T18:00:00+00:00","job":"alice","folder":null,"text":"hello"}
            {"event":"problem","time":"2026-01-31T18:00:00+00:00","job":"alice","problem":{"scope":"folder","folder":"A","uid":null,"reason":"listing","text":"NO","envelope":null}}
            {"event":"waiting","time":"2026-01-31T18:00:00+00:00","job":"alice","reason":"throttled","seconds":1.5,"until":"2026-01-31T18:00:01+00:00"}
            {"event":"queued","time":"2026-01-31T18:00:00+00:00","job":"alice","reason":"all connections to h are in use"}
            """, string.Join('\n', output.ToString().TrimEnd().Split('\n').SkipLast(1)));
        Assert.StartsWith("""{"event":"job_finished","time":"2026-01-31T18:00:00+00:00","job":"alice","report":{"name":"alice","outcome":"ok",""", output.ToString().TrimEnd().Split('\n')[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Every_kind_of_event_is_in_the_lists_above() => Assert.Equal(
        typeof(JobEvent).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(JobEvent))).Select(t => t.Name).Order(),
        EveryEvent().Select(e => e.GetType().Name).Order());

    [Fact]
    public void A_reader_that_went_away_does_not_end_the_run()
    {
        var lines = new JsonLines(new BrokenPipe(), TextWriter.Null);
        foreach (var happened in EveryEvent())
            lines.Show(happened, Now);
    }

    [Fact]
    public void A_log_has_a_line_for_what_is_news()
    {
        var output = new StringWriter();
        var lines = new PlainLines(output, new StillTime());
        foreach (var happened in EveryEvent())
            lines.Show(happened, Now);
        lines.Show(new FolderFinished("alice", new FolderReport(new FolderPath("Quiet"), new FolderPath("Quiet"), new FolderCounts { SourceMessages = 9, AlreadyPresent = 9 })), Now);
        Assert.Equal("""
            18:00:00 alice: imaps://a@h → maildir:/t (dry run, nothing is changed)
            18:00:00 alice: 2 folders, 30 messages
            18:00:00 alice: A → B: 5 would be copied (600 B)
            18:00:00 alice: note: hello
            18:00:00 alice: problem: A: NO [listing]
            18:00:00 alice: waiting 1.5 s, until 18:00:01: throttled
            18:00:00 alice: waiting: all connections to h are in use
            18:00:00 alice: all in place

            """, output.ToString());
    }

    [Fact]
    public void While_a_folder_is_copied_a_log_has_a_line_now_and_then()
    {
        var output = new StringWriter();
        var time = new StillTime();
        var lines = new PlainLines(output, time);
        lines.Show(new FoldersPlanned("alice", 2, 3000), time.Now);
        lines.Show(new FolderStarted("alice", new FolderPath("A"), new FolderPath("A"), 2000, 2_000_000), time.Now);
        for (var window = 0; window < 10; window++)
        {
            time.Now += TimeSpan.FromSeconds(10);
            lines.Show(new MessagesCopied("alice", new FolderPath("A"), 100, 100_000), time.Now);
        }

        var progress = output.ToString().TrimEnd().Split('\n')[1..];
        Assert.Equal(3, progress.Length);
        Assert.EndsWith("alice: 0 of 2 folders, 300 messages copied, 300.0 kB, 10.0 kB/s, about 4 min 30 s left", progress[0], StringComparison.Ordinal);
    }

    [Fact]
    public void While_a_mailbox_is_verified_there_is_a_line_now_and_then()
    {
        var output = new StringWriter();
        var time = new StillTime();
        var lines = new PlainLines(output, time);
        for (var group = 0; group < 10; group++)
        {
            time.Now += TimeSpan.FromSeconds(10);
            lines.Show(new MessagesVerified("alice", new FolderPath("Archive", "2024"), 150), time.Now);
        }

        var told = output.ToString().TrimEnd().Split('\n');
        Assert.Equal(3, told.Length);
        Assert.EndsWith("alice: 600 messages compared, now Archive/2024", told[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_job_in_which_nothing_happens_any_more_says_for_how_long()
    {
        var job = new JobProgress("alice", Now);
        job.Apply(new FoldersPlanned("alice", 3, 4000), Now);
        job.Apply(new FolderStarted("alice", new FolderPath("A"), new FolderPath("A"), 1000, 9), Now);
        job.Apply(new MessagesCopied("alice", new FolderPath("A"), 500, 5_000_000), Now);
        Assert.Equal("nothing new for 40 s  A", LiveDisplay.Row(job, Now.AddSeconds(40))[5]);
        Assert.EndsWith("nothing new for 40 s  A", Assert.Single(LiveDisplay.Lines([job], Now.AddSeconds(40), 80)), StringComparison.Ordinal);
        job.Apply(new MessagesCopied("alice", new FolderPath("A"), 1, 100), Now.AddSeconds(41));
        Assert.DoesNotContain("nothing new", LiveDisplay.Row(job, Now.AddSeconds(42))[5], StringComparison.Ordinal);
    }

    [Fact]
    public void The_summary_is_short_whatever_went_wrong()
    {
        var many = Reports.Of("bob", JobOutcome.Incomplete, StopReason.None, [.. Enumerable.Range(1, 30).Select(n => new Problem(FailureScope.Message, new FolderPath("A"), (uint)n, "refused", "no"))]);
        var lines = Summary.Lines([Reports.Full(), many], isDryRun: false, hasReportFile: false).ToList();
        Assert.Equal("alice  INCOMPLETE · 1 folder, 10 messages: 3 copied (4.1 kB), 4 there already, 1 adopted, 2 with new flags, 4 removed, 1 filtered out, 1 NOT COPIED · 12 s", lines[0]);
        Assert.Equal("bob    INCOMPLETE · 12 s", lines[1]);
        Assert.Equal("Problems:", lines[2]);
        Assert.Equal(@"  alice: Sent Items, UID 17: over\x1B[2J quota [refused]", lines[3]);
        Assert.Equal("  and 12 more, see --report FILE", lines[23]);
        Assert.Equal(["Notes:", "  alice: 1 message was there already"], lines[24..]);
    }

    [Theory]
    [InlineData("Entwürfe/日本 😀", "Entwürfe/日本 😀")]
    [InlineData("a\u001b]0;title\u0007b", @"a\x1B]0;title\x07b")]
    [InlineData("a\r\nb\tc", @"a\x0D\x0Ab\x09c")]
    [InlineData("txt.\u202Eexe", @"txt.\u202Eexe")]
    [InlineData("\u009b2J\u007f\u2028", @"\x9B2J\x7F\u2028")]
    [InlineData("[red]markup[/]", "[red]markup[/]")]
    public void Hostile_text_cannot_steer_the_terminal(string text, string shown) => Assert.Equal(shown, TerminalText.Escape(text));

    [Fact]
    public void Half_a_character_and_endless_text_are_made_harmless()
    {
        Assert.Equal(@"a\uD800b", TerminalText.Escape("a\ud800b"));
        Assert.InRange(TerminalText.Escape(new string('\u001b', 1_000_000)).Length, 1, 10_000);
        Assert.DoesNotContain(TerminalText.Escape(string.Concat(Enumerable.Repeat("😀", 5000)) + "x"), c => c == '\\');
    }

    [Fact]
    public void The_live_row_shows_how_far_a_job_is_and_what_it_waits_for()
    {
        var job = new JobProgress("alice", Now);
        Assert.Equal(["alice", "connecting", "0 copied", "0 B", "", ""], LiveDisplay.Row(job, Now));
        job.Apply(new FoldersPlanned("alice", 3, 4000), Now);
        job.Apply(new FolderStarted("alice", new FolderPath("A\u001b[31m"), new FolderPath("A"), 1000, 9), Now);
        job.Apply(new MessagesCopied("alice", new FolderPath("A\u001b[31m"), 500, 5_000_000), Now);
        Assert.Equal(["alice", "0 / 3 folders", "500 / 1,000 copied", "5.0 MB", "500.0 kB/s", @"1 min 10 s left  A\x1B[31m"], LiveDisplay.Row(job, Now.AddSeconds(10)));
        job.Apply(new Waiting("alice", new Wait("throttled", TimeSpan.FromSeconds(60), Now.AddSeconds(60))), Now);
        Assert.Equal("waiting 50 s: throttled", LiveDisplay.Row(job, Now.AddSeconds(10))[5]);
    }

    [Fact]
    public async Task The_live_display_draws_without_a_terminal_to_measure()
    {
        var output = new StringWriter();
        await using (var display = new LiveDisplay(output, new StillTime(), 1))
        {
            foreach (var happened in EveryEvent().SkipLast(1))
                display.Show(happened, Now);
            display.Say("Not told");
            display.Say("Stopping");
        }

        // At the end the live table is removed, and the messages that were shown during the run stay.
        Assert.EndsWith("Not told\nStopping\n", output.ToString().ReplaceLineEndings("\n"), StringComparison.Ordinal);

        Assert.DoesNotContain("Exception", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_live_table_leaves_room_for_what_the_terminal_echoes()
    {
        // Without a terminal the console assumes a width of 80 columns; the live table ends 3 columns before the right edge.
        var output = new StringWriter();
        await using (var display = new LiveDisplay(output, new StillTime(), 1))
        {
            display.Show(new FoldersPlanned("alice", 3, 4000), Now);
            display.Show(new Waiting("alice", new Wait(new string('x', 200), TimeSpan.FromSeconds(60), Now.AddSeconds(60))), Now);
        }

        var rows = output.ToString().Split('\n').Where(l => l.Contains("xxx", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.Equal(77, LiveRows.Cells(row[row.LastIndexOf("alice", StringComparison.Ordinal)..].TrimEnd('\r'))));
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1.0 kB")]
    [InlineData(999_949, "999.9 kB")]
    [InlineData(999_951, "1.0 MB")]
    [InlineData(long.MaxValue, "9223.4 PB")]
    public void Octets_are_readable(long octets, string text) => Assert.Equal(text, Quantities.Octets(octets));

    [Theory]
    [InlineData(0.44, "0.4 s")]
    [InlineData(59.9, "59 s")]
    [InlineData(185, "3 min 05 s")]
    [InlineData(90000, "25 h 00 min")]
    public void Durations_are_readable(double seconds, string text) => Assert.Equal(text, Quantities.Duration(TimeSpan.FromSeconds(seconds)));

    private static IEnumerable<JobEvent> EveryEvent()
    {
        FolderPath a = new("A"), b = new("B");
        yield return new JobStarted("alice", "imaps://a@h", "maildir:/t", DryRun: true);
        yield return new FoldersPlanned("alice", 2, 30);
        yield return new FolderStarted("alice", a, b, 5, 600);
        yield return new MessagesCopied("alice", a, 5, 600);
        yield return new MessagesVerified("alice", a, 7);
        yield return new FolderFinished("alice", new FolderReport(a, b, new FolderCounts { SourceMessages = 5, Copied = 5, Bytes = 600 }));
        yield return new NoteRaised("alice", null, "hello");
        yield return new ProblemFound("alice", new Problem(FailureScope.Folder, a, null, "listing", "NO"));
        yield return new Waiting("alice", new Wait("throttled", TimeSpan.FromSeconds(1.5), Now.AddSeconds(1)));
        yield return new Queued("alice", "all connections to h are in use");
        yield return new JobFinished("alice", Reports.Of("alice"));
    }

    private static string Compact(string json)
    {
        using var document = JsonDocument.Parse(json);
        return JsonSerializer.Serialize(document.RootElement, Relaxed);
    }

    private sealed class StillTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = Reports.Start;

        public override DateTimeOffset GetUtcNow() => Now;

        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;
    }

    private sealed class BrokenPipe : StringWriter
    {
        public override void WriteLine(string? value) => throw new IOException("Broken pipe");
    }
}
