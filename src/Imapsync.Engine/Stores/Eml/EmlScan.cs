using System.Collections;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.MailFiles;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>The files in a folder's directory, held against the folder's index.</summary>
internal sealed class EmlScan
{
    /// <summary>File systems of Windows record times to two seconds.</summary>
    private const long TimeSteps = 2 * TimeSpan.TicksPerSecond;

    private readonly BitArray there;

    private EmlScan(int count) => there = new BitArray(count);

    /// <summary>Messages whose file somebody has renamed, by their position in the index, with the file's name now.</summary>
    public List<(int At, string Name)> Renamed { get; } = [];

    /// <summary>Files that the index lacks, in order of their names.</summary>
    public List<FileInfo> Found { get; private set; } = [];

    public static EmlScan Of(string directory, EmlIndex index, LeftOut leftOut)
    {
        var scan = new EmlScan(index.Count);
        foreach (var file in EmlTree.Messages(directory, leftOut))
        {
            if (index.FindName(file.Name) is >= 0 and var at)
                scan.there[at] = true;
            else
                scan.Found.Add(file);
        }

        scan.FindRenamed(index);
        scan.Found.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return scan;
    }

    /// <summary>Whether the message at this position of the index has a file.</summary>
    public bool IsThere(int at) => at >= there.Count || there[at];

    /// <summary>
    /// A renamed file keeps its size and time. Where two have the same, names don't tell which message is which, and each is taken for a new
    /// one.
    /// </summary>
    private void FindRenamed(EmlIndex index)
    {
        if (Found.Count == 0)
            return;
        var missing = Enumerable.Range(0, index.Count).Where(at => !there[at] && index[at].Date != default)
            .GroupBy(at => (index[at].Size, Step(index[at].Date.UtcTicks))).Where(g => !g.Skip(1).Any()).ToDictionary(g => g.Key, g => g.First());
        if (missing.Count == 0)
            return;
        foreach (var alike in Found.GroupBy(f => (f.Length, Step(f.LastWriteTimeUtc.Ticks))).Where(g => !g.Skip(1).Any()).ToList())
        {
            if (!missing.TryGetValue(alike.Key, out var at))
                continue;
            there[at] = true;
            Renamed.Add((at, alike.First().Name));
            Found.Remove(alike.First());
        }
    }

    private static long Step(long ticks) => ticks / TimeSteps;
}
