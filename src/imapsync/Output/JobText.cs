using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>Formats events, counts and problems as text, not yet escaped for a terminal.</summary>
internal static class JobText
{
    /// <summary>Formats an event as a log line without the job's name; null for events that are not logged.</summary>
    /// <param name="isDryRun">Whether the job is a dry run, so that the line says what would happen.</param>
    public static string? Line(JobEvent happened, bool isDryRun = false) => happened switch
    {
        JobStarted e => $"{e.Source} → {e.Target}{(e.DryRun ? " (dry run, nothing is changed)" : "")}",
        FoldersPlanned e => $"{Quantities.Count(e.Pairs, "folder")}, {Quantities.Count(e.Messages, "message")}",
        FolderFinished { Folder: var f } when HasNews(f.Counts) => $"{Pair(f)}: {Counts(f.Counts, isDryRun)}",
        NoteRaised e => $"note: {(e.Folder is null ? "" : $"{e.Folder}: ")}{e.Text}",
        ProblemFound e => $"problem: {Problem(e.Problem)}",
        Waiting { Wait: var w } => $"waiting {Quantities.Duration(w.Delay)}, until {w.Until:HH:mm:ss}: {w.Reason}",
        Queued e => $"waiting: {e.Reason}",
        // The last line of an unsuccessful job says only "ended", because its problems and the summary give the details.
        JobFinished { Report: { Outcome: not JobOutcome.Ok, Problems.IsEmpty: false } } => "ended",
        JobFinished e => Outcome(e.Report),
        _ => null,
    };

    public static string WaitingAgain(Wait wait) => $"waiting {Quantities.Duration(wait.Delay)} more, until {wait.Until:HH:mm:ss}, for the same reason";

    public static string Outcome(JobReport report) => (report.Outcome, report.Stop) switch
    {
        (JobOutcome.Ok, _) when report.IsDryRun => "DRY RUN, nothing was changed",
        (JobOutcome.Ok, _) => "all in place",
        (JobOutcome.Incomplete, StopReason.None) => "INCOMPLETE",
        (JobOutcome.Cancelled, _) => report.IsNotBegun ? "INTERRUPTED, not begun" : "INTERRUPTED",
        (_, StopReason.Locked) => "NOT RUN, another run holds this job",
        (_, StopReason.Connect) => "FAILED, cannot connect",
        (_, StopReason.Authentication) => "FAILED, login refused",
        (_, StopReason.Configuration) => report.IsNotBegun ? "NOT RUN, its row makes no job" : "FAILED, it can't run as configured",
        (_, StopReason.DeletionLimit) => "STOPPED by the deletion limit",
        (_, StopReason.Limit) => "STOPPED at a limit, the next run goes on",
        (JobOutcome.Incomplete, _) => "INCOMPLETE",
        _ => "FAILED",
    };

    /// <summary>Returns how long a job took, after a separating dot; empty for a job that was not begun.</summary>
    public static string Took(JobReport report) => report.IsNotBegun ? "" : $" · {Quantities.Duration(report.Finished - report.Started)}";

    /// <summary>Formats all counts that are not zero.</summary>
    /// <param name="isDryRun">Whether the text says what would happen.</param>
    /// <param name="nothing">The text if all counts are zero; null to return null.</param>
    /// <param name="notCopied">The label for messages that are not at the target.</param>
    public static string? Counts(FolderCounts counts, bool isDryRun = false, string? nothing = "nothing to do", string notCopied = "NOT COPIED")
    {
        List<string> parts = [];
        if (counts.Copied > 0)
            parts.Add($"{Quantities.Count(counts.Copied)} {(isDryRun ? "would be copied" : "copied")} ({Quantities.Octets(counts.Bytes)})");
        if (counts.AlreadyPresent - counts.Adopted > 0)
            parts.Add($"{Quantities.Count(counts.AlreadyPresent - counts.Adopted)} there already");
        Add(counts.Adopted, isDryRun ? "would be adopted" : "adopted");
        Add(counts.FlagsUpdated, isDryRun ? "would get new flags" : "with new flags");
        Add(counts.Deleted, isDryRun ? "would be removed" : "removed");
        Add(counts.Skipped, "filtered out");
        Add(counts.Failed, notCopied);
        return parts.Count == 0 ? nothing : string.Join(", ", parts);

        void Add(long count, string what)
        {
            if (count > 0)
                parts.Add($"{Quantities.Count(count)} {what}");
        }
    }

    public static string Problem(Problem problem)
    {
        var place = problem switch
        {
            { Folder: { } folder, Uid: { } uid } => $"{folder}, UID {uid}: ",
            { Folder: { } folder } => $"{folder}: ",
            _ => "",
        };
        var message = problem.Envelope is { } envelope ? $"{envelope}: " : "";
        return $"{place}{message}{problem.Text} [{problem.Reason}]";
    }

    private static bool HasNews(FolderCounts c) => c.Copied + c.Adopted + c.FlagsUpdated + c.Deleted + c.Failed > 0;

    private static string Pair(FolderReport folder) =>
        folder.Source.Equals(folder.Target) ? folder.Source.ToString() : $"{folder.Source} → {folder.Target}";
}
