using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.Maildir;

/// <param name="HoldsMessages">False for a directory that only has folders below it.</param>
internal readonly record struct MaildirTreeEntry(FolderPath Path, string Directory, bool HoldsMessages);

/// <summary>
/// Maps folders to directories of a tree. INBOX is the root in both layouts. If the root is no Maildir, INBOX is a directory of that name,
/// as mbsync and OfflineIMAP create it.
/// </summary>
internal abstract class MaildirTree(string root, NameLookup lookup)
{
    private const int MaxSideFileBytes = 1 << 20;
    private Dictionary<FolderPath, string> foreignlySpelled = [];

    public string Root { get; } = root;

    /// <summary>The limits for directory names in this tree; set before a folder is created.</summary>
    public NameLimits Limits { get; set; } = NameLimits.None;

    /// <summary>The parent directories of new folders that are not synced yet. A parent of many new folders is synced only once.</summary>
    public UnsyncedDirectories Made { get; } = new();

    public static MaildirTree Of(MaildirEndpoint endpoint)
    {
        var root = Path.GetFullPath(endpoint.Directory);
        // The root itself may be a symbolic link, since the job names it; nothing below it may be one.
        if (Directory.Exists(root))
            root = Directory.ResolveLinkTarget(root, returnFinalTarget: true)?.FullName ?? root;
        return endpoint.Layout == MaildirLayout.Fs ? new FsTree(root) : new MaildirPlusPlusTree(root);
    }

    /// <inheritdoc cref="StoreTraits.IsFlat"/>
    public virtual bool IsFlat() => false;

    /// <summary>Encodes a level as in Dovecot's <c>subscriptions</c>.</summary>
    public abstract string EncodeLevel(string level);

    /// <summary>Separates the levels in a <c>subscriptions</c> file of version 1.</summary>
    public abstract char Separator { get; }

    /// <summary>Returns the folder's directory, whether it exists or not.</summary>
    public string DirectoryOf(FolderPath path)
    {
        if (path.IsInbox)
            return HoldsMessages(Root) ? Root : InboxesBelowRoot().FirstOrDefault() ?? Root;
        var directory = DirectoryBelowRoot(path);
        lock (foreignlySpelled)
            return !HoldsMessages(directory) && foreignlySpelled.TryGetValue(path, out var foreign) ? foreign : directory;
    }

    /// <summary>Lists every folder once. Symbolic links are no folders.</summary>
    /// <param name="leftOut">Filled with the directories that are skipped.</param>
    public IReadOnlyList<MaildirTreeEntry> List(LeftOutPlaces leftOut)
    {
        var entries = new Dictionary<FolderPath, MaildirTreeEntry>();
        var foreign = new Dictionary<FolderPath, string>();
        var inbox = DirectoryOf(FolderPath.Inbox);
        if (HoldsMessages(inbox))
            entries.Add(FolderPath.Inbox, new MaildirTreeEntry(FolderPath.Inbox, inbox, HoldsMessages: true));

        // Several directories may stand for one folder. A Maildir is preferred to a directory that only has subfolders. Next, the name that
        // this program would choose is preferred.
        var found = Find(leftOut).Where(e => !e.Path.IsInbox || (e.HoldsMessages && e.Directory != inbox))
            .Select(e => (Entry: e, IsOwn: !e.Path.IsInbox && e.Directory == DirectoryBelowRoot(e.Path)))
            .OrderByDescending(f => f.Entry.HoldsMessages).ThenByDescending(f => f.IsOwn).ThenBy(f => f.Entry.Directory, StringComparer.Ordinal);
        foreach (var (entry, isOwn) in found)
        {
            var path = entry.Path;
            while (!entries.TryAdd(path, entry with { Path = path }) && entry.HoldsMessages)
                path = new FolderPath([.. path.Levels[..^1], path.Name + " (again)"]);
            if (!isOwn)
                foreign.TryAdd(path, entry.Directory);
        }

        lock (foreignlySpelled)
            foreignlySpelled = foreign;
        return [.. entries.Values];
    }

