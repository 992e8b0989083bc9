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

public sealed record WorkerView(string Id, int Slots, int Held, string Version, bool IsDraining, long Seen, bool IsAlive);

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
