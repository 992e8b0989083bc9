using Imapsync.CommandLine.Output;
using Imapsync.Engine.History;

namespace Imapsync.CommandLine.Pages;

/// <summary>The history of jobs as text for a terminal.</summary>
internal static class ReportText
{
    private const int MaxFolders = 10, MaxRuns = 10, MaxProblems = 10, MaxSenders = 10;

    public static void Print(JobStory job, TimeProvider time, TextWriter output)
    {
        var zone = time.LocalTimeZone;
        Line($"{job.Name}  {job.State}");
        Line($"  {job.Source} → {job.Target}");
        foreach (var remark in job.Remarks)
            Line($"  {remark}");
        if (job.Counted is [.., var last])
        {
            var growth = job.Growth(TimeSpan.FromDays(30)) is { } more ? $", {(more.Messages < 0 ? "−" : "+")}{Quantities.Count(Math.Abs(more.Messages))} since {StatusText.Time(more.Since, zone)[..10]}" : "";
            Line($"  {Quantities.Count(last.Totals.SourceMessages, "message")} in {Quantities.Count(last.FolderCount, "folder")} of the source{growth}");
            Line($"  {Quantities.Count(job.CopiedMessages, "message")} copied so far, {Quantities.Octets(job.CopiedBytes)}");
        }

        Table([["WHEN", "WHAT", "OUTCOME", "COPIED", "OCTETS", "TOOK"], .. job.Entries.Reverse().Take(MaxRuns).Select(e => Row(e, job, zone))], 3);
        if (job.Counted is [.., var counted] && !counted.Folders.IsEmpty)
        {
            Table(
                [
                    ["FOLDER", "MESSAGES", "COPIED", "NOT IN PLACE"],
                    .. counted.Folders.OrderByDescending(f => f.Counts.SourceMessages).Take(MaxFolders)
                        .Select(f => new[] { TerminalText.Escape(f.Source.ToString()), Quantities.Count(f.Counts.SourceMessages), Quantities.Count(f.Counts.Copied), Quantities.Count(f.Counts.Failed) }),
                ],
                1);
        }

        if (job.Census is { Senders.IsEmpty: false } census)
            Table([["SENDER", "MESSAGES", "OCTETS"], .. census.Senders.Take(MaxSenders).Select(s => new[] { TerminalText.Escape(s.Address), Quantities.Count(s.Messages), Quantities.Octets(s.Bytes) })], 1);
        if (job.Failed is not { } failed)
            return;
        Line($"  What failed, {StatusText.Time(failed.Began, zone)}:");
        foreach (var problem in failed.Problems.Take(MaxProblems))
            Line($"    {JobText.Problem(problem)}");

        void Line(string text) => output.WriteLine(TerminalText.Escape(text));

        void Table(List<string[]> rows, int left)
        {
            if (rows.Count > 1)
                TextTable.Print(rows, left, output);
        }
    }

    private static string[] Row(HistoryEntry e, JobStory job, TimeZoneInfo zone) =>
    [
        StatusText.Time(e.Began, zone), e.Kind.ToString().ToLowerInvariant(), e == job.Standing.Running ? "running" : StatusText.Outcome(e),
        Quantities.Count(e.Totals.Copied), Quantities.Octets(e.Totals.Bytes), e.Ended is { } ended ? Quantities.Duration(ended - e.Began) : "-",
    ];
}