    /// <summary>Returns the directories in the root that are Maildirs named INBOX in any case; the one in capitals comes first.</summary>
    private IEnumerable<string> InboxesBelowRoot() => !Directory.Exists(Root) ? [] : Directory.EnumerateDirectories(Root)
        .Where(d => IsNamedInbox(Path.GetFileName(d)) && LocalFiles.IsRealDirectory(d) && HoldsMessages(d))
        .OrderBy(d => !Path.GetFileName(d).EndsWith("INBOX", StringComparison.Ordinal)).ThenBy(d => d, StringComparer.Ordinal);

    public MaildirPaths Create(FolderPath path) => Create(path, new MaildirPaths(DirectoryOf(path)));

    /// <param name="paths">The directories to create.</param>
    public MaildirPaths Create(FolderPath path, MaildirPaths paths)
    {
        if (path.IsInbox)
        {
            paths.Create();
            return paths;
        }

        CreateBelowRoot(path, paths);
        return paths;
    }

    /// <summary>Moves one folder's directory with its contents. In the fs layout the contents include the child folders.</summary>
    public void Rename(FolderPath from, FolderPath to)
    {
        var (source, target) = (DirectoryOf(from), DirectoryOf(to));
        if (from.IsInbox || to.IsInbox || Path.Exists(target))
            throw new IOException($"{from} can't be renamed to {to}: INBOX stays where it is, and nothing may be in the way");
        var parent = Path.GetDirectoryName(target)!;
        LocalFiles.CreateDirectory(parent);
        // The side file for the new name is written before the rename, and the old one stays until after it. Without its side file, a
        // shortened directory name has no meaning.
        WriteSideFile(source, Path.GetFileName(target), to, FolderNaming.NextSideFile);
        Directory.Move(source, target);
        if (FolderNaming.LooksShortened(Path.GetFileName(target)))
            File.Move(Path.Combine(target, FolderNaming.NextSideFile), Path.Combine(target, FolderNaming.SideFile), overwrite: true);
        else
            File.Delete(Path.Combine(target, FolderNaming.SideFile));
        Posix.SyncDirectory(parent);
        Posix.SyncDirectory(Path.GetDirectoryName(source)!);
    }

    protected abstract string DirectoryBelowRoot(FolderPath path);

    /// <summary>Returns the parent of the folder's directory.</summary>
    protected abstract string ParentOf(FolderPath path);

    /// <summary>Returns the folder's directory name, even if it is too long or another folder has it.</summary>
    protected abstract string EncodedName(FolderPath path);

    /// <summary>
    /// Returns the folder's directory in its parent. If the file system ignores case and another folder's name differs only in case, the
    /// folder gets a name of its own.
    /// </summary>
    protected string DirectoryIn(string parent, FolderPath path)
    {
        var encoded = EncodedName(path);
        var directory = Path.Combine(parent, FolderNaming.Fit(encoded, path));
        return lookup.IsAnothers(directory) ? Path.Combine(parent, FolderNaming.SetApart(encoded, path)) : directory;
    }

    protected abstract void CreateBelowRoot(FolderPath path, MaildirPaths paths);

    protected abstract IEnumerable<MaildirTreeEntry> Find(LeftOutPlaces leftOut);

    protected abstract bool IsNamedInbox(string directoryName);

    protected static void WriteSideFile(string directory, FolderPath path) =>
        WriteSideFile(directory, Path.GetFileName(directory), path, FolderNaming.SideFile);

    /// <summary>
    /// Returns the folder path for a shortened directory name, from the directory's side file. Null for other directories.
    /// </summary>
    protected FolderPath? ReadSideFile(string directory)
    {
        if (!FolderNaming.LooksShortened(Path.GetFileName(directory)))
            return null;
        foreach (var name in (string[])[FolderNaming.SideFile, FolderNaming.NextSideFile])
        {
            var file = new FileInfo(Path.Combine(directory, name));
            if (file.Exists && file.LinkTarget is null && file.Length <= MaxSideFileBytes
                && FolderPath.TryParse(OrdinaryFile.ReadText(file.FullName), out var path) && IsDirectoryOf(path, directory))
                return path;
        }

        return null;
    }

    private bool IsDirectoryOf(FolderPath path, string directory) =>
        Path.GetDirectoryName(directory) == ParentOf(path)
        && Path.GetFileName(directory) is var name && (name == FolderNaming.Fit(EncodedName(path), path) || name == FolderNaming.SetApart(EncodedName(path), path));

