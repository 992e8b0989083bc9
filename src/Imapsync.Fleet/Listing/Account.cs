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

/// <summary>What a user has requested for an account while a worker is running it.</summary>
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

    /// <summary>Runs once more the accounts that have ended, whatever the result was.</summary>
    Retry,
}

/// <summary>An account of a list as it is submitted.</summary>
/// <param name="Mailbox">Identifies the mailbox that is written to. Two accounts with the same mailbox never run at the same time.</param>
/// <param name="SourceHost">The name of a host whose connections are counted; empty for a store on a disk.</param>
/// <param name="SourceClaim">The most connections that the account opens to the source host.</param>
/// <param name="Cells">The account's row of the list, encrypted.</param>
public sealed record NewAccount(
    string Name, string Mailbox, string Source, string Target, string SourceHost, string TargetHost, int SourceClaim, int TargetClaim, string Cells);

/// <summary>A list of accounts as it is submitted.</summary>
/// <param name="Job">The job file, encrypted.</param>
/// <param name="Schedule">
/// When all accounts of the list are due again, as a cron expression (seconds first); null if they run only once.
/// </param>
/// <param name="Zone">The time zone of the schedule, an IANA name.</param>
public sealed record NewBatch(string Name, string Job, int Priority, string? Schedule, string Zone, bool IsPaused)
{
    /// <summary>The most connections to each named host, by all workers together. A host that is not named keeps its limit.</summary>
    public IReadOnlyDictionary<string, int> HostConnections { get; init; } = new Dictionary<string, int>();

    /// <summary>When the schedule is due next, in milliseconds since 1970; null for never.</summary>
    public long? NextRun { get; init; }
}

/// <summary>The result of submitting a list.</summary>
/// <param name="Batch">The batch's number.</param>
/// <param name="AtWork">The number of rows that were not replaced because a worker is running their accounts.</param>
public readonly record struct Submitted(long Batch, int AtWork);

/// <summary>An account given to a worker. The attempt number protects the account: writes of an earlier attempt are rejected.</summary>
public readonly record struct Offer(long Account, long Attempt, string Worker);

/// <summary>What a worker needs to run an account.</summary>
/// <param name="Failures">How many attempts have failed since the last one that made progress.</param>
/// <param name="Job">The batch's job file, encrypted.</param>
public sealed record StartedAccount(
    long Account, long Attempt, long Batch, string Name, string Job, string Cells, int SourceClaim, int TargetClaim, int Failures, Wanted Wanted)
{
    /// <summary>The batch's name.</summary>
    public string BatchName { get; init; } = "";
}

/// <summary>The names of a batch and of one of its accounts, with the batch's job file and the account's row, both encrypted.</summary>
public sealed record SealedRow(string Batch, string Name, string Job, string Cells);

/// <summary>The progress of a running account.</summary>
/// <param name="Planned">The number of messages that the source shows.</param>
public readonly record struct AccountProgress(long Account, long Attempt, long Planned, long Copied, long Bytes, string Folder)
{
    /// <summary>The log lines to store; null for none. Lines that are stored already are not stored again.</summary>
    [JsonIgnore]
    public IReadOnlyList<AttemptLine>? Lines { get; init; }
}

/// <summary>A line of an attempt's log.</summary>
/// <param name="Number">Counted up from 1 in each attempt; numbers may be missing.</param>
/// <param name="AgeMilliseconds">How long ago the line was written. An age is sent, because the clocks of two machines may differ.</param>
public readonly record struct AttemptLine(long Number, long AgeMilliseconds, string Words);

/// <summary>How an attempt ended.</summary>
/// <param name="DelayMilliseconds">
/// The milliseconds until the account is due, if <paramref name="Status"/> is <see cref="AccountStatus.Due"/>.
/// </param>
public sealed record AttemptEnd(long Account, long Attempt, AccountStatus Status, long DelayMilliseconds, int Failures, string Text)
{
    public long Planned { get; init; }

    public long Copied { get; init; }

    public long Bytes { get; init; }

    public long Problems { get; init; }

    /// <summary>The report as JSON; null if there is none.</summary>
    public string? Report { get; init; }

    /// <summary>The last lines of the attempt's log; null for none. Lines that are stored already are not stored again.</summary>
    public IReadOnlyList<AttemptLine>? Lines { get; init; }
}
