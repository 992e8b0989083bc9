using System.Globalization;

namespace Imapsync.Engine.Jobs;

/// <summary>How many points in time of a Maildir are kept: of each of the last so many days, weeks, months and years that have one, the newest.</summary>
public sealed record SnapshotPolicy(int Daily, int Weekly, int Monthly, int Yearly)
{
    /// <summary>Where they lie, absolute; null for beside the target.</summary>
    public string? Directory { get; init; }

    private (int Count, Func<DateTimeOffset, int> Bucket)[] Periods =>
    [
        (Daily, t => (t.Year * 1000) + t.DayOfYear),
        (Weekly, t => (ISOWeek.GetYear(t.DateTime) * 100) + ISOWeek.GetWeekOfYear(t.DateTime)),
        (Monthly, t => (t.Year * 100) + t.Month),
        (Yearly, t => t.Year),
    ];

    /// <summary>True where a point of now would be the first of its day, or of its week where none are kept by day, and so on.</summary>
    /// <param name="newest">The newest there is, in local time as <paramref name="now"/>; null for none.</param>
    public bool IsDue(DateTimeOffset? newest, DateTimeOffset now)
    {
        var finest = Array.Find(Periods, p => p.Count > 0).Bucket;
        return finest is not null && (newest is not { } last || finest(last) != finest(now));
    }

    /// <summary>Which of these are kept.</summary>
    /// <param name="times">In local time, in any order.</param>
    public IReadOnlySet<DateTimeOffset> Keep(IEnumerable<DateTimeOffset> times)
    {
        var newestFirst = times.OrderDescending().ToList();
        return Periods.SelectMany(p => newestFirst.GroupBy(p.Bucket).Select(g => g.First()).Take(p.Count)).ToHashSet();
    }
}
