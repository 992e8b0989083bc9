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

/// <summary>One thing that was done with a job, as its state remembers it.</summary>
/// <param name="Id">Tells it from others that went on at the same time.</param>
/// <param name="Began">UTC.</param>
public sealed record HistoryEntry(string Id, HistoryKind Kind, DateTimeOffset Began)
{
    /// <summary>UTC; null where nothing tells of an end: it goes on still, or was killed.</summary>
    public DateTimeOffset? Ended { get; init; }

    public JobOutcome Outcome { get; init; } = JobOutcome.Failed;

    public StopReason Stop { get; init; }

    public int ExitStatus { get; init; }

    /// <summary>Of a verification: the messages held against each other, and as failed those that differ.</summary>
    public FolderCounts Totals { get; init; } = new();

    /// <summary>The largest <see cref="MaxFolders"/> of <see cref="FolderCount"/>, and before them those with failures.</summary>
    public ImmutableArray<FolderReport> Folders { get; init; } = [];

    public int FolderCount { get; init; }

    /// <summary>The first <see cref="MaxProblems"/> of <see cref="ProblemCount"/>.</summary>
    public ImmutableArray<Problem> Problems { get; init; } = [];

    public int ProblemCount { get; init; }

    /// <summary>Where an entry without an end was begun.</summary>
    public HistoryProcess? Process { get; init; }

    /// <summary>What stood for itself once and was left out since.</summary>
    public LeftOutRuns LeftOut { get; init; } = new(0, 0, 0);

    public const int MaxFolders = 200;
    public const int MaxProblems = 20;

    private const int MostLetters = 300;

    public bool IsSuccess => Ended is not null && Outcome == JobOutcome.Ok;

    /// <summary>This entry with its end.</summary>
    /// <param name="exitStatus">What the process told the shell, or would have, had there been this job alone.</param>
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

    /// <summary>The same of a verification: its differences are told as problems.</summary>
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

/// <summary>The process that began something.</summary>
public sealed record HistoryProcess(int Id, string Host);

/// <summary>Runs that are no longer listed, by their sums.</summary>
/// <param name="Copied">Messages.</param>
/// <param name="Bytes">Octets copied.</param>
public sealed record LeftOutRuns(long Count, long Copied, long Bytes)
{
    public static LeftOutRuns operator +(LeftOutRuns a, LeftOutRuns b) => new(a.Count + b.Count, a.Copied + b.Copied, a.Bytes + b.Bytes);
}
