using System.ComponentModel;
using System.Diagnostics;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.History;

/// <summary>
/// The status of a job according to its history. Missing information counts as bad: without a recorded success, the job's mail counts as
/// out of date.
/// </summary>
public sealed record JobStanding
{
    /// <summary>
    /// How far in the future a success may lie. A success further in the future was recorded before the clock was set back, so its age is
    /// unknown.
    /// </summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(5);

    /// <summary>The current run, whose process still exists; null for none.</summary>
    public HistoryEntry? Running { get; private init; }

    /// <summary>The last run other than <see cref="Running"/>. If it has no end, it was killed.</summary>
    public HistoryEntry? Last { get; private init; }

    /// <summary>The last run that has ended and was not killed.</summary>
    public HistoryEntry? LastEnded { get; private init; }

    public HistoryEntry? LastSuccess { get; private init; }

    /// <summary>The time since <see cref="LastSuccess"/> ended; null when there was no success.</summary>
    public TimeSpan? Age { get; private init; }

    /// <summary>Whether there was no success within the given maximum age, or none at all.</summary>
    public bool IsOld { get; private init; }

    /// <summary>Whether there is a success in the future, so that the clock has probably been set back.</summary>
    public bool HasClockGoneBack { get; private init; }

    public bool IsLastGood => Last is not null && Last == LastSuccess;

    /// <summary>Whether the last run failed or did not copy everything.</summary>
    public bool IsLastFailed => Last is { Ended: not null, Outcome: JobOutcome.Failed or JobOutcome.Incomplete };

    /// <summary>Whether the job never ran, or its last run was incomplete, interrupted or killed, or is still running.</summary>
    public bool IsUnfinished => Running is not null || !IsLastGood;

    /// <summary>Determines the status from a history.</summary>
    /// <param name="entries">The history's entries, oldest first.</param>
    /// <param name="maxAge">The maximum age of a success; null for no limit.</param>
    /// <param name="isAlive">Returns whether the process that began an entry still exists.</param>
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

    /// <summary>Removes runs that did nothing because another run held the job's lock. They stay until the other run has ended.</summary>
    private static List<HistoryEntry> WithoutOvertaken(List<HistoryEntry> runs)
    {
        var last = runs.FindLastIndex(e => e.Stop != StopReason.Locked && e.Ended is not null);
        return last < 0 ? runs : [.. runs.Where((e, i) => i < last || e.Stop != StopReason.Locked || e.Ended > runs[last].Ended)];
    }

    /// <summary>
    /// Returns whether the entry's process still runs on this machine. A process with the same ID that started after the entry is another
    /// process.
    /// </summary>
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
