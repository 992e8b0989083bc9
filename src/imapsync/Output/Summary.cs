using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>The end of a run in a few lines: a line per job, then what went wrong, then what should be known.</summary>
internal static class Summary
{
    private const int MaxProblems = 20;
    private const int MaxNotes = 10;

    /// <param name="hasReportFile">The rest of a list that is too long here can be read in the report.</param>
    public static IEnumerable<string> Lines(IReadOnlyList<JobReport> reports, bool isDryRun, bool hasReportFile)
    {
        var width = 0;
        foreach (var report in reports)
            width = Math.Max(width, report.Name.Length);
        foreach (var report in reports)
            yield return TerminalText.Escape($"{report.Name.PadRight(width)}  {Job(report, isDryRun)}");
        foreach (var line in Section("Problems", reports.SelectMany(r => r.Problems.Select(p => $"{r.Name}: {JobText.Problem(p)}")), MaxProblems, hasReportFile))
            yield return line;
        foreach (var line in Section("Notes", reports.SelectMany(r => r.Notes.Select(n => $"{r.Name}: {n}")), MaxNotes, hasReportFile))
            yield return line;
    }

    private static string Job(JobReport report, bool isDryRun)
    {
        var text = $"{JobText.Outcome(report)} · ";
        // A job that did not get as far as its folders has no counts, and "nothing to do" would be untrue of it.
        if (report.Outcome is JobOutcome.Ok || report.Folders.Length > 0)
        {
            var counts = JobText.Counts(report.Totals, isDryRun, report.Outcome is JobOutcome.Ok ? "nothing to do" : null);
            text += $"{Quantities.Count(report.Folders.Length, "folder")}, {Quantities.Count(report.Totals.SourceMessages, "message")}{(counts is null ? "" : $": {counts}")} · ";
        }

        return text + Quantities.Duration(report.Finished - report.Started);
    }

    private static IEnumerable<string> Section(string title, IEnumerable<string> lines, int max, bool hasReportFile)
    {
        var count = 0;
        foreach (var line in lines)
        {
            if (count == 0)
                yield return $"{title}:";
            if (count++ < max)
                yield return $"  {TerminalText.Escape(line)}";
        }

        if (count > max)
            yield return $"  and {Quantities.Count(count - max)} more, {(hasReportFile ? "in the report" : "see --report FILE")}";
    }
}
