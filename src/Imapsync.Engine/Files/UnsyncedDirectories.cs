namespace Imapsync.Engine.Files;

/// <summary>
/// Directories that have got names and are not synced yet: many names in one directory cost one sync. Whoever promises that such a name
/// lasts calls <see cref="Sync"/> before.
/// </summary>
internal sealed class UnsyncedDirectories
{
    private readonly HashSet<string> waiting = [];
    private readonly Lock syncing = new();

    /// <summary>After the name was made, not before: a sync under way might miss it.</summary>
    public void Add(string directory)
    {
        lock (waiting)
            waiting.Add(directory);
    }

    /// <summary>When this returns, every name told of before lasts, whoever synced it. What fails is tried again by the next one.</summary>
    public void Sync()
    {
        // Whoever comes while another syncs waits for that: the names may be its own.
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
