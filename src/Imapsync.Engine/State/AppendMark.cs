using System.Collections.Concurrent;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.State;

/// <summary>
/// The file <c>appending</c> in the job's state: there while a run appends messages, and after one that did not come to a good end. Where it is
/// missing all that was ever appended is recorded; so what lies at the target all the same, and is ours, was appended after this state: it is an
/// older one that was put back. It is durable before anything is appended: else a power cut would look like an older state, and what was unflagged
/// at the source would stay flagged at the target.
/// </summary>
internal sealed class AppendMark(string stateDirectory)
{
    private readonly string path = Path.Combine(stateDirectory, StateDirectory.AppendingName);
    private readonly Lock turn = new();
    private readonly ConcurrentDictionary<FolderPath, bool> targets = new();
    private readonly Lazy<bool> wasThere = new(() => !Directory.Exists(stateDirectory) || File.Exists(Path.Combine(stateDirectory, StateDirectory.AppendingName)));

    /// <summary>What no record speaks of in this folder may come from a run that was interrupted, or from this one.</summary>
    public bool Explains(FolderPath target) => wasThere.Value || targets.ContainsKey(target);

    /// <summary>Before the first append to a folder.</summary>
    public void Set(FolderPath target)
    {
        _ = wasThere.Value;
        // Whoever comes second waits until it is written.
        lock (turn)
        {
            if (!targets.TryAdd(target, true) || targets.Count > 1 || File.Exists(path) || !Directory.Exists(stateDirectory))
                return;
            try
            {
                using (var file = Posix.CreateAnew(path))
                {
                    Posix.Write(file, path, "imapsync-appending 1\n"u8, 0);
                    RandomAccess.FlushToDisk(file);
                }

                Posix.SyncDirectory(stateDirectory);
            }
            catch (Exception e) when (FileErrors.Is(e))
            {
                // A state that can't be written to says so at the next commit.
            }
        }
    }

    /// <summary>All that was appended is recorded.</summary>
    public void Clear()
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            // It stays, and the next run takes it for an interrupted one's.
        }
    }
}
