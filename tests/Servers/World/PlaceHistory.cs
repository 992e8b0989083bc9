namespace Imapsync.Servers.Tests.World;

/// <summary>
/// What came to the folders of one place, as far as its UIDs go: whether somebody who remembers how far they were can know, by
/// that alone, that the place was put back from an older copy.
/// </summary>
internal sealed class PlaceHistory(WorldPlace place)
{
    private readonly List<(string Copy, Dictionary<string, int> Arrivals)> copies = [];
    private readonly List<(string Folder, int Number)> missing = [];
    private Dictionary<string, int> arrivals = new(StringComparer.Ordinal);
    private MailCounts putBack = new();

    public MailCounts Last { get; private set; } = new();

    public bool HasCopies => copies.Count > 0;

    public bool WasPutBack => missing.Count > 0;

    /// <summary>Looks at what there is by now.</summary>
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
        (arrivals, putBack) = (new Dictionary<string, int>(then, StringComparer.Ordinal), place.Read());
        missing.AddRange(Last.All.Where(m => m.Count > putBack[m.Folder, m.Number]).Select(m => (m.Folder, m.Number)));
        Last = putBack;
        return Path.GetFileName(copy);
    }

    /// <summary>Leaves open what nobody who remembers these arrivals can see.</summary>
    /// <param name="hidesCounters">They are not told at all.</param>
    /// <param name="isSource">What came under UIDs known before is hidden as well, and a folder that is not there any more has no counters.</param>
    public void Open(WorldModel model, Dictionary<string, int> remembered, bool hidesCounters, bool isSource)
    {
        foreach (var folder in missing.Select(m => m.Folder).Distinct(StringComparer.Ordinal).ToList())
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

            foreach (var number in isSource && place.Server is not null ? Last.In(folder).Where(n => Last[folder, n] > putBack[folder, n]) : [])
                model.MayGo(folder, number);
        }
    }

    public void Settled() => missing.Clear();
}
