using System.Text;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.Stores.Local;

/// <summary>
/// The file names of the levels of folder paths in a tree. A level is escaped (<see cref="FileNames"/>). If the result is too long, or differs from
/// another name only in case, it is shortened, and a side file has the whole level.
/// </summary>
/// <param name="childrenSuffix">
/// The suffix of the directory that holds a folder's child folders; empty where the child folders are in the folder's own directory.
/// </param>
internal sealed class LevelNames(NameLookup lookup, string childrenSuffix)
{
    /// <summary>The limits for new names.</summary>
    public NameLimits Limits { get; set; } = NameLimits.None;

    /// <summary>Returns the names that a level may have in a directory, the most likely one first.</summary>
    public static IEnumerable<string> Of(string directory, string level)
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
        // The tree may have been created on a file system that accepts fewer names, so the form for such file systems is tried as well.
        if (FileNames.EscapeForWindows(level) is var strict && strict != FileNames.Escape(level))
            yield return strict;
        if (IsFileName(level) && LevelOf(directory, level) == level)
            yield return level;
    }

    /// <summary>
    /// Returns the names that INBOX and the directory of its child folders may have in the root. INBOX is valid in any case (Thunderbird calls it
    /// Inbox), and the two may be spelt differently.
    /// </summary>
    public IEnumerable<string> OfInbox(string root) =>
        Directory.EnumerateFileSystemEntries(root).Select(e => Path.GetFileName(e)!)
            .Select(n => childrenSuffix.Length > 0 && n.EndsWith(childrenSuffix, StringComparison.Ordinal) ? n[..^childrenSuffix.Length] : n)
            .Where(n => n.Equals(Mail.FolderPath.Inbox.Name, StringComparison.OrdinalIgnoreCase))
            .Append(Mail.FolderPath.Inbox.Name)
            .Distinct().Order(StringComparer.Ordinal).ToList();

    /// <summary>
    /// Returns a name for a level that has none yet. A level that differs from another level only in case gets a shortened name with a digest, so that
    /// the tree can be copied to file systems that ignore case.
    /// </summary>
    /// <param name="names">The names that the level may have; one that exists already is returned.</param>
    public string NewName(string directory, string level, IEnumerable<string> names)
    {
        if (names.FirstOrDefault(n => IsThere(Path.Combine(directory, n)) || IsThere(Path.Combine(directory, n + childrenSuffix))) is { } used)
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

    /// <summary>Returns the level that a name stands for in a directory.</summary>
    public static string LevelOf(string directory, string name) => ReadName(directory, name) ?? FileNames.ToLevel(name);

    /// <summary>Returns whether a directory of exactly this name exists and is no symbolic link.</summary>
    public bool IsOwnDirectory(string path) => new DirectoryInfo(path) is { Exists: true, LinkTarget: null } && !lookup.IsAnothers(path);

    /// <summary>Returns whether a file of exactly this name exists and is no symbolic link.</summary>
    public bool IsOwnFile(string path) => IsFile(path) && !lookup.IsAnothers(path);

    private static bool IsFileName(string level) =>
        !level.StartsWith('.') && !FileNames.IsSideFile(level) && !level.Contains('/') && !level.Any(char.IsControl) && Encoding.UTF8.GetByteCount(level) <= 255;

    private bool IsThere(string path) => Path.Exists(path) && !lookup.IsAnothers(path);

    private bool HasTwin(string directory, string name) =>
        Directory.EnumerateFileSystemEntries(directory).Select(Path.GetFileName).Any(
            n => (n!.Equals(name, StringComparison.OrdinalIgnoreCase) && n != name)
                || (n.Equals(name + childrenSuffix, StringComparison.OrdinalIgnoreCase) && n != name + childrenSuffix));

    /// <summary>
    /// Returns the level of a folder path for which a shortened file name stands, from the side file that has the whole level. Null if
    /// there is no side file, or if it belongs to another name.
    /// </summary>
    private static string? ReadName(string directory, string name)
    {
        var path = Path.Combine(directory, name + FileNames.NameSuffix);
        if (!FileNames.LooksDigested(name) || !IsFile(path) || new FileInfo(path).Length > 1 << 20)
            return null;
        var level = FileNames.Unescape(File.ReadAllText(path));
        return level.Length > 0 && (FileNames.Digest(level) == name || FileNames.DigestForWindows(level) == name) ? level : null;
    }

    private static bool IsFile(string path) => new FileInfo(path) is { Exists: true, LinkTarget: null } && Nodes.KindOf(path) is not NodeKind.Other;
}
