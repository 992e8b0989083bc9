using Imapsync.Engine.Files;
using Imapsync.Engine.History;
using Imapsync.Engine.Jobs;

namespace Imapsync.CommandLine;

/// <summary>Adds one thing that is done with a job to the job's history. A history that can't be written is told, and harms nothing.</summary>
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

    /// <param name="isKept">False where nothing is to be noted: a dry run.</param>
    /// <param name="say">Told what went wrong.</param>
    public HistoryKeeping(HostContext surroundings, JobDefinition job, HistoryKind kind, bool isKept, Action<string> say)
    {
        // A restore has a state of its own, for each target; people ask for the history of the backup.
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

    /// <summary>Where the beginning could not be noted, this tries again: else the run before would pass for the last.</summary>
    /// <param name="end">Gives the entry its end.</param>
    public Task EndAsync(Func<HistoryEntry, HistoryEntry> end) => TryAsync(async () =>
    {
        if (beganUnnoted is { } began && await history!.BeginAsync(kind, makesState, CancellationToken.None) is { } late)
            begun = late with { Began = began };
        if (begun is not null)
            await history!.EndAsync(end(begun), CancellationToken.None);
    });

    /// <summary>Adds what was done already.</summary>
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
