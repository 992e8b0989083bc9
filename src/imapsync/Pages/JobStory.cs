using Imapsync.CommandLine.Output;
using Imapsync.Engine.History;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Reading;

namespace Imapsync.CommandLine.Pages;

/// <summary>The data about one job for the report page.</summary>
/// <param name="Entries">The history's entries, oldest first.</param>
/// <param name="Census">The statistics of the target's mail; null when they were not taken.</param>
/// <param name="Remarks">Errors in reading the data.</param>
internal sealed record JobStory(
    string Name, string Source, string Target, IReadOnlyList<HistoryEntry> Entries, JobStanding Standing, MailCensus? Census, IReadOnlyList<string> Remarks)
{
    /// <summary>The runs that have ended, oldest first.</summary>
    public IReadOnlyList<HistoryEntry> Runs { get; } = [.. Entries.Where(e => e is { Kind: HistoryKind.Run, Ended: not null })];

    /// <summary>The ended runs that reached all folders, so that the source's number of messages is known.</summary>
    public IReadOnlyList<HistoryEntry> Counted { get; } = [.. Entries.Where(e => e is { Kind: HistoryKind.Run, Ended: not null, FolderCount: > 0, Stop: StopReason.None })];

    /// <summary>The number of messages copied by all runs, including those no longer in the history.</summary>
    public long CopiedMessages => Runs.Sum(e => e.Totals.Copied + e.LeftOut.Copied);

    /// <summary>The number of octets copied by all runs, including those no longer in the history.</summary>
    public long CopiedBytes => Runs.Sum(e => e.Totals.Bytes + e.LeftOut.Bytes);

    /// <summary>The last entry with problems.</summary>
    public HistoryEntry? Failed => Entries.LastOrDefault(e => e.Problems.Length > 0);

    public string State => Standing.IsLastGood ? "all in place" : Standing.Last is { } last ? StatusText.Outcome(last) : "never run";

    /// <summary>
    /// Returns the growth of the source's number of messages over a period, or since the beginning of the history; null when unknown.
    /// </summary>
    public (long Messages, DateTimeOffset Since)? Growth(TimeSpan time)
    {
        if (Counted is not [.., var last])
            return null;
        var before = Counted.LastOrDefault(e => e.Began <= last.Began - time) ?? Counted[0];
        return before == last ? null : (last.Totals.SourceMessages - before.Totals.SourceMessages, before.Began);
    }
}
