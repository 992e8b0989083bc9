using Imapsync.Engine.Files;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>Records the directories and files that a scan of a tree skipped although they may hold mail, each with the reason.</summary>
/// <param name="root">The tree's root. A link into the tree is not reported, because its destination is found anyway.</param>
/// <param name="withFiles">Whether files beside the Maildirs are opened to see whether they hold mail.</param>
internal sealed class LeftOutPlaces(string root, bool withFiles = false)
{
    private const int MaxDepth = 8, MaxLooks = 10_000, MaxTold = 100, MaxFiles = 2_000;

    private static readonly string[] OfServers = ["dovecot", "courier", "maildir", "subscriptions", "shared-"];

    private static readonly EnumerationOptions All = new() { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false, MatchType = MatchType.Simple };

    private readonly List<string> told = [];
    private int more;
    private int filesOpened;

    /// <summary>Whether some files beside the Maildirs were not checked for mail, because there are too many.</summary>
    public bool HasUnseenFiles => filesOpened > MaxFiles;

    public bool IsEmpty => told.Count == 0;

    public IEnumerable<string> Texts => more == 0 ? told : told.Append($"{more} further directories and files are left out");

    public void Add(string directory, string why)
    {
        if (told.Count < MaxTold)
            told.Add($"{directory} is left out: {why}");
        else
            more++;
    }

    /// <summary>
    /// Returns the subdirectories that are not links. Records other entries that may be folders or hold mail as left out.
    /// </summary>
    public IReadOnlyList<DirectoryInfo> RealDirectories(string directory)
    {
        var found = new List<DirectoryInfo>();
        var mail = new SortedDictionary<string, string>(StringComparer.Ordinal);
        try
        {
            foreach (var entry in new DirectoryInfo(directory).EnumerateFileSystemInfos("*", All))
            {
                var isDirectory = entry is DirectoryInfo;
                if (entry.Name.Contains('\uFFFD', StringComparison.Ordinal) && !Path.Exists(entry.FullName) && entry.LinkTarget is null)
                {
                    if (isDirectory)
                        Add(entry.FullName, "its name is no UTF-8; rename it");
                }
                else if (entry.Attributes.HasFlag(FileAttributes.ReparsePoint) && entry.LinkTarget is not null)
                {
                    AddLink(entry, isDirectory);
                }
                else if (isDirectory)
                {
                    found.Add((DirectoryInfo)entry);
                }
                else if (MailOf(entry) is { } kind)
                {
                    mail.Add(entry.FullName, kind);
                }
            }
        }
        catch (Exception e) when (FileErrors.Is(e) && !FileErrors.IsEverywhere(e))
        {
            Add(directory, FileErrors.Explain(e));
        }

        if (mail.Count > 0)
            Add(mail.First().Key, $"it is {mail.First().Value} and lies in no Maildir{(mail.Count > 1 ? $", like {mail.Count - 1} more in that directory" : "")}; give it a job of its own, or move it out of here");
        found.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return found;
    }

    /// <summary>Records the files that hold mail in and below a directory that is no folder and contains none.</summary>
    public void LookAtFiles(string directory)
    {
        if (!withFiles)
            return;
        var pending = new Queue<(string Path, int Depth)>([(directory, 0)]);
        for (var looks = 0; looks < MaxLooks && pending.TryDequeue(out var at); looks++)
        {
            foreach (var below in RealDirectories(at.Path))
            {
                if (at.Depth < MaxDepth)
                    pending.Enqueue((below.FullName, at.Depth + 1));
            }
        }
    }

    /// <summary>Records the directory as left out if it can't be read, since it may be a folder nevertheless.</summary>
    public void RequireReadable(string directory)
    {
        try
        {
            if (Directory.EnumerateFileSystemEntries(directory).Any(e => Path.GetFileName(e) is "cur" or "new" && !Path.Exists(e)))
                Add(directory, "what is in it can't be looked at; let this user read and enter it (chmod, chown)");
        }
        catch (Exception e) when (FileErrors.Is(e) && !FileErrors.IsEverywhere(e))
        {
            Add(directory, FileErrors.Explain(e));
        }
    }

    /// <summary>
    /// Returns whether the directory or anything below it is a Maildir. Links are not followed, so the search can't go in circles.
    /// </summary>
    public static bool HoldsMaildirs(string directory)
    {
        var pending = new Queue<(string Path, int Depth)>([(directory, 0)]);
        for (var looks = 0; looks < MaxLooks && pending.TryDequeue(out var at); looks++)
        {
            try
            {
                if (MaildirTree.HoldsMessages(at.Path))
                    return true;
                if (at.Depth == MaxDepth)
                    continue;
                foreach (var below in new DirectoryInfo(at.Path).EnumerateDirectories("*", new EnumerationOptions { AttributesToSkip = FileAttributes.ReparsePoint }))
                    pending.Enqueue((below.FullName, at.Depth + 1));
            }
            catch (Exception e) when (FileErrors.Is(e))
            {
                // A directory that can't be read counts as one without Maildirs.
            }
        }

        return false;
    }

    /// <summary>
    /// Returns what mail a file holds, as <see cref="ForeignMail.OfFile"/> does; null if none. Hidden files and files of mail servers are
    /// not opened.
    /// </summary>
    private string? MailOf(FileSystemInfo file) =>
        withFiles && file.Name[0] != '.' && !OfServers.Any(s => file.Name.StartsWith(s, StringComparison.Ordinal)) && !SystemFiles.Has(file.Name)
        && ++filesOpened <= MaxFiles ? ForeignMail.OfFile(file.FullName) : null;

    /// <summary>
    /// Records a link that may lead to mail. A broken link counts, too, because its disk may not be mounted. Editors' locks (<c>.#name</c>)
    /// are ignored, because they are always broken links.
    /// </summary>
    private void AddLink(FileSystemInfo link, bool isDirectory)
    {
        if (link.Name is "cur" or "new" or "tmp" || link.Name.StartsWith(".#", StringComparison.Ordinal))
            return;
        var target = TargetOf(link);
        var isFile = !isDirectory && target is { Exists: true };
        var leadsInside = isDirectory && target is not null
            && (target.FullName + Path.DirectorySeparatorChar).StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal);
        if (isFile || leadsInside)
            return;
        Add(link.FullName, $"it is a symbolic link to {link.LinkTarget}, which is not followed: it may lead out of the store; give what it leads to a job of its own, or mount it there (mount --bind)");
    }

    private static FileSystemInfo? TargetOf(FileSystemInfo link)
    {
        try
        {
            return link.ResolveLinkTarget(returnFinalTarget: true);
        }
        catch (IOException)
        {
            // The links form a loop, so they lead nowhere.
            return null;
        }
    }
}
