using System.Text.Json.Serialization;

namespace Imapsync.Fleet.Listing;

/// <summary>The status of an account. The tables store these numbers.</summary>
public enum AccountStatus
{
    /// <summary>The account waits for its time and for free connections at its hosts.</summary>
    Due = 0,

    /// <summary>The account was given to a worker that has not begun yet.</summary>
    Ready = 1,

    Running = 2,

    Paused = 3,

    /// <summary>All messages are stored at the target.</summary>
    Done = 4,

    /// <summary>The run ended, but some messages are not stored at the target.</summary>
    Incomplete = 5,

    Failed = 6,

    Cancelled = 7,
}

/// <summary>What a user has asked for while a worker has the account.</summary>
public enum Wanted
{
    Run = 0,
    Pause = 1,
    Cancel = 2,
}

/// <summary>An action that a user may ask for.</summary>
public enum AccountAction
{
    Pause,
    Resume,
    Cancel,

    /// <summary>Runs accounts that have ended again, whatever the result was.</summary>
    Retry,
}

/// <summary>An account of a list as it is submitted.</summary>
/// <param name="Mailbox">What is written to: two accounts with the same are never at work at once.</param>
/// <param name="SourceHost">The name of a host whose connections are counted; empty for what is on a disk.</param>
/// <param name="SourceClaim">The most connections that it opens there.</param>
/// <param name="Cells">Its row, sealed.</param>
public sealed record NewAccount(
    string Name, string Mailbox, string Source, string Target, string SourceHost, string TargetHost, int SourceClaim, int TargetClaim, string Cells);

/// <summary>A list of accounts as it is submitted.</summary>
/// <param name="Job">The job file, sealed.</param>
/// <param name="Schedule">A cron expression (seconds first): when all accounts are due again; null for once.</param>
/// <param name="Zone">The time zone of the schedule, an IANA name.</param>
public sealed record NewBatch(string Name, string Job, int Priority, string? Schedule, string Zone, bool IsPaused)
{
    /// <summary>The most connections to a host, of all workers together; those not named keep what they have.</summary>
    public IReadOnlyDictionary<string, int> HostConnections { get; init; } = new Dictionary<string, int>();

    /// <summary>When the schedule is due next, in milliseconds since 1970.</summary>
    public long? NextRun { get; init; }
}

/// <summary>A list that was taken in.</summary>
/// <param name="Batch">The batch's number.</param>
/// <param name="AtWork">The number of rows that were not replaced because a worker has their accounts.</param>
public readonly record struct Submitted(long Batch, int AtWork);

/// <summary>An account given to a worker. The attempt is its fence: a worker with a lower attempt number may write nothing any more.</summary>
public readonly record struct Offer(long Account, long Attempt, string Worker);

/// <summary>What a worker needs to run an account.</summary>
/// <param name="Failures">Attempts that failed since it last got anywhere.</param>
/// <param name="Job">The batch's job file, sealed.</param>
public sealed record StartedAccount(
    long Account, long Attempt, long Batch, string Name, string Job, string Cells, int SourceClaim, int TargetClaim, int Failures, Wanted Wanted)
{
    /// <summary>The batch's name.</summary>
    public string BatchName { get; init; } = "";
}

/// <summary>An account's name, its batch's, the batch's job file and the account's row, both sealed.</summary>
public sealed record SealedRow(string Batch, string Name, string Job, string Cells);

/// <summary>How an account at work gets on.</summary>
/// <param name="Planned">Messages that the source shows.</param>
public readonly record struct AccountProgress(long Account, long Attempt, long Planned, long Copied, long Bytes, string Folder)
{
    /// <summary>What happened since; null for nothing. Lines that were written already are not written again.</summary>
    [JsonIgnore]
    public IReadOnlyList<AttemptLine>? Lines { get; init; }
}

/// <summary>A line of an attempt's log.</summary>
/// <param name="Number">Counted up from 1 in each attempt; lines may be left out.</param>
/// <param name="AgeMilliseconds">How long ago it happened, since no two machines' clocks are compared.</param>
public readonly record struct AttemptLine(long Number, long AgeMilliseconds, string Words);

/// <summary>How an attempt ended.</summary>
/// <param name="DelayMilliseconds">When <paramref name="Status"/> is due: in how long.</param>
/// <param name="Report">The report as JSON; null where there is none.</param>
public sealed record AttemptEnd(long Account, long Attempt, AccountStatus Status, long DelayMilliseconds, int Failures, string Text)
{
    public long Planned { get; init; }

    public long Copied { get; init; }

    public long Bytes { get; init; }

    public long Problems { get; init; }

    public string? Report { get; init; }

    /// <summary>The last lines of its log; null for none. Lines that were written already are not written again.</summary>
    public IReadOnlyList<AttemptLine>? Lines { get; init; }
}
