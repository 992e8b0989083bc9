using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// Maps folders to files as in Thunderbird: folder <c>A</c> is the file <c>A</c>, and folder <c>A/B</c> is the file <c>A.sbd/B</c>. Plain
/// directories of mbox files (<c>A/B</c>) and names from exports (<c>A.mbox</c>, <c>A.mbox/mbox</c>) are read as well. INBOX is the file
/// <c>INBOX</c>, in upper or lower case. Symbolic links below the root are not followed.
/// </summary>
internal sealed class MboxTree(string root, NameLookup? lookup = null)
{
    private readonly LevelNames names = new(lookup ?? NameLookup.OfSystem, FileNames.ChildrenSuffix);

    /// <summary>Folders whose file has another name than this program would give it, as of the last listing.</summary>
    private Dictionary<FolderPath, string>? others;

    public string Root => root;

    /// <summary>The limits for the names of new files.</summary>
    public NameLimits Limits
    {
        get => names.Limits;
        set => names.Limits = value;
    }

    /// <summary>Returns the file of a listed folder; null when there is none.</summary>
    public string? Find(FolderPath path)
    {
        if (FindNamed(path) is { } file)
            return file;
        if (others is null)
            _ = List();
        return others!.TryGetValue(path, out var other) && names.IsOwnFile(other) ? other : null;
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
            var found = Names(parent, level).Select(n => Path.Combine(parent, n + FileNames.ChildrenSuffix)).FirstOrDefault(names.IsOwnDirectory);
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

    /// <summary>
    /// Lists all folders. If several files stand for one folder, the first is used, and the others are listed as not read.
    /// </summary>
    public MboxListing List()
    {
        var listing = new MboxListing(LevelNames.LevelOf);
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
                .FirstOrDefault(names.IsOwnDirectory);
            if (next is null)
                return null;
            directory = next;
        }

        return Names(directory, path.Name).Select(n => Path.Combine(directory, n)).FirstOrDefault(names.IsOwnFile);
    }

    /// <summary>Returns the file names that a level may have in a directory, the most likely one first.</summary>
    private IEnumerable<string> Names(string directory, string level) =>
        directory == root && level == FolderPath.Inbox.Name ? names.OfInbox(directory) : LevelNames.Of(directory, level);

    private string NewName(string directory, string level) => names.NewName(directory, level, Names(directory, level));
}
