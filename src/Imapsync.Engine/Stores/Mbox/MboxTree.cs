using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// Maps folders to files: folder <c>A</c> is the file <c>A</c>, folder <c>A/B</c> the file <c>A.sbd/B</c>, as in Thunderbird, so that a folder
/// can hold both messages and folders. Plain directories of mbox files (<c>A/B</c>) are read as well, and names from exports (<c>A.mbox</c>,
/// <c>A.mbox/mbox</c>). INBOX is the file <c>INBOX</c>, in whatever case it exists. Below the root no symbolic link is followed.
/// </summary>
internal sealed class MboxTree(string root, NameLookup? lookup = null)
{
    private readonly NameLookup lookup = lookup ?? NameLookup.OfSystem;

    /// <summary>Folders whose file has another name than this program would give it, as of the last listing.</summary>
    private Dictionary<FolderPath, string>? others;

    public string Root => root;

    /// <summary>The limits for the names of new files.</summary>
    public NameLimits Limits { get; set; } = NameLimits.None;

    /// <summary>Returns the file of a listed folder; null when there is none.</summary>
    public string? Find(FolderPath path)
    {
        if (FindNamed(path) is { } file)
            return file;
        if (others is null)
            _ = List();
        return others!.TryGetValue(path, out var other) && IsOwnFile(other) ? other : null;
    }

    /// <summary>Creates a folder's file and the directories above it, durably, and returns the file.</summary>
    public string Create(FolderPath path)
    {
        if (Find(path) is { } known)
            return known;
        var directory = root;
        foreach (var level in path.Levels.Take(path.Levels.Length - 1))
        {
            var parent = directory;
            var found = Names(parent, level).Select(n => Path.Combine(parent, n + FileNames.ChildrenSuffix)).FirstOrDefault(IsOwnDirectory);
            directory = found ?? Path.Combine(parent, NewName(parent, level) + FileNames.ChildrenSuffix);
            if (found is null)
            {
                LocalFiles.CreateDirectory(directory);
                Posix.SyncDirectory(parent);
            }
        }

        var file = Path.Combine(directory, NewName(directory, path.Name));
        DurableFiles.RequireNoLink(file);
        using (new FileStream(file, LocalFiles.CreateNew))
        {
        }

        Posix.SyncDirectory(directory);
        return file;
    }

    /// <summary>Lists all folders. Of several files for one folder the first one is used, and the others are listed as not read.</summary>
    public MboxListing List()
    {
        var listing = new MboxListing(LevelOf);
        listing.Read(root);
        var found = new Dictionary<FolderPath, string>();
        foreach (var (path, files) in listing.Folders.Where(f => f.Value.Count > 0))
        {
            var named = FindNamed(path);
            if (named is null)
                found.Add(path, files[0]);
            else if (files.Remove(named))
                files.Insert(0, named);
            listing.Unread.AddRange(files.Skip(1).Select(f => $"{f} (folder {path}, as which {files[0]} is read; rename one of them)"));
        }

        others = found;
        return listing;
    }

    private string? FindNamed(FolderPath path)
    {
        var directory = root;
        for (var i = 0; i < path.Levels.Length - 1; i++)
        {
            var next = Names(directory, path.Levels[i])
                .SelectMany(n => new[] { n + FileNames.ChildrenSuffix, n })
                .Select(n => Path.Combine(directory, n))
                .FirstOrDefault(IsOwnDirectory);
            if (next is null)
                return null;
            directory = next;
        }

        return Names(directory, path.Name).Select(n => Path.Combine(directory, n)).FirstOrDefault(IsOwnFile);
    }

    /// <summary>Returns the names that a level may have in a directory, the likeliest first.</summary>
    private IEnumerable<string> Names(string directory, string level)
    {
        if (directory == root && level == FolderPath.Inbox.Name)
            return InboxNames(directory);
        return NamesOf(directory, level);
    }

