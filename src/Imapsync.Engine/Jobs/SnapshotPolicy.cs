using System.Globalization;

namespace Imapsync.Engine.Jobs;

/// <summary>
/// How many snapshots of a Maildir are kept: the newest one of each of the given number of recent days, weeks, months and years that have one.
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
    /// Returns whether a snapshot now would be the first of its period: of its day, or of its week if no daily ones are kept, and so on.
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
