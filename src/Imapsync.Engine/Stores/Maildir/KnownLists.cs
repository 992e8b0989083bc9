using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>
/// Uidlists of folders that were just closed, for whoever opens them next: as a rule to look whether all is in place. One is read again
/// where its file has changed since, as by a folder that stays open. A few, since large ones take memory.
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

    /// <summary>Gives it away: from here on it is the caller's alone.</summary>
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
