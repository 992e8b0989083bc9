using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.MailFiles;

/// <summary>Goes through directories of somebody else's tree, and tells of everything that is there and is not read. Symbolic links may lead out of it and are not followed.</summary>
internal static class MailDirectories
{
    private const int MaxDepth = 200;

    /// <summary>The folders that directories make, each with those that make it: a directory with mail is one.</summary>
    /// <param name="isMail">Whether a file of that name makes its directory a folder.</param>
    /// <param name="pathOf">A directory's folder, by the names that lead to it; null for the same names, INBOX at the top.</param>
    /// <param name="isOwn">Whether a directory of that name holds only what this program puts there.</param>
    public static IReadOnlyDictionary<FolderPath, IReadOnlyList<string>> Folders(
        string root, IMailTree tree, LeftOut leftOut, Func<string, bool> isMail, Func<IReadOnlyList<string>, FolderPath>? pathOf = null, Predicate<string>? isOwn = null)
    {
        pathOf ??= levels => levels.Count == 0 ? FolderPath.Inbox : new FolderPath(levels);
        var folders = new Dictionary<FolderPath, List<string>>();
        foreach (var (directory, levels) in All(root, leftOut, isOwn))
        {
            if (!directory.EnumerateFiles().Any(f => isMail(f.Name)))
            {
                // What lies here belongs to no folder that would tell of it when it is read.
                foreach (var _ in tree.Read(directory.FullName, leftOut))
                {
                }

                continue;
            }

            var path = pathOf(levels);
            if (!folders.TryGetValue(path, out var directories))
                folders.Add(path, directories = []);
            directories.Add(directory.FullName);
        }

        return folders.ToDictionary(f => f.Key, f => (IReadOnlyList<string>)f.Value);
    }

    /// <summary>The directory and all below it, each with the names that lead there from the root.</summary>
    public static IEnumerable<(DirectoryInfo Directory, IReadOnlyList<string> Levels)> All(string root, LeftOut leftOut, Predicate<string>? isOwn = null)
    {
        var waiting = new Stack<(DirectoryInfo Directory, IReadOnlyList<string> Levels)>();
        waiting.Push((new DirectoryInfo(root), []));
        while (waiting.TryPop(out var next))
        {
            yield return next;
            foreach (var below in next.Directory.EnumerateDirectories().OrderByDescending(d => d.Name, StringComparer.Ordinal))
            {
                if (isOwn?.Invoke(below.Name) == true)
                    continue;
                if (below.LinkTarget is not null)
                    leftOut.Unread("symbolic links to directories, which are not followed", below.FullName);
                else if (HasOtherName(below))
                    leftOut.Unread("directories whose names are no UTF-8; rename them", below.FullName);
                else if (next.Levels.Count == MaxDepth)
                    leftOut.Unread("directories that lie too deep", below.FullName);
                else
                    waiting.Push((below, [.. next.Levels, below.Name]));
            }
        }
    }

    /// <summary>The files of a directory that may hold something of a person's.</summary>
    public static IEnumerable<FileInfo> Files(string directory, LeftOut leftOut)
    {
        foreach (var file in new DirectoryInfo(directory).EnumerateFiles())
        {
            // Asked for by what is shown of it, it would look as if it had gone meanwhile.
            if (HasOtherName(file))
                leftOut.Unread("files whose names are no UTF-8; rename them", file.FullName);
            else if (!SystemFiles.Has(file.Name) && !SystemFiles.IsAppleDouble(file))
                yield return file;
        }
    }

    /// <summary>What is shown of its name is not its name.</summary>
    private static bool HasOtherName(FileSystemInfo entry) => entry.Name.Contains('\uFFFD', StringComparison.Ordinal) && !Path.Exists(entry.FullName) && entry.LinkTarget is null;
}