    private static void WriteSideFile(string directory, string nameOnDisk, FolderPath path, string sideFile)
    {
        if (FolderNaming.LooksShortened(nameOnDisk))
            LocalFiles.Replace(Path.Combine(directory, sideFile), Encoding.UTF8.GetBytes(path.ToString()));
    }

    /// <summary>
    /// Returns whether a directory has cur/ or new/. One that only has folders below it, or whose creation was interrupted, has neither.
    /// </summary>
    public static bool HoldsMessages(string directory) =>
        Directory.Exists(Path.Combine(directory, "cur")) || Directory.Exists(Path.Combine(directory, "new"));
}

/// <summary>The Maildir++ layout: folder A/B is the directory <c>.A.B</c> with an empty file <c>maildirfolder</c>.</summary>
internal sealed class MaildirPlusPlusTree(string root, NameLookup? lookup = null) : MaildirTree(root, lookup ?? NameLookup.OfSystem)
{
    public override char Separator => '.';

    public override string EncodeLevel(string level) => FolderNaming.Fit(FolderNaming.Encode(level, '.', '/'), Limits);

    protected override string DirectoryBelowRoot(FolderPath path) => DirectoryIn(Root, path);

    protected override string ParentOf(FolderPath path) => Root;

    protected override string EncodedName(FolderPath path) => "." + string.Join('.', path.Levels.Select(l => EncodeLevel(l)));

    protected override void CreateBelowRoot(FolderPath path, MaildirPaths paths)
    {
        LocalFiles.CreateDirectory(paths.Directory);
        WriteSideFile(paths.Directory, path);
        paths.Create();
        // The name of this file is synced later, when the folder is opened for writing. If a crash leaves the folder incomplete before
        // that, the next opening completes it.
        Posix.OpenOwn(Path.Combine(paths.Directory, "maildirfolder"), create: true).Dispose();
        Made.Add(Root);
    }

    protected override bool IsNamedInbox(string directoryName) => directoryName.Equals(".INBOX", StringComparison.OrdinalIgnoreCase);

    protected override IEnumerable<MaildirTreeEntry> Find(LeftOutPlaces leftOut)
    {
        foreach (var directory in leftOut.RealDirectories(Root))
        {
            var isFolder = directory.Name[0] == '.';
            var holdsMessages = HoldsMessages(directory.FullName);
            var levels = directory.Name.Split('.', StringSplitOptions.RemoveEmptyEntries);
            if (directory.Name is "cur" or "new" or "tmp")
                continue;
            if (isFolder && levels.Length > 0 && (holdsMessages || !directory.Name[1..].Split('.').Contains("", StringComparer.Ordinal)))
                yield return new MaildirTreeEntry(ReadSideFile(directory.FullName) ?? new FolderPath(levels.Select(FolderNaming.Decode)), directory.FullName, holdsMessages);
            else if (isFolder ? holdsMessages : LeftOutPlaces.HoldsMaildirs(directory.FullName))
                leftOut.Add(directory.FullName, "it holds Maildirs, but not as the layout Maildir++ has them; where all are nested so, layout: fs is meant");
            else if (!isFolder)
                leftOut.LookAtFiles(directory.FullName);
            if (!holdsMessages)
                leftOut.RequireReadable(directory.FullName);
            foreach (var nested in isFolder ? leftOut.RealDirectories(directory.FullName) : [])
            {
                if (nested.Name is "cur" or "new" or "tmp")
                    continue;
                if (LeftOutPlaces.HoldsMaildirs(nested.FullName))
                    leftOut.Add(nested.FullName, "it holds Maildirs inside another folder, which the layout Maildir++ does not have; where all are nested so, layout: fs is meant");
                else
                    leftOut.LookAtFiles(nested.FullName);
            }
        }
    }
}

/// <summary>The fs layout: folder A/B is the directory <c>A/B</c>; a directory without cur/ only has folders below it.</summary>
internal sealed class FsTree(string root, NameLookup? lookup = null) : MaildirTree(root, lookup ?? NameLookup.OfSystem)
{
    private static readonly string[] Reserved = ["cur", "new", "tmp", "maildirfolder", "subscriptions", FolderNaming.SideFile, FolderNaming.NextSideFile];

