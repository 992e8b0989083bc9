namespace Imapsync.Servers.Tests.World;

/// <summary>
/// The history of one store, the source or the target: how many messages have arrived in each folder, which determines UIDNEXT. Tells
/// whether a program that remembers an earlier UIDNEXT can notice by it that the store was restored from an older copy.
/// </summary>
internal sealed class PlaceHistory(WorldPlace place)
{
    private readonly List<(string Copy, Dictionary<string, int> Arrivals)> copies = [];
    private readonly List<(string Folder, int Number)> missing = [];

    /// <summary>
    /// Folders in which UIDNEXT decreased because an older copy was restored. There UIDs are assigned a second time, even if the restore
    /// lost no mail.
    /// </summary>
    private readonly HashSet<string> setBack = new(StringComparer.Ordinal);
    private Dictionary<string, int> arrivals = new(StringComparer.Ordinal);
    private MailCounts putBack = new();

    public MailCounts Last { get; private set; } = new();

    public bool HasCopies => copies.Count > 0;

    /// <summary>
    /// Reads the store and records its present mail. Counts each message that was not there at the previous call as an arrival.
    /// </summary>
    public MailCounts Look()
    {
        var now = place.Read();
        foreach (var (folder, number, count) in now.All)
        {
            if (count > Last[folder, number])
                arrivals[folder] = arrivals.GetValueOrDefault(folder) + count - Last[folder, number];
        }

        return Last = now;
    }

    public Dictionary<string, int> Arrivals() => new(arrivals, StringComparer.Ordinal);

    public async Task BackUpAsync() => copies.Add((await place.BackUpAsync(), Arrivals()));

    public async Task<string> PutBackAsync(Random random)
    {
        var (copy, then) = copies[random.Next(copies.Count)];
        await place.PutBackAsync(copy);
        setBack.UnionWith(arrivals.Where(a => a.Value > then.GetValueOrDefault(a.Key)).Select(a => a.Key));
        (arrivals, putBack) = (new Dictionary<string, int>(then, StringComparer.Ordinal), place.Read());
        missing.AddRange(Last.All.Where(m => m.Count > putBack[m.Folder, m.Number]).Select(m => (m.Folder, m.Number)));
        Last = putBack;
        return Path.GetFileName(copy);
    }

    /// <summary>
    /// Tells the model which changes a program can't detect if all it remembers is how many messages had arrived in each folder (which
    /// determines UIDNEXT).
    /// </summary>
    /// <param name="hidesCounters">Whether the server hides the counters (UIDNEXT, UIDVALIDITY and the like) from the program.</param>
    /// <param name="isSource">
    /// Whether the store is the source. If so, new mail that got UIDs of earlier mail is undetectable too, and a deleted folder has no
    /// counters that could reveal the restore.
    /// </param>
    public void Open(WorldModel model, Dictionary<string, int> remembered, bool hidesCounters, bool isSource)
    {
        foreach (var folder in missing.Select(m => m.Folder).Union(setBack, StringComparer.Ordinal).ToList())
        {
            if (!remembered.TryGetValue(folder, out var known) || (!hidesCounters && arrivals.GetValueOrDefault(folder) < known && !(isSource && !Last.Folders.Contains(folder))))
                continue;
            foreach (var (_, number) in missing.Where(m => m.Folder == folder))
            {
                if (isSource)
                    model.MayGo(folder, number);
                else
                    model.MayBeMissing(folder, number);
            }

            foreach (var number in isSource && place.Server is not null ? Last.In(folder).Where(n => CameSince(folder, n)) : [])
                model.MayGo(folder, number);
        }
    }

    /// <summary>Returns whether a copy of the message arrived after the store was last restored from an older copy.</summary>
    public bool CameSince(string folder, int number) => Last[folder, number] > putBack[folder, number];

    public void Settled()
    {
        missing.Clear();
        setBack.Clear();
    }
}
