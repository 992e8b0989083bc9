using Imapsync.CommandLine.Output;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.CommandLine.Tests;

/// <summary>The text shown to people reports each failure once, counts the whole job, and fits the screen's width.</summary>
public sealed class TellingTests
{
    private static readonly DateTimeOffset Now = Reports.Start;
    private static readonly Problem Refused = new(FailureScope.Store, null, null, "connect", "cannot connect to imaps://a@h: no");

    [Fact]
    public void Whatever_the_width_each_job_has_one_line_that_begins_with_its_name()
    {
        var random = new Random(Seeds.Next());
        string[] names = ["a", "alice", "alice.with.a.long.name@department.example.com", "日本語の名前の長い長い長い仕事", "zoë 😀"];
        string[] reasons = ["throttled", "Archive/2025: localhost:52300 is left alone for now, connections to it failed: cannot connect to imaps://alice@localhost:52300: Connection refused", "待" + new string('x', 300)];
        for (var round = 0; round < 200; round++)
        {
            var jobs = Enumerable.Range(0, random.Next(1, 10)).Select(_ => Any(names[random.Next(names.Length)])).ToList();
            var width = random.Next(30, 140);
            var lines = LiveDisplay.Lines(jobs, Now.AddSeconds(9), width).ToList();
            Assert.Equal(jobs.Count, lines.Count);
            foreach (var (job, line) in jobs.Zip(lines))
            {
                Assert.InRange(LiveRows.Cells(line), 1, width);
                Assert.StartsWith(LiveRows.Fit(job.Name, Math.Min(LiveRows.Cells(job.Name), 12)).TrimEnd('…'), line, StringComparison.Ordinal);
                if (job.Wait is not null)
                    Assert.Contains("waiting", line, StringComparison.Ordinal);
            }
        }

        JobProgress Any(string name)
        {
            var job = new JobProgress(name, Now);
            if (random.Next(4) > 0)
                job.Apply(new FoldersPlanned(name, random.Next(1, 3000), 1_000_000), Now);
            if (random.Next(2) > 0)
                job.Apply(new FolderStarted(name, new FolderPath("Projekte", "Ablage"), new FolderPath("A"), random.Next(1, 1_000_000), 9), Now);
            job.Apply(new MessagesCopied(name, new FolderPath("Projekte", "Ablage"), random.Next(100_000), random.Next()), Now);
            if (random.Next(2) > 0)
                job.Apply(new Waiting(name, new Wait(reasons[random.Next(reasons.Length)], TimeSpan.FromSeconds(60), Now.AddSeconds(60))), Now);
            return job;
        }
    }

    [Theory]
    [InlineData(80)]
    [InlineData(50)]
    public void A_job_that_waits_shows_its_name_and_the_beginning_of_the_reason(int width)
    {
        var job = new JobProgress("alice@example.com", Now);
        job.Apply(new JobStarted(job.Name, "imaps://a@h", "maildir:t", false), Now);
        job.Apply(new FoldersPlanned(job.Name, 12, 4000), Now);
        job.Apply(new Waiting(job.Name, new Wait(Refused.Text + " way", TimeSpan.FromSeconds(2), Now.AddSeconds(2))), Now);
        var line = Assert.Single(LiveDisplay.Lines([job], Now, width));
        Assert.StartsWith(width == 80 ? "alice@example.com  " : "alice@example.c…  ", line, StringComparison.Ordinal);
        Assert.Contains(width == 80 ? "waiting 2.0 s: cannot connect: no way" : "waiting 2.0 s: cannot connect: …", line, StringComparison.Ordinal);
    }

    [Fact]
    public void What_stands_within_the_last_ten_lines_is_not_told_again_and_what_is_further_up_is()
    {
        for (var between = 0; between < 15; between++)
        {
            var log = new StringWriter();
            var lines = new PlainLines(log, TimeProvider.System);
            lines.Show(new ProblemFound("alice", Refused), Now);
            lines.Show(new NoteRaised("alice", new FolderPath("A"), "adopted"), Now);
            for (var n = 0; n < between; n++)
                lines.Show(new NoteRaised("alice", null, $"another {n}"), Now);
            var report = Reports.Of("alice", JobOutcome.Failed, StopReason.Connect, Refused) with { Notes = ["A: adopted"] };
            foreach (var line in Summary.Lines([report], false, false, lines.HasJustTold))
                log.WriteLine(line);
            var all = log.ToString().TrimEnd().Split('\n');
            foreach (var text in new[] { "cannot connect to imaps://a@h", "adopted" })
            {
                var at = Enumerable.Range(0, all.Length).Where(i => all[i].Contains(text, StringComparison.Ordinal)).ToList();
                Assert.InRange(at.Count, 1, 2);
                Assert.True(at.Count == 1 || at[1] - at[0] >= 10, log.ToString());
            }
        }
    }

