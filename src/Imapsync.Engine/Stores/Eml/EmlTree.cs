using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Engine.Stores.MailFiles;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>
/// Maps folders to directories: folder A/B is the directory <c>A/B</c>, and its messages are the files in it whose names end in <c>.eml</c>.
/// INBOX is the directory of that name, or the root directory if it holds messages itself. Symbolic links below the root are not followed.
/// </summary>
internal sealed class EmlTree(string root, NameLookup? lookup = null) : IMailTree
{
    private const string TemporaryName = FileNames.OwnSuffix + "tmp";
    private const string SubscriptionsName = ".subscriptions";

    /// <summary>
    /// Names of directories with deleted, replaced or recovered files, besides those of <see cref="SystemFiles.KeepsDeletedFiles"/>. A mail folder may
    /// have such a name, too, so the directory is left out only if it has no index. An index shows that this program has written mail to it.
    /// </summary>
    private static readonly string[] HardlyFolders = ["#recycle", "$RECYCLE.BIN", "@eaDir", "@Recycle", "RECYCLER", "System Volume Information"];

    private readonly LevelNames names = new(lookup ?? NameLookup.OfSystem, childrenSuffix: "");

    public string Root => root;

    public string Name => ".eml files";

    public string Untold => "flags, keywords and when a message came, where somebody else put the files there: its header is asked, else the file's time";

    /// <summary>The directory in which messages are written before they get their final names.</summary>
    public string TemporaryDirectory => Path.Combine(root, TemporaryName);

    /// <summary>The limits for the names of new directories.</summary>
    public NameLimits Limits
    {
        get => names.Limits;
        set => names.Limits = value;
    }

    /// <remarks>
    /// If several directories map to one folder, all of them are listed only if this program has written to none of them. Otherwise only
    /// one that it has written to is listed.
    /// </remarks>
    public IReadOnlyDictionary<FolderPath, IReadOnlyList<string>> List(LeftOut leftOut)
    {
        var folders = MailDirectories.Folders(root, this, leftOut, n => IsEml(n) || n == EmlIndex.FileName, PathOf, d => d.Name == TemporaryName || IsNeverFolder(d, leftOut));
        return folders.Select(f => (f.Key, Directories: (IReadOnlyList<string>)[.. f.Value.Where(d => !IsHardlyFolder(d, leftOut))])).Where(f => f.Directories.Count > 0)
            .ToDictionary(f => f.Key, f => (IReadOnlyList<string>)Chosen(f.Key, f.Directories, leftOut));
    }

    public IEnumerable<FiledMessage> Read(string directory, LeftOut leftOut) =>
        Messages(directory, leftOut).Select(f => new FiledMessage(Path.GetRelativePath(root, f.FullName), f.FullName, FlagSet.Empty));

