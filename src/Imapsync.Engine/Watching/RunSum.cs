using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Watching;

/// <summary>Sums several runs of a job into one report: their work is added up, the current state is that of the last run.</summary>
public sealed class RunSum
{
    private readonly Dictionary<(FolderPath Source, FolderPath Target), FolderCounts> before = [];

    /// <summary>The summed report; null before the first run.</summary>
    public JobReport? Report { get; private set; }

    public void Add(JobReport run)
    {
        foreach (var folder in Report?.Folders ?? [])
            before[(folder.Source, folder.Target)] = folder.Counts;
        var gone = before.Where(b => !run.Folders.Any(f => (f.Source, f.Target) == b.Key)).Select(b => new FolderReport(b.Key.Source, b.Key.Target, Deeds(b.Value)));
        FolderReport[] folders = [.. run.Folders.Select(f => before.TryGetValue((f.Source, f.Target), out var done) ? f with { Counts = Together(done, f.Counts) } : f), .. gone];
        Report = run with
        {
            Started = Report?.Started ?? run.Started,
            Folders = [.. folders],
            Totals = folders.Aggregate(new FolderCounts(), (sum, f) => sum + f.Counts),
        };
    }

    /// <summary>
    /// Adds up two runs' counts of one folder. The sum of copied, present, skipped and failed messages still equals the messages that the
    /// source shows now.
    /// </summary>
    private static FolderCounts Together(FolderCounts done, FolderCounts now)
    {
        var copied = Math.Min(done.Copied + now.Copied, Math.Max(now.Copied, now.SourceMessages - now.Skipped - now.Failed));
        return now with
        {
            Copied = copied,
            AlreadyPresent = now.AlreadyPresent + now.Copied - copied,
            Adopted = Math.Min(done.Adopted + now.Adopted, now.AlreadyPresent + now.Copied - copied),
            FlagsUpdated = done.FlagsUpdated + now.FlagsUpdated,
            Deleted = done.Deleted + now.Deleted,
            Bytes = done.Bytes + now.Bytes,
        };
    }

    private static FolderCounts Deeds(FolderCounts done) => new() { FlagsUpdated = done.FlagsUpdated, Deleted = done.Deleted, Bytes = done.Bytes };
}
