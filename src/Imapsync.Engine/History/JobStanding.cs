using System.ComponentModel;
using System.Diagnostics;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

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

    /// <summary>The last run failed, or left something that is not in place.</summary>
    public bool IsLastFailed => Last is { Ended: not null, Outcome: JobOutcome.Failed or JobOutcome.Incomplete };

    /// <summary>Never run, not all in place, interrupted, killed, or still going on.</summary>
    public bool IsUnfinished => Running is not null || !IsLastGood;

    /// <param name="entries">The oldest first.</param>
    /// <param name="maxAge">Null for any.</param>
    /// <param name="isAlive">Whether the process that began an entry is there still.</param>
    public static JobStanding Of(IReadOnlyList<HistoryEntry> entries, DateTimeOffset now, TimeSpan? maxAge, Func<HistoryEntry, bool> isAlive)
    {
        var runs = WithoutOvertaken([.. entries.Where(e => e.Kind == HistoryKind.Run)]);
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

    /// <summary>A run that found the job locked did nothing, and no longer matters once the run that had it has ended.</summary>
    private static List<HistoryEntry> WithoutOvertaken(List<HistoryEntry> runs)
    {
        var last = runs.FindLastIndex(e => e.Stop != StopReason.Locked && e.Ended is not null);
        return last < 0 ? runs : [.. runs.Where((e, i) => i < last || e.Stop != StopReason.Locked || e.Ended > runs[last].Ended)];
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