    public override char Separator => '/';

    public override string EncodeLevel(string level)
    {
        var encoded = FolderNaming.Fit(FolderNaming.Encode(level, '/'), Limits);
        return encoded[0] == '.' || encoded.StartsWith("dovecot", StringComparison.OrdinalIgnoreCase)
            || Reserved.Contains(encoded, StringComparer.OrdinalIgnoreCase)
            ? FolderNaming.EncodeFirst(encoded)
            : encoded;
    }

    protected override string DirectoryBelowRoot(FolderPath path)
    {
        var directory = Root;
        for (var i = 0; i < path.Levels.Length; i++)
            directory = DirectoryIn(directory, new FolderPath(path.Levels[..(i + 1)]));
        return directory;
    }

    protected override string ParentOf(FolderPath path) => path.Parent is { } parent ? DirectoryBelowRoot(parent) : Root;

    protected override string EncodedName(FolderPath path) => EncodeLevel(path.Name);

    protected override void CreateBelowRoot(FolderPath path, MaildirPaths paths)
    {
        foreach (var length in Enumerable.Range(1, path.Levels.Length))
        {
            var at = new FolderPath(path.Levels[..length]);
            var directory = DirectoryBelowRoot(at);
            if (Directory.Exists(directory))
                continue;
            LocalFiles.CreateDirectory(directory);
            WriteSideFile(directory, at);
            Made.Add(Path.GetDirectoryName(directory)!);
        }

        paths.Create();
        Posix.SyncDirectory(paths.Directory);
    }

    /// <summary>
    /// Returns true if (1) the root is no Maildir, (2) each directory in it is a Maildir without subfolders, and (3) some name contains a
    /// dot.
    /// </summary>
    public override bool IsFlat()
    {
        if (!Directory.Exists(Root) || HoldsMessages(Root))
            return false;
        var leftOut = new LeftOutPlaces(Root);
        var folders = leftOut.RealDirectories(Root).Where(d => d.Name[0] != '.').ToList();
        return folders.Exists(d => d.Name.Trim('.').Contains('.', StringComparison.Ordinal))
            && folders.TrueForAll(d => HoldsMessages(d.FullName)
                ? leftOut.RealDirectories(d.FullName).All(below => below.Name is "cur" or "new" or "tmp" || !LeftOutPlaces.HoldsMaildirs(below.FullName))
                : !LeftOutPlaces.HoldsMaildirs(d.FullName));
    }

    protected override bool IsNamedInbox(string directoryName) => directoryName.Equals("INBOX", StringComparison.OrdinalIgnoreCase);

    protected override IEnumerable<MaildirTreeEntry> Find(LeftOutPlaces leftOut)
    {
        var pending = new Stack<(string Directory, FolderPath? Path)>([(Root, null)]);
        while (pending.TryPop(out var parent))
        {
            foreach (var directory in leftOut.RealDirectories(parent.Directory))
            {
                if (directory.Name is "cur" or "new" or "tmp")
                    continue;
                var holdsMessages = HoldsMessages(directory.FullName);
                var levels = directory.Name[0] == '.' ? directory.Name.Split('.', StringSplitOptions.RemoveEmptyEntries) : [directory.Name];

                // A Maildir whose name begins with a dot is a subfolder in the layout of mbsync (SubFolders Legacy) or Maildir++.
                if (directory.Name[0] == '.' && (!holdsMessages || levels.Length == 0))
                {
                    if (LeftOutPlaces.HoldsMaildirs(directory.FullName))
                        leftOut.Add(directory.FullName, "its name begins with a dot, and it holds Maildirs without being one");
                    else
                        leftOut.LookAtFiles(directory.FullName);
                    continue;
                }

                var decoded = levels.Select(FolderNaming.Decode);
                var path = ReadSideFile(directory.FullName) ?? new FolderPath(parent.Path is null ? decoded : parent.Path.Levels.Concat(decoded));
                if (!holdsMessages)
                    leftOut.RequireReadable(directory.FullName);
                yield return new MaildirTreeEntry(path, directory.FullName, holdsMessages);
                pending.Push((directory.FullName, path));
            }
        }
    }
}
