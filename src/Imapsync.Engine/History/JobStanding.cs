using System.ComponentModel;
using System.Diagnostics;

namespace Imapsync.Engine.History;

/// <summary>How a job stands, by its history. What is not known counts as bad.</summary>
public sealed record JobStanding
{
    /// <summary>A success that lies further ahead is from before the clock went back, and how old it is nobody knows.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(5);

    /// <summary>A run that goes on, by its process.</summary>
    public HistoryEntry? Running { get; private init; }

    /// <summary>The last run but <see cref="Running"/>; one without an end was killed.</summary>
    public HistoryEntry? Last { get; private init; }

    /// <summary>The last run that was not killed.</summary>
    public HistoryEntry? LastEnded { get; private init; }

    public HistoryEntry? LastSuccess { get; private init; }

    /// <summary>Since <see cref="LastSuccess"/> ended; null where there was none.</summary>
    public TimeSpan? Age { get; private init; }

    /// <summary>No success, or none within the age that was given.</summary>
    public bool IsOld { get; private init; }

    /// <summary>There is a success that the clock says is yet to come.</summary>
    public bool HasClockGoneBack { get; private init; }

    public bool IsLastGood => Last is not null && Last == LastSuccess;

    /// <param name="entries">The oldest first.</param>
    /// <param name="maxAge">Null for any.</param>
    /// <param name="isAlive">Whether the process that began an entry is there still.</param>
    public static JobStanding Of(IReadOnlyList<HistoryEntry> entries, DateTimeOffset now, TimeSpan? maxAge, Func<HistoryEntry, bool> isAlive)
    {
        var runs = entries.Where(e => e.Kind == HistoryKind.Run).ToList();
        var running = runs.LastOrDefault(e => e.Ended is null && isAlive(e));
        var success = runs.LastOrDefault(e => e.IsSuccess && e.Ended <= now + ClockTolerance);
        TimeSpan? age = success is null ? null : TimeSpan.FromTicks(Math.Max(0, (now - success.Ended!.Value).Ticks));
        return new JobStanding
        {
            Running = running,
            Last = runs.LastOrDefault(e => e != running),
            LastEnded = runs.LastOrDefault(e => e.Ended is not null),
            LastSuccess = success,
            Age = age,
            IsOld = age is null || age > maxAge,
            HasClockGoneBack = runs.Exists(e => e.IsSuccess && e.Ended > now + ClockTolerance),
        };
    }

    /// <summary>On this machine, and begun before the entry: a later process has only the same number.</summary>
    public static bool IsAlive(HistoryEntry entry)
    {
        if (entry.Process is not { } began || began.Host != Environment.MachineName)
            return false;
        try
        {
            using var process = Process.GetProcessById(began.Id);
            return new DateTimeOffset(process.StartTime) <= entry.Began + TimeSpan.FromSeconds(2);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or Win32Exception)
        {
            return false;
        }
    }
}
