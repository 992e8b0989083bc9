using System.Collections.Immutable;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Progress;

/// <summary>The facts about a finished job, as <c>--report</c> writes them.</summary>
public sealed record JobReport(
    string Name,
    JobOutcome Outcome,
    DateTimeOffset Started,
    DateTimeOffset Finished,
    FolderCounts Totals,
    ImmutableArray<FolderReport> Folders,
    ImmutableArray<Problem> Problems,
    ImmutableArray<string> Notes)
{
    /// <summary>Why the job was stopped before its normal end.</summary>
    public StopReason Stop { get; init; }

    /// <summary>The sum of all waits. When several parts of the job wait at the same time, each wait counts in full.</summary>
    public TimeSpan Waited { get; init; }

    /// <summary>The first <see cref="MaxWaits"/> waits.</summary>
    public ImmutableArray<Wait> Waits { get; init; } = [];

    public const int MaxWaits = 100;

    /// <summary>The number of folder pairs to process; 0 when the job ended before they were known.</summary>
    public int PlannedFolders { get; init; }

    /// <summary>The number of messages in the source folders of the folder pairs to process.</summary>
    public long PlannedMessages { get; init; }

    /// <summary>Whether the job was stopped before it began.</summary>
    public bool IsNotBegun { get; init; }

    /// <summary>
    /// Whether this was a dry run: nothing was changed, and <see cref="FolderCounts.Copied"/> and similar counts say what a run would do.
    /// </summary>
    public bool IsDryRun { get; init; }
}

public enum JobOutcome
{
    /// <summary>All mail is at the target.</summary>
    Ok,

    /// <summary>The job ran to its end, but some messages or folders are not at the target; the problems list them.</summary>
    Incomplete,

    Failed,

    Cancelled,
}

/// <summary>Why a job was stopped early. The reason determines the exit status.</summary>
public enum StopReason
{
    None,
    Other,
    Locked,
    Connect,
    Authentication,
    DeletionLimit,

    /// <summary>A password or other setting is not available.</summary>
    Configuration,

    /// <summary>A limit of the job itself was reached, such as time or octets per day. The next run continues.</summary>
    Limit,
    Cancelled,
}

/// <summary>Counts for one folder or a whole job. <c>Copied + AlreadyPresent + Skipped + Failed = SourceMessages</c>.</summary>
public sealed record FolderCounts
{
    public long SourceMessages { get; init; }

    public long Copied { get; init; }

    /// <summary>
    /// Messages that were at the target before this run: copied by earlier runs, or found there and recorded as copies by this one.
    /// </summary>
    public long AlreadyPresent { get; init; }

    /// <summary>Those of <see cref="AlreadyPresent"/> that no earlier run had recorded: this run found them at the target and recorded them as copies.</summary>
    public long Adopted { get; init; }

    /// <summary>Messages excluded by a filter.</summary>
    public long Skipped { get; init; }

    public long Failed { get; init; }

    public long FlagsUpdated { get; init; }

    public long Deleted { get; init; }

    /// <summary>The number of octets copied.</summary>
    public long Bytes { get; init; }

    public static FolderCounts operator +(FolderCounts a, FolderCounts b) => new()
    {
        SourceMessages = a.SourceMessages + b.SourceMessages,
        Copied = a.Copied + b.Copied,
        AlreadyPresent = a.AlreadyPresent + b.AlreadyPresent,
        Adopted = a.Adopted + b.Adopted,
        Skipped = a.Skipped + b.Skipped,
        Failed = a.Failed + b.Failed,
        FlagsUpdated = a.FlagsUpdated + b.FlagsUpdated,
        Deleted = a.Deleted + b.Deleted,
        Bytes = a.Bytes + b.Bytes,
    };
}

public sealed record FolderReport(FolderPath Source, FolderPath Target, FolderCounts Counts);

/// <summary>A wait before the next attempt.</summary>
/// <param name="Reason">What waits and why, for people, with the server's words if there are any.</param>
/// <param name="Until">The end of the wait, in the local time zone.</param>
public sealed record Wait(string Reason, TimeSpan Delay, DateTimeOffset Until);

/// <summary>A reason why something is not at the target.</summary>
/// <param name="Scope">Whether a message, a folder or the store is affected.</param>
/// <param name="Reason">
/// A short fixed identifier for programs: <c>vanished</c>, <c>refused</c>, <c>unreadable</c>, <c>listing</c>, <c>deletion_limit</c> …
/// </param>
/// <param name="Text">The explanation for people, with the server's words if there are any.</param>
public sealed record Problem(FailureScope Scope, FolderPath? Folder, uint? Uid, string Reason, string Text)
{
    /// <summary>The message's sender, subject and date; null when they could not be read.</summary>
    public Envelope? Envelope { get; init; }
}
