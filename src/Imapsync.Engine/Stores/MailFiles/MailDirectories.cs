namespace Imapsync.Engine.Stores.MailFiles;

/// <summary>Walks through the directories of another program's tree. Symbolic links may lead out of the tree and are not followed.</summary>
internal static class MailDirectories
{
    private const int MaxDepth = 64;

    /// <summary>Returns the directory and all directories below it, each with the names that lead there from the root.</summary>
    public static IEnumerable<(DirectoryInfo Directory, IReadOnlyList<string> Levels)> All(string root, LeftOut leftOut)
    {
        var waiting = new Stack<(DirectoryInfo Directory, IReadOnlyList<string> Levels)>();
        waiting.Push((new DirectoryInfo(root), []));
        while (waiting.TryPop(out var next))
        {
            yield return next;
            foreach (var below in next.Directory.EnumerateDirectories().OrderByDescending(d => d.Name, StringComparer.Ordinal))
            {
                if (below.LinkTarget is not null)
                    leftOut.Unread("symbolic links to directories, which are not followed", below.FullName);
                else if (next.Levels.Count == MaxDepth)
                    leftOut.Unread("directories that lie too deep", below.FullName);
                else
                    waiting.Push((below, [.. next.Levels, below.Name]));
            }
        }
    }

    /// <summary>Whether the name is that of one of the system's own files, which hold no data of a person.</summary>
    public static bool IsOfTheSystem(string name) => name is ".DS_Store" or "Thumbs.db" or "desktop.ini" or ".nomedia";
}
