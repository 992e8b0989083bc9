using System.Globalization;
using Imapsync.Engine.Progress;
using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Working;

/// <summary>
/// The lines of an attempt's log that are not in the database yet. It keeps as many lines as the database does for an account, and drops
/// the oldest.
/// </summary>
internal sealed class AttemptLog(TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Queue<(long Number, long At, string Words)> lines = [];
    private long number;

    /// <summary>The lines that are not stored yet, oldest first.</summary>
    public IReadOnlyList<AttemptLine> Pending
    {
        get
        {
            lock (gate)
                return [.. lines.Select(l => new AttemptLine(l.Number, (long)time.GetElapsedTime(l.At).TotalMilliseconds, l.Words))];
        }
    }

    public void Add(JobEvent happened)
    {
        if (TextOf(happened) is not { } text)
            return;
        lock (gate)
        {
            lines.Enqueue((++number, time.GetTimestamp(), text.ReplaceLineEndings(" ")));
            if (lines.Count > FleetStore.LinesKept)
                lines.Dequeue();
        }
    }

    /// <summary>
    /// Removes the lines that are in the database now: those up to the number of the last line in <paramref name="written"/>.
    /// </summary>
    public void Written(IReadOnlyList<AttemptLine> written)
    {
        lock (gate)
        {
            while (written.Count > 0 && lines.TryPeek(out var line) && line.Number <= written[^1].Number)
                lines.Dequeue();
        }
    }

    /// <summary>Describes an event in words; null for an event that gets no line.</summary>
    private static string? TextOf(JobEvent happened) => happened switch
    {
        FoldersPlanned e => $"{Count(e.Pairs, "folder")} with {Count(e.Messages, "message")}",
        FolderStarted { ToCopy: > 0 } e => $"{e.Source}: {Count(e.ToCopy, "message")} to copy",
        FolderFinished { Folder.Counts: { Copied: > 0 } or { Failed: > 0 } or { Deleted: > 0 } } e =>
            $"{e.Folder.Source}: {Count(e.Folder.Counts.Copied, "message")} copied, {e.Folder.Counts.AlreadyPresent.ToString("N0", CultureInfo.InvariantCulture)} in place already, {e.Folder.Counts.Failed.ToString("N0", CultureInfo.InvariantCulture)} failed",
        NoteRaised e => $"note: {(e.Folder is null ? "" : $"{e.Folder}: ")}{e.Text}",
        ProblemFound e => $"problem: {(e.Problem.Folder is null ? "" : $"{e.Problem.Folder}: ")}{(e.Problem.Uid is { } uid ? $"message {uid}: " : "")}{e.Problem.Text}",
        Waiting e => string.Create(CultureInfo.InvariantCulture, $"waits until {e.Wait.Until.ToUniversalTime():HH:mm:ss} UTC: {e.Wait.Reason}"),
        Queued e => $"waits: {e.Reason}",
        _ => null,
    };

    private static string Count(long count, string noun) => $"{count.ToString("N0", CultureInfo.InvariantCulture)} {noun}{(count == 1 ? "" : "s")}";
}
