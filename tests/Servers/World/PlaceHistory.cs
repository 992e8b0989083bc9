namespace Imapsync.Servers.Tests.World;

/// <summary>
/// The number of messages that ever arrived in each folder of the source or the target, which determines UIDNEXT. Tells whether a lower
/// UIDNEXT reveals that an older copy of the store was restored.
/// </summary>
internal sealed class PlaceHistory(WorldPlace place)
{
    private readonly List<(string Copy, Dictionary<string, int> Arrivals)> copies = [];
    private readonly List<(string Folder, int Number)> missing = [];

    /// <summary>
    /// Folders whose UIDNEXT a restored older copy has lowered. They assign UIDs a second time, even if no mail was lost.
    /// </summary>
    private readonly HashSet<string> setBack = new(StringComparer.Ordinal);
    private Dictionary<string, int> arrivals = new(StringComparer.Ordinal);
    private MailCounts putBack = new();

    public MailCounts Last { get; private set; } = new();

    public bool HasCopies => copies.Count > 0;

    /// <summary>
    /// Reads and records the store's present mail. Each message that is new since the previous call counts as an arrival.
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
    /// Tells the model which changes a program can't detect if it remembers only how many messages had arrived in each folder.
    /// </summary>
    /// <param name="hidesCounters">Whether the server hides counters such as UIDNEXT and UIDVALIDITY.</param>
    /// <param name="isSource">
    /// Whether the store is the source. There a program also can't detect new mail under UIDs of earlier mail. A deleted folder has no
    /// counters that reveal the restored copy.
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

    /// <summary>Whether a copy of the message arrived after an older copy of the store was last restored.</summary>
    public bool CameSince(string folder, int number) => Last[folder, number] > putBack[folder, number];

    public void Settled()
    {
        missing.Clear();
        setBack.Clear();
    }
}