    [Fact]
    public void The_same_reason_to_wait_is_told_once()
    {
        var log = new StringWriter();
        var lines = new PlainLines(log, TimeProvider.System);
        for (var n = 0; n < 5; n++)
            lines.Show(new Waiting("alice", new Wait(Refused.Text, TimeSpan.FromSeconds(n), Now)), Now);
        lines.Show(new Waiting("alice", new Wait("another", TimeSpan.FromSeconds(1), Now)), Now);
        lines.Show(new Waiting("bob", new Wait(Refused.Text, TimeSpan.FromSeconds(1), Now)), Now);
        var all = log.ToString().TrimEnd().Split('\n');
        Assert.Equal(7, all.Length);
        Assert.Equal([true, false, false, false, false, false, true], all.Select(l => l.Contains(Refused.Text, StringComparison.Ordinal)));
        Assert.EndsWith("for the same reason", all[4], StringComparison.Ordinal);
    }

    [Fact]
    public void An_interrupted_job_is_summed_up_with_what_it_had_not_come_to()
    {
        var counts = new FolderCounts { SourceMessages = 1055, Copied = 55, Bytes = 5500, Failed = 1000 };
        var folder = new FolderReport(new FolderPath("A"), new FolderPath("A"), counts);
        var report = Reports.Of("alice", JobOutcome.Cancelled, StopReason.Cancelled) with { Totals = counts, Folders = [folder, folder], PlannedFolders = 12, PlannedMessages = 5000 };
        Assert.Equal("alice  INTERRUPTED · 2 of 12 folders begun, 5,000 messages: 55 copied (5.5 kB), 4,945 not copied yet · 12 s", Line(report));
        Assert.Equal(
            "alice  FAILED, cannot connect · 2 of 12 folders begun, 5,000 messages: 55 copied (5.5 kB), 4,945 NOT COPIED · 12 s",
            Line(report with { Outcome = JobOutcome.Failed, Stop = StopReason.Connect }));
        Assert.Equal(
            "alice  INTERRUPTED · 0 of 12 folders begun, 5,000 messages: 5,000 not copied yet · 12 s",
            Line(report with { Folders = [], Totals = new FolderCounts() }));
        Assert.Equal("alice  INTERRUPTED, not begun", Line(Reports.Of("alice", JobOutcome.Cancelled, StopReason.Cancelled) with { IsNotBegun = true }));
    }

    [Fact]
    public void Colour_is_for_what_went_wrong_and_only_where_it_is_wanted()
    {
        var bad = Reports.Of("alice", JobOutcome.Failed, StopReason.Connect);
        Assert.StartsWith("\u001b[31malice", Assert.Single(Summary.Lines([bad], false, false, hasColour: true)), StringComparison.Ordinal);
        Assert.StartsWith("\u001b[33malice", Assert.Single(Summary.Lines([bad with { Outcome = JobOutcome.Incomplete }], false, false, hasColour: true)), StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', Assert.Single(Summary.Lines([Reports.Of("alice")], false, false, hasColour: true)));
        Assert.DoesNotContain('\u001b', Line(bad));
    }

    [Fact]
    public void A_message_that_failed_is_told_by_what_it_is_and_can_not_steer_the_terminal()
    {
        var problem = new Problem(FailureScope.Message, new FolderPath("Sent"), 17, "refused", "no")
        {
            Envelope = new Envelope("Grüße \u202Ecod.exe \u001b[2J", "Jörg\u0007", "j@x.example", new DateTimeOffset(2026, 11, 28, 23, 30, 0, TimeSpan.FromHours(-5))),
        };
        var report = Reports.Of("alice", JobOutcome.Incomplete, StopReason.None, problem);
        Assert.Equal(@"  alice: Sent, UID 17: ""Grüße \u202Ecod.exe \x1B[2J"" from Jörg\x07, 2026-11-28: no [refused]", Summary.Lines([report], false, false).Last());
        var json = ProblemJson.Of(problem).Envelope!;
        Assert.Equal(("Jörg\u0007 <j@x.example>", problem.Envelope.Subject, problem.Envelope.Date), (json.From, json.Subject, json.Date));
    }

    private static string Line(JobReport report) => Assert.Single(Summary.Lines([report], isDryRun: false, hasReportFile: false));
}
