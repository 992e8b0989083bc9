namespace Imapsync.Engine.Files;

/// <summary>
/// Directories that contain new names and are not synced yet: many names in one directory cost one sync. <see cref="Sync"/> has to be called
/// before anybody is promised that such a name is durable.
/// </summary>
internal sealed class UnsyncedDirectories
{
    private readonly HashSet<string> waiting = [];
    private readonly Lock syncing = new();

    /// <summary>Records a directory; to be called after the name was created and not before, since a sync in progress might miss it.</summary>
    public void Add(string directory)
    {
        lock (waiting)
            waiting.Add(directory);
    }

    /// <summary>
    /// When this returns, every name recorded before is durable, whichever caller synced it. A failed sync is repeated by the next caller.
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
