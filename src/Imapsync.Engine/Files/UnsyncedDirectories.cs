namespace Imapsync.Engine.Files;

/// <summary>
/// Collects directories that contain new names and are not synced yet, so that many new names in one directory need one sync. <see
/// cref="Sync"/> has to be called before such a name counts as durable.
/// </summary>
internal sealed class UnsyncedDirectories
{
    private readonly HashSet<string> waiting = [];
    private readonly Lock syncing = new();

    /// <summary>Records a directory. Call it after creating the name, because a sync in progress might miss a name created later.</summary>
    public void Add(string directory)
    {
        lock (waiting)
            waiting.Add(directory);
    }

    /// <summary>
    /// Syncs the recorded directories. When this returns, every name recorded before the call is durable. If a sync fails, the next caller
    /// repeats it.
    /// </summary>
    public void Sync()
    {
        // A caller waits here while another one syncs, since that sync may include the caller's own names.
        lock (syncing)
        {
            foreach (var directory in Taken())
            {
                try
                {
                    Posix.SyncDirectory(directory);
                }
                catch
                {
                    Add(directory);
                    throw;
                }
            }
        }
    }

    private IEnumerable<string> Taken()
    {
        while (true)
        {
            string? next;
            lock (waiting)
            {
                next = waiting.FirstOrDefault();
                if (next is null)
                    yield break;
                waiting.Remove(next);
            }

            yield return next;
        }
    }
}
