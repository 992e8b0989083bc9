using System.Text;
using Imapsync.Engine.Durability;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// Where folders are: folder <c>A</c> is the file <c>A</c>, folder <c>A/B</c> the file <c>A.sbd/B</c>, as Thunderbird has it, so that a
/// folder holds messages and folders. Plain directories of mbox files (<c>A/B</c>) are read as well. INBOX is the file <c>INBOX</c>.
/// Below the root no symbolic link is followed.
/// </summary>
internal sealed class MboxTree(string root, NameLookup? lookup = null)
{
    private readonly NameLookup lookup = lookup ?? NameLookup.OfSystem;

    private const int MaxDepth = 200;

    public string Root => root;

    /// <summary>The file of a folder; null when there is none.</summary>
    public string? Find(FolderPath path)
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

    /// <summary>Creates a folder's file and the directories above it, durably; gives the file.</summary>
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
        DurableFiles.DemandNoLink(file);
        using (new FileStream(file, LocalFiles.CreateNew))
        {
        }

        Posix.SyncDirectory(directory);
        return file;
    }

    /// <summary>Every folder with its file; null for one that has only folders below it.</summary>
    /// <param name="onIgnored">Told of what is in the tree and no folder.</param>
    public Dictionary<FolderPath, string?> List(Action<string> onIgnored)
    {
        var folders = new Dictionary<FolderPath, string?>();
        List(root, [], folders, onIgnored);
        return folders;
    }

    private static void List(string directory, string[] above, Dictionary<FolderPath, string?> folders, Action<string> onIgnored)
    {
        foreach (var entry in new DirectoryInfo(directory).EnumerateFileSystemInfos().OrderBy(e => e.Name, StringComparer.Ordinal))
        {
            if (entry.Name.StartsWith('.') || IsSideFile(entry.Name))
                continue;
            var isDirectory = entry is DirectoryInfo;
            if (entry.LinkTarget is not null || above.Length >= MaxDepth || (!isDirectory && !MayBeMbox(entry.FullName)))
            {
                onIgnored(entry.FullName);
                continue;
            }

            var name = isDirectory && entry.Name.EndsWith(FileNames.ChildrenSuffix, StringComparison.Ordinal)
                ? entry.Name[..^FileNames.ChildrenSuffix.Length]
                : entry.Name;
            string[] levels = [.. above, LevelOf(directory, name)];
            var path = new FolderPath(levels);
            if (!isDirectory)
            {
                folders[path] = entry.FullName;
                continue;
            }

            folders.TryAdd(path, null);
            List(entry.FullName, levels, folders, onIgnored);
        }
    }

    /// <summary>The names a level may have in a directory, the likeliest first.</summary>
    private static IEnumerable<string> Names(string directory, string level)
    {
        var digest = FileNames.Digest(level);
        if (ReadName(directory, digest) == level)
            yield return digest;
        if (FileNames.NeedsDigest(level))
        {
            if (IsFileName(level) && LevelOf(directory, level) == level)
                yield return level;
            yield break;
        }

        yield return FileNames.Escape(level);
        if (IsFileName(level) && LevelOf(directory, level) == level)
            yield return level;
    }

    private static bool IsFileName(string level) =>
        !level.StartsWith('.') && !IsSideFile(level) && !level.Contains('/') && !level.Any(char.IsControl) && Encoding.UTF8.GetByteCount(level) <= 255;

    /// <summary>
    /// A name for a level that has none yet. One equal but for case to another gets the form of the too long, so that the
    /// tree can be copied to file systems that do not tell them apart.
    /// </summary>
    private string NewName(string directory, string level)
    {
        if (Names(directory, level).FirstOrDefault(n => IsThere(Path.Combine(directory, n)) || IsThere(Path.Combine(directory, n + FileNames.ChildrenSuffix))) is { } used)
            return used;
        var name = FileNames.Escape(level);
        if (!FileNames.NeedsDigest(level) && !HasTwin(directory, name))
            return name;
        var digest = FileNames.Digest(level);
        using (var file = LocalFiles.CreateAnew(Path.Combine(directory, digest + FileNames.NameSuffix)))
        {
            RandomAccess.Write(file, Encoding.UTF8.GetBytes(name), 0);
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

    /// <summary>The level that the side file of a digested name gives; null when there is none, or it belongs to another name.</summary>
    private static string? ReadName(string directory, string name)
    {
        var path = Path.Combine(directory, name + FileNames.NameSuffix);
        if (!FileNames.LooksDigested(name) || !IsFile(path) || new FileInfo(path).Length > 1 << 20)
            return null;
        var level = FileNames.Unescape(File.ReadAllText(path));
        return level.Length > 0 && FileNames.Digest(level) == name ? level : null;
    }

    private static bool IsSideFile(string name) =>
        name.Contains(FileNames.OwnSuffix, StringComparison.OrdinalIgnoreCase) || name.EndsWith(FileNames.LockSuffix, StringComparison.OrdinalIgnoreCase);

    /// <summary>Empty, or beginning as the first message of an mbox does.</summary>
    private static bool MayBeMbox(string path)
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            Span<byte> beginning = stackalloc byte[64];
            var text = beginning[..RandomAccess.Read(file, beginning, 0)].TrimStart("\r\n"u8);
            return text.IsEmpty || text.StartsWith("From "u8);
        }
        catch (Exception error) when (FileTrouble.Is(error))
        {
            // It is listed, so that opening it tells what is wrong.
            return true;
        }
    }

    /// <summary>A directory of just this name, and no link to one.</summary>
    private bool IsOwnDirectory(string path) => new DirectoryInfo(path) is { Exists: true, LinkTarget: null } && !lookup.IsAnothers(path);

    private bool IsOwnFile(string path) => IsFile(path) && !lookup.IsAnothers(path);

    private static bool IsFile(string path) => new FileInfo(path) is { Exists: true, LinkTarget: null };
}