    /// <summary>Returns whether a file with this name or path holds a message.</summary>
    public static bool IsEml(string name) => name.EndsWith(MessageFileName.Extension, StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns the message files in a directory.</summary>
    public static IEnumerable<FileInfo> Messages(string directory, LeftOut leftOut)
    {
        foreach (var file in MailDirectories.Files(directory, leftOut))
        {
            if (IsEml(file.Name))
                yield return file;
            else if (!file.Name.Contains(FileNames.OwnSuffix, StringComparison.Ordinal) && file.Name != SubscriptionsName)
                leftOut.Unknown("files without the ending .eml, which are left out", file.FullName);
        }
    }

    /// <summary>Returns the directory of a folder to write to; null if the folder does not exist.</summary>
    public string? Find(FolderPath path) => DirectoryOf(path) is { } directory && IsFolder(directory) ? directory : null;

    /// <summary>Durably creates the directory of a folder and those of its parents. Returns the folder's own directory.</summary>
    public string Create(FolderPath path)
    {
        if (Find(path) is { } found)
            return found;
        var directory = root;
        foreach (var level in path.Levels)
        {
            var parent = directory;
            directory = Existing(parent, level) ?? Path.Combine(parent, names.NewName(parent, level, Names(parent, level)));
            if (Make(directory))
                Posix.SyncDirectory(parent);
        }

        return directory;
    }

    /// <summary>Moves a folder's directory with everything in it, including the directories of its child folders.</summary>
    public void Rename(FolderPath from, FolderPath to)
    {
        var source = Find(from);
        if (source is null || source == root || from.IsInbox || to.IsInbox || DirectoryOf(to) is not null || to.IsAtOrBelow(from))
            throw new IOException($"{from} can't be renamed to {to}: INBOX stays where it is, and nothing may be in the way");
        var parent = to.Parent is { } above ? Create(above) : root;
        // A shortened name has a side file with the full name. The side file is created before the directory gets the name, and deleted only
        // after the directory has left it, so that the full name is always known.
        var target = Path.Combine(parent, names.NewName(parent, to.Name, Names(parent, to.Name)));
        Directory.Move(source, target);
        Posix.SyncDirectory(parent);
        File.Delete(source + FileNames.NameSuffix);
        Posix.SyncDirectory(Path.GetDirectoryName(source)!);
    }

    /// <summary>Creates the <see cref="TemporaryDirectory"/> if it does not exist, and returns it.</summary>
    public string MakeTemporaryDirectory()
    {
        Make(TemporaryDirectory);
        return TemporaryDirectory;
    }

    /// <returns>False if the directory already exists.</returns>
    private static bool Make(string directory)
    {
        if (LocalFiles.Judge(directory) is not { } isDirectory)
        {
            LocalFiles.CreateDirectory(directory);
            return true;
        }

        return isDirectory ? false : throw new IOException(
            $"{directory} is a symbolic link or no directory: it may lead out of the store, so it is not followed; put a directory in its place, or remove it");
    }

    private static bool IsFolder(string directory) => EmlIndex.IsIn(directory) || Directory.EnumerateFiles(directory).Any(IsEml);

    /// <remarks>
    /// A mail folder may have the name lost+found. If this program has written to it, the directory has an index. This program writes the first dot of
    /// a folder's name as %2E, so its own directories have none of the other names.
    /// </remarks>
    private static bool IsNeverFolder(DirectoryInfo directory, LeftOut leftOut) => !EmlIndex.IsIn(directory.FullName) && MailDirectories.KeepsDeletedFiles(directory, leftOut);

    /// <summary>
    /// Returns whether a directory is one of <see cref="HardlyFolders"/> or lies in one. A directory with an index does not count, since this
    /// program has written mail to it.
    /// </summary>
    private bool IsHardlyFolder(string directory, LeftOut leftOut)
    {
        if (EmlIndex.IsIn(directory))
            return false;
        for (; directory.Length > root.Length; directory = Path.GetDirectoryName(directory)!)
        {
            if (!HardlyFolders.Contains(Path.GetFileName(directory)) || EmlIndex.IsIn(directory))
                continue;
            leftOut.Other(MailDirectories.WhyLeftOut, directory);
            return true;
        }

        return false;
    }

    private FolderPath PathOf(IReadOnlyList<string> levels)
    {
        var (directory, decoded) = (root, new List<string>());
        foreach (var name in levels)
        {
            decoded.Add(LevelNames.LevelOf(directory, name));
            directory = Path.Combine(directory, name);
        }

        return decoded.Count == 0 ? FolderPath.Inbox : new FolderPath(decoded);
    }

    /// <summary>
    /// Chooses which of the directories that map to one folder are listed: if this program has written to any of them, only the one that it
    /// writes to; else all. The directories left out are reported.
    /// </summary>
    private List<string> Chosen(FolderPath path, IReadOnlyList<string> directories, LeftOut leftOut)
    {
        if (directories.Count == 1 || !directories.Any(EmlIndex.IsIn))
            return [.. directories];
        var chosen = Find(path) is { } found && directories.Contains(found) ? found : directories.First(EmlIndex.IsIn);
        foreach (var other in directories.Where(d => d != chosen))
            leftOut.Unread($"directories for a folder that another directory is, as {chosen} is {path}; move what is in them there", other);
        return [chosen];
    }

    private string? DirectoryOf(FolderPath path)
    {
        string? directory = root;
        foreach (var level in path.Levels)
        {
            if (directory is not null)
                directory = Existing(directory, level);
        }

        return path.IsInbox && IsFolder(root) && !HasInbox(directory) ? root : directory;
    }

    /// <summary>
    /// Returns whether the directory named INBOX is the folder INBOX; otherwise the root directory is. If this program has written to the
    /// root, the directory is INBOX only if this program has written to it as well. If this program has not written to the root, the
    /// directory is INBOX if it is a folder.
    /// </summary>
    /// <param name="directory">The directory named INBOX; null if there is none.</param>
    private bool HasInbox(string? directory) => directory is not null && (EmlIndex.IsIn(root) ? EmlIndex.IsIn(directory) : IsFolder(directory));

    /// <summary>
    /// Returns the directory of one level of a folder path; null if there is none. If there are several, one that this program has written to is
    /// preferred.
    /// </summary>
    private string? Existing(string parent, string level)
    {
        var directories = Names(parent, level).Select(n => Path.Combine(parent, n)).Where(names.IsOwnDirectory).ToList();
        return directories.FirstOrDefault(EmlIndex.IsIn) ?? directories.FirstOrDefault();
    }

    private IEnumerable<string> Names(string parent, string level) =>
        parent == root && level == FolderPath.Inbox.Name ? names.OfInbox(parent) : LevelNames.Of(parent, level);
}
