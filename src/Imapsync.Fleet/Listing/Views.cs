namespace Imapsync.Fleet.Listing;

/// <summary>A batch as people see it. Times are milliseconds since 1970.</summary>
/// <param name="Counts">How many accounts have each status.</param>
public sealed record BatchView(long Id, string Name, int Priority, string? Schedule, string? Zone, long? NextRun, bool IsPaused, long Created)
{
    public required IReadOnlyDictionary<AccountStatus, long> Counts { get; init; }

    public long Planned { get; init; }

    public long Copied { get; init; }

    public long Bytes { get; init; }
}

/// <summary>A line of the list of accounts.</summary>
/// <param name="Problem">The first problem, for people.</param>
public sealed record AccountView(
    long Id, long Batch, string Name, string Source, string Target, AccountStatus Status, Wanted Wanted, int Priority, long DueAt, long Attempt,
    long Planned, long Copied, long Bytes, long Problems, long? Began, long? Ended, string? Problem, string? Worker, string? Folder);

public sealed record AccountEvent(long At, string Text);

/// <summary>A line of an account's log.</summary>
public sealed record LogLine(long Attempt, long At, string Text);

/// <summary>What all workers copied within some time.</summary>
/// <param name="At">When that time began, in milliseconds since 1970.</param>
public sealed record ThroughputSample(long At, long Messages, long Octets);

/// <param name="Held">How many accounts were given to it.</param>
/// <param name="IsDraining">It takes nothing more.</param>
/// <param name="IsAlive">It was heard of lately; one that was not is given nothing.</param>
public sealed record WorkerView(string Id, int Slots, int Held, string Version, bool IsDraining, long Seen, bool IsAlive)
{
    /// <summary>The accounts that were given to it.</summary>
    public IReadOnlyList<HeldAccount> Accounts { get; init; } = [];
}

/// <summary>An account that a worker has.</summary>
public sealed record HeldAccount(long Id, string Name, AccountStatus Status, long Planned, long Copied, string Folder);

/// <param name="Connections">The most at once; null for no limit, 0 for a host that is left alone.</param>
/// <param name="Claimed">Those of accounts that workers have.</param>
public sealed record HostView(string Name, int? Connections, long Claimed);

public enum AccountSort
{
    Id,
    Name,
    Status,
    Ended,
    Copied,
    Problems,
}

/// <summary>Which accounts, by all that is given.</summary>
/// <param name="Text">Stands in the name, the source or the target; letter case does not matter.</param>
public sealed record AccountFilter(long? Batch = null, IReadOnlyList<AccountStatus>? Statuses = null, string? Text = null, IReadOnlyList<long>? Ids = null);

/// <summary>A page of accounts. Pages go on behind the last line of the one before, so a page costs the same however far down it is.</summary>
/// <param name="After">The end of the page before; null for the first page.</param>
public sealed record AccountPage(AccountFilter Filter, AccountSort Sort = AccountSort.Id, bool IsDescending = false, int Limit = 100, PageEnd? After = null);

/// <param name="Value">The sort value of the page's last account.</param>
public readonly record struct PageEnd(string Value, long Id);
