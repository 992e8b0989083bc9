using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// The entries of a tree of mboxes: (1) each folder with its file, or without one if it only has subfolders; (2) the entries that may be
/// mail but are no folders. Every skipped entry that may hold mail is reported.
/// </summary>
/// <param name="levelOf">Returns the level of a folder path that a name in a directory stands for.</param>
internal sealed class MboxListing(Func<string, string, string> levelOf)
{
    private const int MaxDepth = 200;

    /// <summary>The most files that <see cref="UnreadText"/> names.</summary>
    private const int MaxNamed = 20;

    private const string MboxSuffix = ".mbox";

    /// <summary>The mbox file's name in Apple Mail's exports: there the directory has the folder's name.</summary>
    private const string FileInPackage = "mbox";

    private static readonly string[] ProgramSuffixes = [".msf", ".dat", ".html", ".sqlite", ".json", ".mab"];

    public Dictionary<FolderPath, List<string>> Folders { get; } = [];

    /// <summary>Entries that may be mail and are not read, each with a description.</summary>
    public List<string> Unread { get; } = [];

    /// <summary>Entries that are apparently not mail.</summary>
    public List<string> Ignored { get; } = [];

    /// <summary>The entries in <see cref="Unread"/> as one line of text; null when there are none.</summary>
    public string? UnreadText => Unread.Count == 0 ? null
        : $"{Unread.Count} {(Unread.Count == 1 ? "is" : "are")} not read: {string.Join(", ", Unread.Take(MaxNamed))}{(Unread.Count > MaxNamed ? ", …" : "")}";

    /// <summary>The entries in <see cref="Ignored"/> as one line of text; null when there are none.</summary>
    public string? IgnoredText => Ignored.Count == 0 ? null : $"what is no mbox and is left out: {Ignored.Count}, {Ignored[0]} first";

    public void Read(string root)
    {
        if (MboxProbe.OfDirectory(root) is { } other)
            Unread.Add($"{root} ({other})");
        Read(root, []);
    }

    private void Read(string directory, string[] above)
    {
        var entries = new DirectoryInfo(directory).EnumerateFileSystemInfos().OrderBy(e => e.Name, StringComparer.Ordinal).ToList();
        var names = entries.Select(e => e.Name).ToHashSet(above.Length == 0 ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            if (entry.LinkTarget is not null)
                Unread.Add($"{entry.FullName} (a symbolic link)");
            else if (entry is DirectoryInfo)
                TakeDirectory(entry, above, names);
            else
                TakeFile(entry, above, names);
        }
    }

    private void TakeDirectory(FileSystemInfo entry, string[] above, HashSet<string> names)
    {
        if (entry.Name.StartsWith('.') || FileNames.IsSideFile(entry.Name))
        {
            TakeHidden(entry);
            return;
        }

        if (above.Length >= MaxDepth)
        {
            Unread.Add($"{entry.FullName} (too deep)");
            return;
        }

        try
        {
            if (MboxProbe.OfDirectory(entry.FullName) is { } other)
            {
                Unread.Add($"{entry.FullName} ({other})");
                return;
            }

            var isChildren = entry.Name.EndsWith(FileNames.ChildrenSuffix, StringComparison.Ordinal);
            var name = isChildren ? entry.Name[..^FileNames.ChildrenSuffix.Length] : entry.Name;
            string[] levels = [.. above, LevelOf(entry, name, names)];
            Folders.TryAdd(new FolderPath(levels), []);
            Read(entry.FullName, levels);
        }
        catch (Exception error) when (FileErrors.Is(error))
        {
            Unread.Add($"{entry.FullName} ({error.Message})");
        }
    }

    /// <summary>
    /// Ignores a hidden directory, because programs keep caches and indexes there. A hidden directory that contains an mbox is recorded in
    /// <see cref="Unread"/>.
    /// </summary>
    private void TakeHidden(FileSystemInfo directory)
    {
        try
        {
            var files = Directory.EnumerateFiles(directory.FullName, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false });
            if (files.FirstOrDefault(f => MboxProbe.OfFile(f).Kind == EntryKind.Mbox) is { } mail)
                Unread.Add($"{directory.FullName} ({(directory.Name.StartsWith('.') ? "a hidden directory" : "a lock by its name")} that holds mail: {mail})");
            else
                Ignored.Add(directory.FullName);
        }
        catch (Exception error) when (FileErrors.Is(error))
        {
            Unread.Add($"{directory.FullName} ({error.Message})");
        }
    }

    private void TakeFile(FileSystemInfo entry, string[] above, HashSet<string> names)
    {
        var isOwn = entry.Name.Contains(FileNames.OwnSuffix, StringComparison.OrdinalIgnoreCase);
        if (isOwn || entry.Name == ".subscriptions" || SystemFiles.Has(entry.Name))
            return;
        var probe = MboxProbe.OfFile(entry.FullName);
        if (entry.Name.StartsWith('.') || FileNames.IsSideFile(entry.Name))
        {
            if (probe.Kind == EntryKind.Mbox && entry is FileInfo { Length: > 0 })
                Unread.Add($"{entry.FullName} ({(entry.Name.StartsWith('.') ? "a hidden file" : "a lock by its name")} that holds mail)");
            else
                Ignored.Add(entry.FullName);
            return;
        }

        switch (probe.Kind)
        {
            case EntryKind.Unread:
                Unread.Add($"{entry.FullName} ({probe.What})");
                break;
            case EntryKind.Other when !IsOfProgram(entry.Name):
                Ignored.Add(entry.FullName);
                break;
            case EntryKind.Mbox:
            case EntryKind.Empty when !IsOfProgram(entry.Name) || File.Exists(entry.FullName + FileNames.IndexSuffix):
                Add(PathOf(entry, above, names), entry.FullName);
                break;
            default:
                break;
        }
    }

    private FolderPath PathOf(FileSystemInfo entry, string[] above, HashSet<string> names)
    {
        var isInPackage = entry.Name == FileInPackage && above.Length > 0
            && Path.GetDirectoryName(entry.FullName)!.EndsWith(MboxSuffix, StringComparison.OrdinalIgnoreCase);
        return new FolderPath(isInPackage ? above : [.. above, LevelOf(entry, entry.Name, names)]);
    }

    /// <summary>Returns the folder's name without an export program's suffix, unless another entry has that name.</summary>
    private string LevelOf(FileSystemInfo entry, string name, HashSet<string> names)
    {
        var directory = Path.GetDirectoryName(entry.FullName)!;
        var bare = name.EndsWith(MboxSuffix, StringComparison.OrdinalIgnoreCase) ? name[..^MboxSuffix.Length] : "";
        return bare.Length > 0 && !names.Contains(bare) ? levelOf(directory, bare) : levelOf(directory, name);
    }

    private void Add(FolderPath path, string file)
    {
        if (!Folders.TryGetValue(path, out var files))
            Folders.Add(path, files = []);
        files.Add(file);
    }

    private static bool IsOfProgram(string name) =>
        name == "table_of_contents" || ProgramSuffixes.Any(s => name.EndsWith(s, StringComparison.OrdinalIgnoreCase));
}