    /// <summary>
    /// Returns the names of INBOX: Thunderbird calls it Inbox, and it is valid in any case; INBOX and its child folders may be spelt
    /// differently.
    /// </summary>
    private static IEnumerable<string> InboxNames(string directory) =>
        Directory.EnumerateFileSystemEntries(directory).Select(e => Path.GetFileName(e)!)
            .Select(n => n.EndsWith(FileNames.ChildrenSuffix, StringComparison.Ordinal) ? n[..^FileNames.ChildrenSuffix.Length] : n)
            .Where(n => n.Equals(FolderPath.Inbox.Name, StringComparison.OrdinalIgnoreCase))
            .Append(FolderPath.Inbox.Name)
            .Distinct().Order(StringComparer.Ordinal).ToList();

    private static IEnumerable<string> NamesOf(string directory, string level)
    {
        foreach (var digest in new[] { FileNames.Digest(level), FileNames.DigestForWindows(level) }.Distinct())
        {
            if (ReadName(directory, digest) == level)
                yield return digest;
        }

        if (FileNames.NeedsDigest(level))
        {
            if (IsFileName(level) && LevelOf(directory, level) == level)
                yield return level;
            yield break;
        }

        yield return FileNames.Escape(level);
        // A tree may be on, or come from, a file system that accepts fewer names, so the stricter form is tried as well.
        if (FileNames.EscapeForWindows(level) is var strict && strict != FileNames.Escape(level))
            yield return strict;
        if (IsFileName(level) && LevelOf(directory, level) == level)
            yield return level;
    }

    private static bool IsFileName(string level) =>
        !level.StartsWith('.') && !FileNames.IsSideFile(level) && !level.Contains('/') && !level.Any(char.IsControl) && Encoding.UTF8.GetByteCount(level) <= 255;

    /// <summary>
    /// Returns a name for a level that has none yet. A level that differs from another only in case gets the form of names that are too long,
    /// so that the tree can be copied to file systems that ignore case.
    /// </summary>
    private string NewName(string directory, string level)
    {
        if (Names(directory, level).FirstOrDefault(n => IsThere(Path.Combine(directory, n)) || IsThere(Path.Combine(directory, n + FileNames.ChildrenSuffix))) is { } used)
            return used;
        var name = Limits.AreOfWindows ? FileNames.EscapeForWindows(level) : FileNames.Escape(level);
        if (!FileNames.NeedsDigest(level) && !HasTwin(directory, name))
            return name;
        var digest = Limits.AreOfWindows ? FileNames.DigestForWindows(level) : FileNames.Digest(level);
        using (var file = LocalFiles.CreateAnew(Path.Combine(directory, digest + FileNames.NameSuffix)))
        {
            RandomAccess.Write(file, Encoding.UTF8.GetBytes(FileNames.Escape(level)), 0);
            RandomAccess.FlushToDisk(file);
        }

        return digest;
    }

    private bool IsThere(string path) => Path.Exists(path) && !lookup.IsAnothers(path);

    private static bool HasTwin(string directory, string name) =>
        Directory.EnumerateFileSystemEntries(directory).Select(Path.GetFileName).Any(
            n => (n!.Equals(name, StringComparison.OrdinalIgnoreCase) && n != name)
                || (n.Equals(name + FileNames.ChildrenSuffix, StringComparison.OrdinalIgnoreCase) && n != name + FileNames.ChildrenSuffix));

    private static string LevelOf(string directory, string name) => ReadName(directory, name) ?? FileNames.ToLevel(name);

    /// <summary>
    /// Returns the level recorded in the side file of a shortened name; null when there is no side file, or it belongs to another name.
    /// </summary>
    private static string? ReadName(string directory, string name)
    {
        var path = Path.Combine(directory, name + FileNames.NameSuffix);
        if (!FileNames.LooksDigested(name) || !IsFile(path) || new FileInfo(path).Length > 1 << 20)
            return null;
        var level = FileNames.Unescape(File.ReadAllText(path));
        return level.Length > 0 && (FileNames.Digest(level) == name || FileNames.DigestForWindows(level) == name) ? level : null;
    }

    /// <summary>Whether a directory of exactly this name exists and is no symbolic link.</summary>
    private bool IsOwnDirectory(string path) => new DirectoryInfo(path) is { Exists: true, LinkTarget: null } && !lookup.IsAnothers(path);

    private bool IsOwnFile(string path) => IsFile(path) && !lookup.IsAnothers(path);

    private static bool IsFile(string path) => new FileInfo(path) is { Exists: true, LinkTarget: null } && Nodes.KindOf(path) is not NodeKind.Other;
}
