namespace Imapsync.Fleet.Listing;

/// <summary>A batch as people see it. Times are milliseconds since 1970.</summary>
public sealed record BatchView(long Id, string Name, int Priority, string? Schedule, string? Zone, long? NextRun, bool IsPaused, long Created)
{
    /// <summary>How many accounts have each status.</summary>
    public required IReadOnlyDictionary<AccountStatus, long> Counts { get; init; }

    public long Planned { get; init; }

    public long Copied { get; init; }

    public long Bytes { get; init; }
}

/// <summary>An account as people see it. Times are milliseconds since 1970.</summary>
/// <param name="Problem">A sentence about the first problem; null for none.</param>
public sealed record AccountView(
    long Id, long Batch, string Name, string Source, string Target, AccountStatus Status, Wanted Wanted, int Priority, long DueAt, long Attempt,
    long Planned, long Copied, long Bytes, long Problems, long? Began, long? Ended, string? Problem, string? Worker, string? Folder);

public sealed record AccountEvent(long At, string Text);

/// <summary>A line of an account's log.</summary>
public sealed record LogLine(long Attempt, long At, string Text);

/// <summary>How much all workers copied in an interval.</summary>
/// <param name="At">When the interval began, in milliseconds since 1970.</param>
public sealed record ThroughputSample(long At, long Messages, long Octets);

/// <param name="Held">How many accounts the worker has.</param>
/// <param name="IsDraining">Whether the worker accepts no more accounts.</param>
/// <param name="IsAlive">Whether the worker has reported lately; a silent worker gets no accounts.</param>
public sealed record WorkerView(string Id, int Slots, int Held, string Version, bool IsDraining, long Seen, bool IsAlive)
{
    /// <summary>The accounts that the worker has.</summary>
    public IReadOnlyList<HeldAccount> Accounts { get; init; } = [];
}

/// <summary>An account that a worker has.</summary>
public sealed record HeldAccount(long Id, string Name, AccountStatus Status, long Planned, long Copied, string Folder);

/// <param name="Connections">The most connections at once; null for no limit, 0 if the host must not be used.</param>
/// <param name="Claimed">How many connections are reserved for accounts that workers have.</param>
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

/// <summary>Selects accounts: all conditions that are given must hold.</summary>
/// <param name="Text">A text that the name, the source or the target must contain, in any letter case.</param>
public sealed record AccountFilter(long? Batch = null, IReadOnlyList<AccountStatus>? Statuses = null, string? Text = null, IReadOnlyList<long>? Ids = null);

/// <summary>A page of accounts. It begins after the last account of the previous page, so that every page costs the same to read.</summary>
/// <param name="After">The end of the page before; null for the first page.</param>
public sealed record AccountPage(AccountFilter Filter, AccountSort Sort = AccountSort.Id, bool IsDescending = false, int Limit = 100, PageEnd? After = null);

/// <param name="Value">The sort value of the page's last account.</param>
public readonly record struct PageEnd(string Value, long Id);
