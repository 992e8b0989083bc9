using System.Collections.Immutable;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Verifying;

namespace Imapsync.Engine.History;

public enum HistoryKind
{
    Run,
    Restore,
    Verify,
    Check,
}

/// <summary>One operation on a job, as recorded in the job's history.</summary>
/// <param name="Id">Distinguishes the operation from others at the same time.</param>
/// <param name="Began">The start time in UTC.</param>
public sealed record HistoryEntry(string Id, HistoryKind Kind, DateTimeOffset Began)
{
    /// <summary>The end time in UTC; null when no end was recorded: the operation is still running or was killed.</summary>
    public DateTimeOffset? Ended { get; init; }

    public JobOutcome Outcome { get; init; } = JobOutcome.Failed;

    public StopReason Stop { get; init; }

    public int ExitStatus { get; init; }

    /// <summary>The totals. For a verification, they count the compared messages, with differing messages as failed.</summary>
    public FolderCounts Totals { get; init; } = new();

    /// <summary>
    /// The reports of up to <see cref="MaxFolders"/> of the <see cref="FolderCount"/> folders: those with failures first, then the largest.
    /// </summary>
    public ImmutableArray<FolderReport> Folders { get; init; } = [];

    public int FolderCount { get; init; }

    /// <summary>The first <see cref="MaxProblems"/> of the <see cref="ProblemCount"/> problems.</summary>
    public ImmutableArray<Problem> Problems { get; init; } = [];

    public int ProblemCount { get; init; }

    /// <summary>The process that started an operation without a recorded end.</summary>
    public HistoryProcess? Process { get; init; }

    /// <summary>The sums of the runs whose entries were removed to shorten the history. They are kept in this entry.</summary>
    public LeftOutRuns LeftOut { get; init; } = new(0, 0, 0);

    public const int MaxFolders = 200;
    public const int MaxProblems = 20;

    private const int MostLetters = 300;

    public bool IsSuccess => Ended is not null && Outcome == JobOutcome.Ok;

    /// <summary>Returns this entry with the end of a run.</summary>
    /// <param name="exitStatus">The exit status the process would have if this job were its only one.</param>
    public HistoryEntry End(JobReport report, int exitStatus) => this with
    {
        Ended = report.Finished.ToUniversalTime(),
        Outcome = report.Outcome,
        Stop = report.Stop,
        ExitStatus = exitStatus,
        Totals = report.Totals,
        Folders = [.. report.Folders.OrderByDescending(f => f.Counts.Failed > 0).ThenByDescending(f => f.Counts.SourceMessages).Where(f => !IsLong(f)).Take(MaxFolders)],
        FolderCount = report.Folders.Length,
        Problems = [.. report.Problems.Take(MaxProblems).Select(Shorten)],
        ProblemCount = report.Problems.Length,
        Process = null,
    };

    /// <summary>Returns this entry with the end of a verification, whose differences are recorded as problems.</summary>
    public HistoryEntry End(VerifyReport report, int exitStatus)
    {
        var found = report.Findings.Where(f => !f.IsInformation).Take(MaxProblems)
            .Select(f => new Problem(FailureScope.Message, f.Source ?? f.Target, f.SourceUid.IsNone ? null : f.SourceUid.Value, f.Kind.ToString().ToLowerInvariant(), f.Text));
        return End(
            report.Job with
            {
                Totals = new FolderCounts { SourceMessages = report.Counts.Messages, AlreadyPresent = Math.Max(0, report.Counts.Messages - report.Counts.Differences), Failed = report.Counts.Differences },
                Problems = [.. report.Job.Problems, .. found],
            },
            exitStatus) with
        { FolderCount = report.Counts.Folders, ProblemCount = (int)Math.Min(int.MaxValue, report.Job.Problems.Length + report.Counts.Differences) };
    }

    private static bool IsLong(FolderReport folder) => folder.Source.ToString().Length > MostLetters || folder.Target.ToString().Length > MostLetters;

    private static Problem Shorten(Problem problem) => problem with
    {
        Text = problem.Text.Length <= MostLetters
            ? problem.Text
            : problem.Text[..(char.IsHighSurrogate(problem.Text[MostLetters - 1]) ? MostLetters - 1 : MostLetters)] + "…",
        Folder = problem.Folder?.ToString().Length > MostLetters ? null : problem.Folder,
    };
}

/// <summary>The process that started an operation.</summary>
public sealed record HistoryProcess(int Id, string Host);

/// <summary>The sums of runs whose entries were removed from the history.</summary>
/// <param name="Copied">The number of messages copied.</param>
/// <param name="Bytes">The number of octets copied.</param>
public sealed record LeftOutRuns(long Count, long Copied, long Bytes)
{
    public static LeftOutRuns operator +(LeftOutRuns a, LeftOutRuns b) => new(a.Count + b.Count, a.Copied + b.Copied, a.Bytes + b.Bytes);
}
