using System.Collections.Concurrent;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.State;

/// <summary>
/// The <c>appending</c> piece of the job's state. A run writes it before its first append and deletes it when it ends properly, so it
/// remains after a crash. If it is absent, the state records every message that the job has appended. If the target nevertheless holds an
/// appended message that the state does not record, the state is an older copy that somebody restored. In that case flags are only added at
/// the target, so a flag that was removed at the source would stay at the target. The mark is on disk before the first append, because a
/// power cut would otherwise be mistaken for such a restored state.
/// </summary>
internal sealed class AppendMark
{
    private readonly IStateMedium state;
    private readonly ConcurrentDictionary<FolderPath, bool> targets = new();
    private readonly Lazy<Task<bool>> wasThere;
    private readonly Lazy<Task> marked;

    public AppendMark(IStateMedium state)
    {
        this.state = state;
        wasThere = new(LookAsync);
        marked = new(MarkAsync);
    }

    /// <summary>
    /// Returns true if messages of this target folder that the state does not record may come from an interrupted run or from this run.
    /// </summary>
    public async Task<bool> ExplainsAsync(FolderPath target) => await wasThere.Value || targets.ContainsKey(target);

    /// <summary>
    /// Writes the mark if it does not exist yet, and remembers that this run appends to the folder. Called before the first append to a
    /// folder.
    /// </summary>
    public async Task SetAsync(FolderPath target)
    {
        await marked.Value;
        targets.TryAdd(target, true);
    }

    /// <summary>Removes the mark. Called when all appended messages are recorded.</summary>
    public async Task ClearAsync()
    {
        try
        {
            await state.RemoveAsync(StateName.Appending, CancellationToken.None);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            // The failure is ignored. If the mark stays, the next run merely assumes that this run was interrupted.
        }
    }

    /// <summary>
    /// Returns whether the mark existed when the run began. For a job without a state it returns true, because then there is no state that
    /// could be an older copy.
    /// </summary>
    private async Task<bool> LookAsync() =>
        !await state.ExistsAsync(CancellationToken.None) || await state.HasAsync(StateName.Appending, CancellationToken.None);

    private async Task MarkAsync()
    {
        if (await wasThere.Value)
            return;
        try
        {
            await state.MarkAsync(StateName.Appending, "imapsync-appending 1\n"u8.ToArray(), CancellationToken.None);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            // The failure is ignored here: if the state can't be written, the next commit reports it.
        }
    }
}
