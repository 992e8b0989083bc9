using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>Summarizes the end of a run: one line per job, then problems, then notes.</summary>
internal static class Summary
{
    private const int MaxProblems = 20;
    private const int MaxNotes = 10;

    /// <summary>
    /// The most jobs that are all listed. With more jobs only those not fully copied are listed, followed by a line about all jobs.
    /// </summary>
    public const int MaxJobs = 30;

    /// <summary>Returns the lines of the summary.</summary>
    /// <param name="hasReportFile">Whether a truncated list can refer to a report.</param>
    /// <param name="isTold">
    /// Whether a text from <see cref="Told"/> was shown recently, given the number of lines that the summary has already written.
    /// </param>
    /// <param name="onlyProblems">Whether to leave out notes, and jobs whose mail is all at the target.</param>
    public static IEnumerable<string> Lines(
        IReadOnlyList<JobReport> reports, bool isDryRun, bool hasReportFile, Func<string, int, bool>? isTold = null, bool hasColour = false, bool onlyProblems = false)
    {
        List<JobReport> listed = [.. reports.Where(r => (reports.Count <= MaxJobs && !onlyProblems) || r.Outcome is not JobOutcome.Ok).Take(MaxJobs)];
        var width = listed.Select(r => r.Name.Length).DefaultIfEmpty().Max();
        foreach (var report in listed)
            yield return Colour(report, hasColour, TerminalText.Escape($"{report.Name.PadRight(width)}  {Job(report, isDryRun)}"));
        if (reports.Count > MaxJobs && !(onlyProblems && listed.Count == 0))
            yield return All(reports, isDryRun);
        var problems = reports.SelectMany(r => r.Problems.Select(p => Told(r.Name, p)));
        foreach (var line in Section("Problems", problems, MaxProblems, hasReportFile, IsNews))
            yield return line;
        var notes = (onlyProblems ? [] : reports).SelectMany(r => r.Notes.Select(n => Told(r.Name, n)));
        foreach (var line in Section("Notes", notes, MaxNotes, hasReportFile, IsNews))
            yield return line;

        bool IsNews(string text) => isTold?.Invoke(text, listed.Count) != true;
    }

    /// <summary>Returns the text with which the summary shows an event; null when it does not show it.</summary>
    public static string? Told(JobEvent happened) => happened switch
    {
        ProblemFound e => Told(e.Job, e.Problem),
        NoteRaised e => Told(e.Job, e.Folder is null ? e.Text : $"{e.Folder}: {e.Text}"),
        _ => null,
    };

    private static string Told(string job, Problem problem) => $"{job}: {JobText.Problem(problem)}";

    private static string Told(string job, string note) => $"{job}: {note}";

    private static string Colour(JobReport report, bool hasColour, string line)
    {
        const string red = "31", yellow = "33";
        var colour = report.Outcome switch { JobOutcome.Ok => null, JobOutcome.Failed => red, _ => yellow };
        return hasColour && colour is not null ? $"\u001b[{colour}m{line}\u001b[0m" : line;
    }

    private static string All(IReadOnlyList<JobReport> reports, bool isDryRun)
    {
        List<string> outcomes = [$"{Quantities.Count(reports.Count(r => r.Outcome is JobOutcome.Ok))} all in place"];
        foreach (var (outcome, word) in new[] { (JobOutcome.Incomplete, "incomplete"), (JobOutcome.Failed, "failed"), (JobOutcome.Cancelled, "interrupted") })
        {
            if (reports.Count(r => r.Outcome == outcome) is > 0 and var count)
                outcomes.Add($"{Quantities.Count(count)} {word}");
        }

        var sum = reports.Aggregate(new FolderCounts(), (all, r) => all + r.Totals);
        var time = reports.Max(r => r.Finished) - reports.Min(r => r.Started);
        return $"{Quantities.Count(reports.Count, "job")}: {string.Join(", ", outcomes)} · {Quantities.Count(sum.SourceMessages, "message")}: {JobText.Counts(sum, isDryRun)} · {Quantities.Duration(time)}";
    }

    private static string Job(JobReport report, bool isDryRun)
    {
        var text = JobText.Outcome(report);
        // A job that ended before its folders were known has no counts, and "nothing to do" would be wrong.
        if (report.Outcome is JobOutcome.Ok || report.Folders.Length > 0 || report.PlannedFolders > 0)
        {
            // Messages that a stopped job did not get to also count as not copied.
            var wasEnded = report.Outcome is not JobOutcome.Ok && report.Stop != StopReason.None;
            var messages = wasEnded ? Math.Max(report.PlannedMessages, report.Totals.SourceMessages) : report.Totals.SourceMessages;
            var counts = JobText.Counts(
                report.Totals with { Failed = report.Totals.Failed + messages - report.Totals.SourceMessages },
                isDryRun,
                report.Outcome is JobOutcome.Ok ? "nothing to do" : null,
                report.Outcome is JobOutcome.Cancelled || report.Stop == StopReason.Limit ? "not copied yet" : "NOT COPIED");
            var folders = wasEnded && report.PlannedFolders > report.Folders.Length
                ? $"{Quantities.Count(report.Folders.Length)} of {Quantities.Count(report.PlannedFolders, "folder")} begun"
                : Quantities.Count(report.Folders.Length, "folder");
            text += $" · {folders}, {Quantities.Count(messages, "message")}{(counts is null ? "" : $": {counts}")}";
        }

        return text + JobText.Took(report);
    }

    private static IEnumerable<string> Section(string title, IEnumerable<string> lines, int max, bool hasReportFile, Func<string, bool> isNews)
    {
        var count = 0;
        foreach (var line in lines)
        {
            if (!isNews(line))
                continue;
            if (count == 0)
                yield return $"{title}:";
            if (count++ < max)
                yield return $"  {TerminalText.Escape(line)}";
        }

        if (count > max)
            yield return $"  and {Quantities.Count(count - max)} more, {(hasReportFile ? "in the report" : "see --report FILE")}";
    }
}
