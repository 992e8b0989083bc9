using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>
/// Keeps the uidlists of the folders closed last, because these folders are usually opened again soon for a check. A list is read again if
/// its file has changed. Only a few are kept, because large lists take much memory.
/// </summary>
internal sealed class KnownLists
{
    private const int Most = 4;
    private readonly List<(FolderPath Path, UidList List)> known = [];

    public void Keep(FolderPath path, UidList list)
    {
        lock (known)
        {
            known.RemoveAll(k => k.Path.Equals(path));
            if (known.Count == Most)
                known.RemoveAt(0);
            known.Add((path, list));
        }
    }

    /// <summary>Removes and returns a folder's list, which belongs to the caller alone from then on.</summary>
    public UidList? Take(FolderPath path)
    {
        lock (known)
        {
            var at = known.FindIndex(k => k.Path.Equals(path));
            if (at < 0)
                return null;
            var list = known[at].List;
            known.RemoveAt(at);
            return list;
        }
    }
}
