using System.Collections;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.MailFiles;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>The result of comparing the files in a folder's directory with the folder's index.</summary>
internal sealed class EmlScan
{
    /// <summary>File systems of Windows may store times in steps of two seconds, so times are compared in such steps.</summary>
    private const long TimeSteps = 2 * TimeSpan.TicksPerSecond;

    /// <summary>
    /// UIDs in file names are ignored from this number on. No folder holds that many messages, and a name with a huge number would otherwise use
    /// up all UIDs of the folder.
    /// </summary>
    private const uint MostNamed = 1 << 30;

    private readonly BitArray there;

    private EmlScan(int count) => there = new BitArray(count);

    /// <summary>Messages whose file somebody has renamed: the message's position in the index, and the file's present name.</summary>
    public List<(int At, string Name)> Renamed { get; } = [];

    /// <summary>Files that are not in the index, in order of their names.</summary>
    public List<FileInfo> Found { get; } = [];

    /// <summary>The highest UID in the names of the <see cref="Found"/> files; 0 if no name contains one.</summary>
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

    /// <summary>Returns whether the message at this position of the index has a file.</summary>
    public bool IsThere(int at) => at >= there.Count || there[at];

    private void FindRenamed(EmlIndex index)
    {
        FindRespelt(index);
        if (Found.Count == 0)
            return;
        // A renamed file keeps its size and time. If several files or several records have the same size and time, it is unknown which file is
        // which message, so these files count as new messages.
        var missing = Enumerable.Range(0, index.Count).Where(at => !there[at] && index[at].Date != default)
            .GroupBy(at => (index[at].Size, Step(index[at].Date.UtcTicks))).Where(g => !g.Skip(1).Any()).ToDictionary(g => g.Key, g => g.First());
        if (missing.Count == 0)
            return;
        var alike = Found.GroupBy(f => (f.Length, Step(f.LastWriteTimeUtc.Ticks))).Where(g => !g.Skip(1).Any()).ToDictionary(g => g.First(), g => missing.GetValueOrDefault(g.Key, -1));
        Found.RemoveAll(f => alike.TryGetValue(f, out var at) && at >= 0 && TakeFor(at, f));
    }

    /// <summary>
    /// Finds files that this program named and that got a slightly different name: file systems and programs that copy directories may spell
    /// characters of the subject differently and lose file times. The date and the UID in the name still identify the message.
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
