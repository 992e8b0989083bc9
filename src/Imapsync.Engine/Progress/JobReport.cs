using System.Collections.Immutable;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Progress;

/// <summary>The truth about a finished job, as <c>--report</c> writes it.</summary>
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
    /// <summary>Why the job ended, where it did not end by itself.</summary>
    public StopReason Stop { get; init; }

    /// <summary>All waits together, those that ran at the same time counted each.</summary>
    public TimeSpan Waited { get; init; }

    /// <summary>The first <see cref="MaxWaits"/> of them.</summary>
    public ImmutableArray<Wait> Waits { get; init; } = [];

    public const int MaxWaits = 100;

    /// <summary>Folder pairs that there were to work through; 0 where the job did not get as far as to know them.</summary>
    public int PlannedFolders { get; init; }

    /// <summary>Messages that the source showed in them.</summary>
    public long PlannedMessages { get; init; }

    /// <summary>A stop came before its turn.</summary>
    public bool IsNotBegun { get; init; }

    /// <summary>Nothing was changed: <see cref="FolderCounts.Copied"/> and the like say what a run would do.</summary>
    public bool IsDryRun { get; init; }
}

public enum JobOutcome
{
    /// <summary>All of it is in place.</summary>
    Ok,

    /// <summary>It ran to its end, but something is not in place; see the problems.</summary>
    Incomplete,

    Failed,

    Cancelled,
}

/// <summary>What decides the exit status of a job that did not simply finish.</summary>
public enum StopReason
{
    None,
    Other,
    Locked,
    Connect,
    Authentication,
    DeletionLimit,

    /// <summary>A password is not to be had.</summary>
    Configuration,

    /// <summary>A limit that the job sets itself: time, octets a day. The next run goes on.</summary>
    Limit,
    Cancelled,
}

/// <summary>Counters of one folder or of a whole job. <c>Copied + AlreadyPresent + Skipped + Failed = SourceMessages</c>.</summary>
public sealed record FolderCounts
{
    public long SourceMessages { get; init; }

    public long Copied { get; init; }

    /// <summary>In place before this run, or adopted by it.</summary>
    public long AlreadyPresent { get; init; }

    /// <summary>Of those already present: found at the target and matched in this run.</summary>
    public long Adopted { get; init; }

    /// <summary>Left out by a filter.</summary>
    public long Skipped { get; init; }

    public long Failed { get; init; }

    public long FlagsUpdated { get; init; }

    public long Deleted { get; init; }

    /// <summary>Octets copied.</summary>
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

/// <summary>A wait before the next try.</summary>
/// <param name="Reason">What waits and why, for people; the server's words where it said any.</param>
/// <param name="Until">In the machine's own zone.</param>
public sealed record Wait(string Reason, TimeSpan Delay, DateTimeOffset Until);

/// <summary>Something that is not in place, and why.</summary>
/// <param name="Scope">Message, folder or store.</param>
/// <param name="Reason">A short fixed word for programs: <c>vanished</c>, <c>refused</c>, <c>unreadable</c>, <c>listing</c>, <c>deletion_limit</c> …</param>
/// <param name="Text">For people; the server's words where it said any.</param>
public sealed record Problem(FailureScope Scope, FolderPath? Folder, uint? Uid, string Reason, string Text)
{
    /// <summary>What the message is, where that could be read.</summary>
    public Envelope? Envelope { get; init; }
}
