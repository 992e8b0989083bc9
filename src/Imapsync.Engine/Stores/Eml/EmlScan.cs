using System.Collections;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.MailFiles;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>The files in a folder's directory, held against the folder's index.</summary>
internal sealed class EmlScan
{
    /// <summary>File systems of Windows record times to two seconds.</summary>
    private const long TimeSteps = 2 * TimeSpan.TicksPerSecond;

    /// <summary>No folder has as many messages; a name with such a number would use up all UIDs.</summary>
    private const uint MostNamed = 1 << 30;

    private readonly BitArray there;

    private EmlScan(int count) => there = new BitArray(count);

    /// <summary>Messages whose file somebody has renamed, by their position in the index, with the file's name now.</summary>
    public List<(int At, string Name)> Renamed { get; } = [];

    /// <summary>Files that the index lacks, in order of their names.</summary>
    public List<FileInfo> Found { get; } = [];

    /// <summary>The highest UID in the names of such files; 0 where no name has one.</summary>
    public uint HighestNamed => Found.Max(f => MessageFileName.TryRead(f.Name, out _, out var uid) && uid.Value < MostNamed ? (uint?)uid.Value : null) ?? 0;

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

    private void FindRenamed(EmlIndex index)
    {
        FindRespelt(index);
        if (Found.Count == 0)
            return;
        // A renamed file keeps its size and time. Where two have the same, names don't tell which message is which, and each is taken for a new one.
        var missing = Enumerable.Range(0, index.Count).Where(at => !there[at] && index[at].Date != default)
            .GroupBy(at => (index[at].Size, Step(index[at].Date.UtcTicks))).Where(g => !g.Skip(1).Any()).ToDictionary(g => g.Key, g => g.First());
        if (missing.Count == 0)
            return;
        var alike = Found.GroupBy(f => (f.Length, Step(f.LastWriteTimeUtc.Ticks))).Where(g => !g.Skip(1).Any()).ToDictionary(g => g.First(), g => missing.GetValueOrDefault(g.Key, -1));
        Found.RemoveAll(f => alike.TryGetValue(f, out var at) && at >= 0 && TakeFor(at, f));
    }

    /// <summary>
    /// File systems and programs that copy trees spell characters of a subject in another way, and times get lost: date and UID in a name that this
    /// program gave tell which message it is.
    /// </summary>
    private void FindRespelt(EmlIndex index) => Found.RemoveAll(
        f => MessageFileName.TryRead(f.Name, out var beginning, out var uid) && index.Find(uid) is >= 0 and var at && !there[at]
            && !index[at].IsFound && index[at].Size == f.Length && index.NameOf(index[at]).StartsWith(beginning, StringComparison.Ordinal) && TakeFor(at, f));

    private bool TakeFor(int at, FileInfo file)
    {
        there[at] = true;
        Renamed.Add((at, file.Name));
        return true;
    }

    private static long Step(long ticks) => ticks / TimeSteps;
}
