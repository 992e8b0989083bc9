using Imapsync.Engine.Files;
using Imapsync.Engine.Stores.Maildir;

namespace Imapsync.Engine.Snapshots;

/// <summary>
/// Makes a Maildir tree of another one's messages. A message's file never changes, so it is linked and takes no room; its flags are in its
/// name, which each tree has for itself. The few other files (uidlist, keywords, subscriptions) are copied, since they do change.
/// Other programs may deliver and rename meanwhile: each message that was there all the while is in it once.
/// </summary>
/// <param name="beforeEach">Called before each file and directory; what it throws ends the work.</param>
internal sealed class LinkedTree(Action beforeEach)
{
    private const int MaxScans = 5;

    /// <summary>new/ first: files move from there to cur/.</summary>
    private static readonly string[] Places = ["new", "cur"];

    /// <summary>Entries that are neither files nor directories; links lead out of the tree.</summary>
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
        // After the messages, so that the uidlist knows them all.
        CopyFiles(entries.OfType<FileInfo>().Where(f => f.LinkTarget is null && !IsPassing(f.Name)), to);
        Posix.SyncDirectory(to);
    }

    /// <summary>The files of a job's state, without those of a run under way and of restores.</summary>
    public void CopyFiles(string from, string to)
    {
        beforeEach();
        Posix.TryCreateDirectory(to);
        var entries = new DirectoryInfo(from).EnumerateFileSystemInfos("*", Everything).Where(e => e.LinkTarget is null).ToList();
        CopyFiles(entries.OfType<FileInfo>().Where(f => f.Name is not ("lock" or "appending" or "defect") && !IsPassing(f.Name)), to);
        foreach (var directory in entries.OfType<DirectoryInfo>().Where(d => d.Name is "pairs" or "names"))
            CopyFiles(directory.FullName, Path.Combine(to, directory.Name));
        Posix.SyncDirectory(to);
    }

    private static EnumerationOptions Everything => new() { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };

    /// <summary>What is being written, locks, and what a server makes anew by itself.</summary>
    private static bool IsPassing(string name) =>
        name.EndsWith(".lock", StringComparison.Ordinal) || name.EndsWith(DurableFiles.TemporarySuffix, StringComparison.Ordinal) || name.StartsWith("dovecot.index", StringComparison.Ordinal);

    /// <summary>
    /// A file that is renamed meanwhile may be seen under both names or neither, so both directories are linked again until nothing vanished
    /// under our hands and neither changed, and what is there twice goes once. Where that never ends, what any of the scans saw is in it.
    /// </summary>
    private void LinkMessages(string from, string to)
    {
        foreach (var place in Places)
            Posix.TryCreateDirectory(Path.Combine(to, place));
        for (var scan = 1; ; scan++)
        {
            var before = Dates();
            var isWhole = true;
            foreach (var place in Places)
                isWhole &= LinkAll(Path.Combine(from, place), Path.Combine(to, place), isFirst: scan == 1);
            // A directory that was changed may have been read past a file that got another name.
            if ((isWhole && Dates().SequenceEqual(before)) || scan == MaxScans)
                break;
        }

        RemoveDoubles(from, to);
        foreach (var place in Places)
            Posix.SyncDirectory(Path.Combine(to, place));

        DateTime[] Dates() => [.. Places.Select(p => Directory.GetLastWriteTimeUtc(Path.Combine(from, p)))];
    }

    /// <returns>False where one vanished before it was linked.</returns>
    private bool LinkAll(string from, string to, bool isFirst)
    {
        var isWhole = true;
        foreach (var file in new DirectoryInfo(from).EnumerateFileSystemInfos("*", Everything))
        {
            if (file is not FileInfo || file.LinkTarget is not null)
            {
                LeftOut += isFirst && file.LinkTarget is not null ? 1 : 0;
                continue;
            }

            beforeEach();
            isWhole &= Posix.TryLink(file.FullName, Path.Combine(to, file.Name));
        }

        return isWhole;
    }

    /// <summary>Of a file that was renamed while it was linked one name stays, the one that it has now where that is among them.</summary>
    private static void RemoveDoubles(string from, string to)
    {
        var linked = Places.SelectMany(place => Directory.EnumerateFiles(Path.Combine(to, place)).Select(f => (Place: place, Name: Path.GetFileName(f), Path: f)));
        foreach (var alike in linked.GroupBy(f => f.Name[..MaildirName.InfoStart(f.Name)]).Where(g => g.Skip(1).Any()))
        {
            // Two messages may share a unique name: those are two files. A rename changes a file's time of change while we look.
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

    /// <summary>Null where it is gone since it was listed: another program's, in passing.</summary>
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
