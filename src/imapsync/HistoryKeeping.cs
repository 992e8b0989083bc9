using Imapsync.Engine.Files;
using Imapsync.Engine.History;
using Imapsync.Engine.Jobs;

namespace Imapsync.CommandLine;

/// <summary>Records one operation in a job's history. A history that can't be written is reported and otherwise ignored.</summary>
internal sealed class HistoryKeeping
{
    private readonly JobHistory? history;
    private readonly HistoryKind kind;
    private readonly bool makesState;
    private readonly string job;
    private readonly Action<string> say;
    private readonly TimeProvider time;
    private HistoryEntry? begun;
    private DateTimeOffset? beganUnnoted;

    /// <param name="isKept">Whether to record the operation; false for a dry run.</param>
    /// <param name="say">Called with the text of an error.</param>
    public HistoryKeeping(HostContext surroundings, JobDefinition job, HistoryKind kind, bool isKept, Action<string> say)
    {
        // A restore has its own state directory per target, but is recorded in the backup's history, where people look for it.
        history = isKept ? surroundings.HistoryOf?.Invoke(job.Restores?.Backup.StateDirectory ?? job.StateDirectory) : null;
        this.kind = job.IsRestore ? HistoryKind.Restore : kind;
        makesState = this.kind == HistoryKind.Run;
        this.job = job.Name;
        this.say = say;
        time = surroundings.Time;
    }

    public Task BeginAsync() => TryAsync(async () =>
    {
        if (history is null)
            return;
        beganUnnoted = time.GetUtcNow();
        begun = await history.BeginAsync(kind, makesState, CancellationToken.None);
        beganUnnoted = null;
    });

    /// <summary>
    /// Records the end of the operation. If its start could not be recorded earlier, the start is recorded now. Otherwise the previous run
    /// would appear to be the last one.
    /// </summary>
    /// <param name="end">Adds the end to the entry.</param>
    public Task EndAsync(Func<HistoryEntry, HistoryEntry> end) => TryAsync(async () =>
    {
        if (beganUnnoted is { } began && await history!.BeginAsync(kind, makesState, CancellationToken.None) is { } late)
            begun = late with { Began = began };
        if (begun is not null)
            await history!.EndAsync(end(begun), CancellationToken.None);
    });

    /// <summary>Records an operation that has ended already, both its start and its end.</summary>
    public Task AddAsync(DateTimeOffset began, Func<HistoryEntry, HistoryEntry> end)
    {
        beganUnnoted = history is null ? null : began;
        return EndAsync(end);
    }

    private async Task TryAsync(Func<Task> write)
    {
        try
        {
            await write();
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            say($"{job}: the history could not be written: {FileErrors.Explain(e)}");
        }
    }
}
