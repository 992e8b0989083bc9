using Imapsync.CommandLine.Output;
using Imapsync.Engine.History;
using Imapsync.Engine.Reading;

namespace Imapsync.CommandLine.Pages;

/// <summary>What there is to tell of one job.</summary>
/// <param name="Entries">The oldest first.</param>
/// <param name="Census">Of its target; null where there is none to be read.</param>
/// <param name="Remarks">What could not be read, and why.</param>
internal sealed record JobStory(
    string Name, string Source, string Target, IReadOnlyList<HistoryEntry> Entries, JobStanding Standing, MailCensus? Census, IReadOnlyList<string> Remarks)
{
    /// <summary>Runs that came to an end, the oldest first.</summary>
    public IReadOnlyList<HistoryEntry> Runs { get; } = [.. Entries.Where(e => e is { Kind: HistoryKind.Run, Ended: not null })];

    /// <summary>Of these it is known what the source held.</summary>
    public IReadOnlyList<HistoryEntry> Counted { get; } = [.. Entries.Where(e => e is { Kind: HistoryKind.Run, Ended: not null, FolderCount: > 0 })];

    /// <summary>With what was left out of the history since.</summary>
    public long CopiedMessages => Runs.Sum(e => e.Totals.Copied + e.LeftOut.Copied);

    /// <inheritdoc cref="CopiedMessages"/>
    public long CopiedBytes => Runs.Sum(e => e.Totals.Bytes + e.LeftOut.Bytes);

    /// <summary>The last one with problems.</summary>
    public HistoryEntry? Failed => Entries.LastOrDefault(e => e.Problems.Length > 0);

    public string State => Standing.IsLastGood ? "all in place" : Standing.Last is { } last ? StatusText.Outcome(last) : "never run";

    /// <summary>How many messages more the source held lately than a time before, or than when the history begins; null where that is not known.</summary>
    public (long Messages, DateTimeOffset Since)? Growth(TimeSpan time)
    {
        if (Counted is not [.., var last])
            return null;
        var before = Counted.LastOrDefault(e => e.Began <= last.Began - time) ?? Counted[0];
        return before == last ? null : (last.Totals.SourceMessages - before.Totals.SourceMessages, before.Began);
    }
}
