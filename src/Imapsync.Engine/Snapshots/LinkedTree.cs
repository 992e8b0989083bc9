using Imapsync.Engine.Files;
using Imapsync.Engine.State;
using Imapsync.Engine.Stores.Maildir;

namespace Imapsync.Engine.Snapshots;

/// <summary>
/// Creates a copy of a Maildir tree with hard links. The content of a message's file never changes, so the file is linked and takes no space. Its
/// flags are in its name, which is separate in each tree. The few other files (uidlist, keywords, subscriptions) do change, so they are copied. Other
/// programs may deliver or rename messages during the copy; each message that exists during the whole copy is in the copy exactly once.
/// </summary>
/// <param name="beforeEach">Called before each file and directory; an exception from it ends the work.</param>
internal sealed class LinkedTree(Action beforeEach)
{
    /// <summary>
    /// After this many scans in a row that find no further message, the work ends even if a directory never stops changing.
    /// </summary>
    private const int QuietScans = 4;

    /// <summary>The maximal number of scans, in case another program never stops renaming files.</summary>
    private const int MaxScans = 1000;

    /// <summary>
    /// The resolution of the clock with which file systems date changes. If a directory changes twice within this time, its date does not show the second
    /// change.
    /// </summary>
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);

    /// <summary>The directories in scanning order: new/ comes first, since messages move from there to cur/.</summary>
    private static readonly string[] Places = ["new", "cur"];

    /// <summary>The number of symbolic links that were left out, since they may lead out of the tree.</summary>
    public long LeftOut { get; private set; }

    /// <exception cref="IOException"/>
    public void Copy(string from, string to)
    {
        beforeEach();
        Posix.TryCreateDirectory(to);
        var entries = new DirectoryInfo(from).EnumerateFileSystemInfos("*", Everything).ToList();
        LeftOut += entries.Count(e => e.LinkTarget is not null);
        var directories = entries.OfType<DirectoryInfo>().Where(d => d.LinkTarget is null).ToDictionary(d => d.Name);
        var isFolder = directories.ContainsKey("cur") && directories.ContainsKey("new");
        if (isFolder)
            LinkMessages(from, to);
        if (isFolder && directories.ContainsKey("tmp"))
            Posix.TryCreateDirectory(Path.Combine(to, "tmp"));
        foreach (var directory in directories.Values.Where(d => !isFolder || d.Name is not ("cur" or "new" or "tmp")))
            Copy(directory.FullName, Path.Combine(to, directory.Name));
        // The other files of the directory are copied after the messages, so that the copied uidlist contains all linked messages.
        CopyFiles(entries.OfType<FileInfo>().Where(f => f.LinkTarget is null && !IsPassing(f.Name)), to);
        Posix.SyncDirectory(to);
    }

    /// <summary>
    /// Copies the files of a job's state. Left out are files that mean something only for a run in progress or a failed run (such as the
    /// lock), the states of restores, and the stored sign-ins.
    /// </summary>
    public void CopyFiles(string from, string to)
    {
        beforeEach();
        Posix.TryCreateDirectory(to);
        var entries = new DirectoryInfo(from).EnumerateFileSystemInfos("*", Everything).Where(e => e.LinkTarget is null).ToList();
        CopyFiles(entries.OfType<FileInfo>().Where(f => f.Name is not ("lock" or "appending" or "defect") && !IsSecret(f.Name) && !IsPassing(f.Name)), to);
        foreach (var directory in entries.OfType<DirectoryInfo>().Where(d => d.Name is "pairs" or "names"))
            CopyFiles(directory.FullName, Path.Combine(to, directory.Name));
        Posix.SyncDirectory(to);
    }

    private static EnumerationOptions Everything => new() { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };

    /// <summary>
    /// Returns whether a file is a stored sign-in or its key. These are left out, since a snapshot is stored beside the mail and may be given away with it.
    /// </summary>
    private static bool IsSecret(string name) => name.StartsWith(StateDirectory.SignInPrefix, StringComparison.Ordinal);

    /// <summary>Returns whether a file is temporary, a lock, or an index that a mail server rebuilds by itself.</summary>
    private static bool IsPassing(string name) =>
        name.EndsWith(".lock", StringComparison.Ordinal) || name.EndsWith(DurableFiles.TemporarySuffix, StringComparison.Ordinal) || name.StartsWith("dovecot.index", StringComparison.Ordinal);

    /// <summary>
    /// Links all messages. While a file is being renamed, a scan may see it under both of its names or under neither. So the scans repeat
    /// until no file vanished and neither directory changed. If a program keeps renaming files, they repeat until several scans in a row
    /// found no message that is not linked. Then the additional links of renamed files are removed.
    /// </summary>
    private void LinkMessages(string from, string to)
    {
        foreach (var place in Places)
            Posix.TryCreateDirectory(Path.Combine(to, place));
        if (!Scan(linked: null, out _))
        {
            var linked = Places.SelectMany(p => Directory.EnumerateFiles(Path.Combine(to, p))).Select(f => UniqueOf(Path.GetFileName(f))).ToHashSet(StringComparer.Ordinal);
            for (var (scan, quiet) = (2, 0); scan <= MaxScans && quiet < QuietScans; scan++)
            {
                if (Scan(linked, out var isQuiet))
                    break;
                quiet = isQuiet ? quiet + 1 : 0;
            }

            RemoveDoubles(from, to);
        }

        foreach (var place in Places)
            Posix.SyncDirectory(Path.Combine(to, place));

        // Scan returns true if it certainly saw every message.
        bool Scan(HashSet<string>? linked, out bool isQuiet)
        {
            var before = Dates();
            // The system's clock is read, because the time is compared with dates that the file system has set.
            var began = TimeProvider.System.GetUtcNow().UtcDateTime;
            var (isWhole, knew) = (true, linked?.Count);
            isQuiet = true;
            foreach (var place in Places)
            {
                foreach (var missed in LinkAll(Path.Combine(from, place), Path.Combine(to, place), linked))
                {
                    isWhole = false;
                    isQuiet &= linked?.Contains(UniqueOf(missed)) == true;
                }
            }

            isQuiet &= linked?.Count == knew;
            return isWhole && Dates().SequenceEqual(before) && before.All(d => d < began - Tick);
        }

        DateTime[] Dates() => [.. Places.Select(p => Directory.GetLastWriteTimeUtc(Path.Combine(from, p)))];
    }

    private static string UniqueOf(string name) => name[..MaildirName.InfoStart(name)];

    /// <summary>Links the messages of one directory.</summary>
    /// <param name="linked">Gets the unique names of the messages linked; null in the first scan, which counts what is left out.</param>
    /// <returns>The names of files that vanished before they were linked.</returns>
    private List<string> LinkAll(string from, string to, HashSet<string>? linked)
    {
        List<string> missed = [];
        foreach (var file in new DirectoryInfo(from).EnumerateFileSystemInfos("*", Everything))
        {
            if (file is not FileInfo || file.LinkTarget is not null)
            {
                LeftOut += linked is null && file.LinkTarget is not null ? 1 : 0;
                continue;
            }

            beforeEach();
            if (!Posix.TryLink(file.FullName, Path.Combine(to, file.Name)))
                missed.Add(file.Name);
            else
                linked?.Add(UniqueOf(file.Name));
        }

        return missed;
    }

    /// <summary>
    /// Removes the additional links of a message that was renamed during the copy. The link with the message's current name is kept, if there
    /// is one.
    /// </summary>
    private static void RemoveDoubles(string from, string to)
    {
        var linked = Places.SelectMany(place => Directory.EnumerateFiles(Path.Combine(to, place)).Select(f => (Place: place, Name: Path.GetFileName(f), Path: f)));
        foreach (var alike in linked.GroupBy(f => UniqueOf(f.Name)).Where(g => g.Skip(1).Any()))
        {
            // Two messages may share a unique name, but then their files differ. The change time is not compared, since a rename during the copy changes it.
            foreach (var same in alike.GroupBy(f => FileStamp.Of(f.Path) with { Changed = 0 }).Where(g => g.Key != default))
            {
                var names = same.ToList();
                var now = names.FindIndex(f => File.Exists(Path.Combine(from, f.Place, f.Name)));
                names.RemoveAt(now < 0 ? names.Count - 1 : now);
                names.ForEach(f => File.Delete(f.Path));
            }
        }
    }

    private void CopyFiles(IEnumerable<FileInfo> files, string to)
    {
        foreach (var file in files)
        {
            beforeEach();
            var path = Path.Combine(to, file.Name);
            using var source = OpenIfThere(file.FullName);
            if (source is null)
                continue;
            using var copy = new FileStream(Posix.CreateNew(path), FileAccess.Write, bufferSize: 0);
            source.CopyTo(copy);
            copy.Flush(flushToDisk: true);
        }
    }

    /// <summary>Opens a file; returns null when another program has removed it since it was listed.</summary>
    private static FileStream? OpenIfThere(string path)
    {
        try
        {
            return OrdinaryFile.OpenRead(path);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }
}
