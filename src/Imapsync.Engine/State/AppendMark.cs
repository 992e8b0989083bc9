using System.Collections.Concurrent;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.State;

/// <summary>
/// The piece <c>appending</c> of the job's state: there while a run appends messages, and after one that did not come to a good end. Where it is
/// missing all that was ever appended is recorded; so what lies at the target all the same, and is ours, was appended after this state: it is an
/// older one that was put back. It is durable before anything is appended: else a power cut would look like an older state, and what was unflagged
/// at the source would stay flagged at the target.
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

    /// <summary>What no record speaks of in this folder may come from a run that was interrupted, or from this one.</summary>
    public async Task<bool> ExplainsAsync(FolderPath target) => await wasThere.Value || targets.ContainsKey(target);

    /// <summary>Before the first append to a folder.</summary>
    public async Task SetAsync(FolderPath target)
    {
        await marked.Value;
        targets.TryAdd(target, true);
    }

    /// <summary>All that was appended is recorded.</summary>
    public async Task ClearAsync()
    {
        try
        {
            await state.RemoveAsync(StateName.Appending, CancellationToken.None);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            // It stays, and the next run takes it for an interrupted one's.
        }
    }

    /// <summary>As the run found it. A job without a state has nothing to be old.</summary>
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
            // A state that can't be written to says so at the next commit.
        }
    }
}
