using System.Text.Json;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Verifying;

namespace Imapsync.CommandLine.Output;

/// <summary>Prints a verification's findings as they occur, and a summary at the end, as text or as lines of JSON.</summary>
/// <param name="events">Receives all other events.</param>
/// <param name="onlyProblems">Whether to leave out findings that do not affect the exit status from the text.</param>
/// <param name="log">Receives the findings as text; null for none.</param>
internal sealed class VerifyOutput(TextWriter output, EventFeed events, bool isJson, bool onlyProblems, IProgressOutput? log)
{
    private const int MaxLines = 20;

    private readonly Lock gate = new();

    public static VerifyOutput Of(HostContext surroundings, EventFeed events, bool isJson)
    {
        var onlyProblems = surroundings.IsQuiet && !isJson;
        return new VerifyOutput(
            isJson ? surroundings.Out : onlyProblems ? surroundings.Screen ?? surroundings.Error : surroundings.Text, events, isJson, onlyProblems, surroundings.FullLog);
    }

    public void Show(JobEvent happened)
    {
        // The job's outcome is in the summary, so this event is not shown.
        if (happened is not JobFinished)
            events.Show(happened);
    }

    public void Show(Finding finding)
    {
        var line = isJson ? JsonSerializer.Serialize(FindingJson.Of(finding), VerifyJson.Default.FindingJson) : TerminalText.Escape(Line(finding));
        // Several jobs may report findings at the same time.
        lock (gate)
        {
            log?.Say(Line(finding));
            if (!(onlyProblems && finding.IsInformation))
                output.WriteLine(line);
        }
    }

    public void Finish(IReadOnlyList<VerifyReport> reports)
    {
        foreach (var report in reports)
            log?.Say($"{report.Job.Name}: {Outcome(report)}");
        if (isJson)
        {
            Write(JsonSerializer.Serialize(
                new VerifySummaryJson("summary", VerifyTotalsJson.Of(Sum(reports)), [.. reports.Select(r => VerifiedJobJson.Of(r, withFindings: false))]), VerifyJson.Default.VerifySummaryJson));
            return;
        }

        // As in the summary of a run, many jobs are summed up in one line, and only those with differences or failures are listed.
        var areMany = reports.Count > Summary.MaxJobs;
        List<VerifyReport> listed = [.. reports.Where(r => !(areMany || onlyProblems) || r.Job.Outcome is not JobOutcome.Ok).Take(Summary.MaxJobs)];
        var width = listed.Select(r => r.Job.Name.Length).DefaultIfEmpty(0).Max();
        foreach (var report in listed)
            Write(TerminalText.Escape($"{report.Job.Name.PadRight(width)}  {Outcome(report)}{JobText.Took(report.Job)}"));
        if (areMany && !(onlyProblems && listed.Count == 0))
            Write(All(reports));
        foreach (var problem in reports.SelectMany(r => r.Job.Problems.Select(p => $"{r.Job.Name}: {JobText.Problem(p)}")).Take(MaxLines))
            Write(TerminalText.Escape($"  {problem}"));
    }

    /// <summary>Formats the result: <c>20,000 messages verified: 1 different, 1 missing</c>.</summary>
    public static string Outcome(VerifyReport report)
    {
        var (counts, job) = (report.Counts, report.Job);
        if (job.Outcome is JobOutcome.Failed or JobOutcome.Cancelled)
            return JobText.Outcome(job);
        return $"{Quantities.Count(counts.Messages, "message")} verified{Result(counts)}{(job.Problems.IsEmpty ? "" : ", NOT COMPLETE")}";
    }

    public static VerifyCounts Sum(IEnumerable<VerifyReport> reports) => reports.Aggregate(VerifyCounts.None, (sum, report) => sum + report.Counts);

    /// <summary>
    /// Formats the results of many jobs: <c>300 jobs: 298 as they should be, 1 with differences, 1 failed · 20,000 messages verified: 1 missing</c>.
    /// </summary>
    private static string All(IReadOnlyList<VerifyReport> reports)
    {
        var outcomes = reports.Select(r => r.Job.Outcome).ToList();
        List<string> parts = [$"{Quantities.Count(outcomes.Count(o => o is JobOutcome.Ok))} as they should be"];
        foreach (var (outcome, word) in new[] { (JobOutcome.Incomplete, "with differences or not complete"), (JobOutcome.Failed, "failed"), (JobOutcome.Cancelled, "interrupted") })
        {
            if (outcomes.Count(o => o == outcome) is > 0 and var count)
                parts.Add($"{Quantities.Count(count)} {word}");
        }

        var counts = Sum(reports);
        var time = reports.Max(r => r.Job.Finished) - reports.Min(r => r.Job.Started);
        return $"{Quantities.Count(reports.Count, "job")}: {string.Join(", ", parts)} · {Quantities.Count(counts.Messages, "message")} verified{Result(counts)} · {Quantities.Duration(time)}";
    }

    private static string Result(VerifyCounts counts)
    {
        var part = counts.Read < counts.Messages - counts[FindingKind.Missing] ? $" ({Quantities.Count(counts.Read)} of them read)" : "";
        var found = Enum.GetValues<FindingKind>().Where(k => counts[k] > 0).Select(k => $"{Quantities.Count(counts[k])} {Word(k)}").ToList();
        return $"{part}: {(found.Count > 0 ? string.Join(", ", found) : "no difference")}";
    }

    public static string Word(FindingKind kind) => kind switch
    {
        FindingKind.Missing => "missing",
        FindingKind.Extra => "extra",
        FindingKind.Octets => "different",
        FindingKind.Flags => "flags",
        FindingKind.Date => "date",
        _ => "unreadable",
    };

    private static string Line(Finding finding)
    {
        var source = finding.Source is { } folder ? $"{folder}, UID {finding.SourceUid}" : "";
        var target = finding.TargetUid.IsNone ? "" : $"at the target {finding.Target}, UID {finding.TargetUid}";
        var place = string.Join(", ", new[] { source, target }.Where(p => p.Length > 0));
        return $"{finding.Job}: {Word(finding.Kind)}: {place}: {finding.Text}{(finding.IsInformation ? " [for information]" : "")}";
    }

    private void Write(string line)
    {
        lock (gate)
            output.WriteLine(line);
    }
}
