namespace Imapsync.Servers.Tests.World;

/// <summary>The number of copies of each message in each folder.</summary>
internal sealed class MailCounts
{
    private readonly Dictionary<string, Dictionary<int, int>> folders = new(StringComparer.Ordinal);

    public IReadOnlyCollection<string> Folders => folders.Keys;

    public int this[string folder, int number] => folders.TryGetValue(folder, out var all) ? all.GetValueOrDefault(number) : 0;

    public IEnumerable<(string Folder, int Number, int Count)> All => folders.SelectMany(f => f.Value.Select(m => (f.Key, m.Key, m.Value)));

    public IEnumerable<int> In(string folder) => folders.TryGetValue(folder, out var all) ? all.Keys : [];

    public int Total(int number) => folders.Values.Sum(f => f.GetValueOrDefault(number));

    public int Total() => folders.Values.Sum(f => f.Values.Sum());

    public void AddFolder(string folder) => folders.TryAdd(folder, []);

    public void Add(string folder, int number, int count = 1)
    {
        AddFolder(folder);
        folders[folder][number] = folders[folder].GetValueOrDefault(number) + count;
    }

    /// <summary>Returns the smaller of the two counts for each message and folder.</summary>
    public MailCounts Common(MailCounts other)
    {
        var result = new MailCounts();
        foreach (var (folder, number, count) in All)
        {
            if (Math.Min(count, other[folder, number]) is > 0 and var least)
                result.Add(folder, number, least);
        }

        return result;
    }

    public bool IsSameAs(MailCounts other) => Exceeds(other) is null && other.Exceeds(this) is null;

    public override string ToString() => string.Join("; ", folders.OrderBy(f => f.Key, StringComparer.Ordinal)
        .Select(f => $"{f.Key}: {string.Join(' ', f.Value.OrderBy(m => m.Key).Select(m => m.Value == 1 ? $"{m.Key}" : $"{m.Key}×{m.Value}"))}"));

    private (string Folder, int Number)? Exceeds(MailCounts other) =>
        All.Where(m => m.Count > other[m.Folder, m.Number]).Select(m => ((string, int)?)(m.Folder, m.Number)).FirstOrDefault();
}
