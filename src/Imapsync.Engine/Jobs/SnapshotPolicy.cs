using System.Globalization;

namespace Imapsync.Engine.Jobs;

/// <summary>
/// Which snapshots of a Maildir are kept. A <c>Daily</c> of 7 keeps the newest snapshot of each of the 7 most recent days that have one.
/// Weeks, months and years work in the same way.
/// </summary>
public sealed record SnapshotPolicy(int Daily, int Weekly, int Monthly, int Yearly)
{
    /// <summary>The absolute path of the snapshots' directory; null for a directory beside the target.</summary>
    public string? Directory { get; init; }

    private (int Count, Func<DateTimeOffset, int> Bucket)[] Periods =>
    [
        (Daily, t => (t.Year * 1000) + t.DayOfYear),
        (Weekly, t => (ISOWeek.GetYear(t.DateTime) * 100) + ISOWeek.GetWeekOfYear(t.DateTime)),
        (Monthly, t => (t.Year * 100) + t.Month),
        (Yearly, t => t.Year),
    ];

    /// <summary>
    /// Returns whether a snapshot now would be the first of its day; or of its week, month or year, if none are kept for the shorter
    /// periods.
    /// </summary>
    /// <param name="newest">The time of the newest snapshot, in local time like <paramref name="now"/>; null for none.</param>
    public bool IsDue(DateTimeOffset? newest, DateTimeOffset now)
    {
        var finest = Array.Find(Periods, p => p.Count > 0).Bucket;
        return finest is not null && (newest is not { } last || finest(last) != finest(now));
    }

    /// <summary>Returns which of the snapshots are kept.</summary>
    /// <param name="times">The times of the snapshots, in local time and in any order.</param>
    public IReadOnlySet<DateTimeOffset> Keep(IEnumerable<DateTimeOffset> times)
    {
        var newestFirst = times.OrderDescending().ToList();
        return Periods.SelectMany(p => newestFirst.GroupBy(p.Bucket).Select(g => g.First()).Take(p.Count)).ToHashSet();
    }
}
