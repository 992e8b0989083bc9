using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.MailFiles;

/// <summary>
/// Searches another program's mail directories and records everything that is not read. Symbolic links are not followed, because they may
/// lead out of the tree.
/// </summary>
internal static class MailDirectories
{
    private const int MaxDepth = 200;

    /// <summary>The text that reports the directories for which <see cref="KeepsDeletedFiles"/> is true, which are left out.</summary>
    public const string WhyLeftOut = "directories of deleted, replaced or recovered files, which are left out";

    /// <summary>Returns the folders, each with its directories. A directory is a folder if it contains mail.</summary>
    /// <param name="isMail">Whether a file of that name is mail.</param>
    /// <param name="pathOf">
    /// Returns a directory's folder path from the names of its levels. If null, these names are the path, and the root is INBOX.
    /// </param>
    /// <param name="isSkipped">
    /// Returns whether a directory is skipped with its contents. If null, <see cref="KeepsDeletedFiles"/> decides.
    /// </param>
    public static IReadOnlyDictionary<FolderPath, IReadOnlyList<string>> Folders(
        string root, IMailTree tree, LeftOut leftOut, Func<string, bool> isMail, Func<IReadOnlyList<string>, FolderPath>? pathOf = null, Predicate<DirectoryInfo>? isSkipped = null)
    {
        pathOf ??= levels => levels.Count == 0 ? FolderPath.Inbox : new FolderPath(levels);
        var folders = new Dictionary<FolderPath, List<string>>();
        foreach (var (directory, levels) in All(root, leftOut, isSkipped))
        {
            if (!directory.EnumerateFiles().Any(f => isMail(f.Name)))
            {
                // The directory belongs to no folder. It is read here nevertheless, so that the files in it are recorded as left out.
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

    /// <summary>Returns the root and all directories below it, each with the names that lead there from the root.</summary>
    public static IEnumerable<(DirectoryInfo Directory, IReadOnlyList<string> Levels)> All(string root, LeftOut leftOut, Predicate<DirectoryInfo>? isSkipped = null)
    {
        var waiting = new Stack<(DirectoryInfo Directory, IReadOnlyList<string> Levels)>();
        waiting.Push((new DirectoryInfo(root), []));
        while (waiting.TryPop(out var next))
        {
            yield return next;
            foreach (var below in next.Directory.EnumerateDirectories().OrderByDescending(d => d.Name, StringComparer.Ordinal))
            {
                if (isSkipped?.Invoke(below) ?? KeepsDeletedFiles(below, leftOut))
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

    /// <summary>Returns whether a directory contains deleted, replaced or recovered files. If it does, records it as left out.</summary>
    public static bool KeepsDeletedFiles(DirectoryInfo directory, LeftOut leftOut)
    {
        if (!SystemFiles.KeepsDeletedFiles(directory.Name))
            return false;
        leftOut.Other(WhyLeftOut, directory.Name);
        return true;
    }

    /// <summary>Returns the files of a directory, except those that operating systems put there.</summary>
    public static IEnumerable<FileInfo> Files(string directory, LeftOut leftOut)
    {
        foreach (var file in new DirectoryInfo(directory).EnumerateFiles())
        {
            // .NET can't open a file whose name is not UTF-8, so the file would look as if it had been removed meanwhile.
            if (HasOtherName(file))
                leftOut.Unread("files whose names are no UTF-8; rename them", file.FullName);
            else if (!SystemFiles.Has(file.Name) && !SystemFiles.IsAppleDouble(file))
                yield return file;
        }
    }

    /// <summary>Returns whether the entry's real name is not UTF-8, so that .NET shows a different name.</summary>
    private static bool HasOtherName(FileSystemInfo entry) => entry.Name.Contains('\uFFFD', StringComparison.Ordinal) && !Path.Exists(entry.FullName) && entry.LinkTarget is null;
}
