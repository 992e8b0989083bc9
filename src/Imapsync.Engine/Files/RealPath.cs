namespace Imapsync.Engine.Files;

/// <summary>Finds the path without symbolic links at which a file or directory really is.</summary>
internal static class RealPath
{
    /// <summary>The most symbolic links that are followed, as in the Linux kernel.</summary>
    private const int MaxLinks = 40;

    /// <summary>
    /// Returns the absolute path with every symbolic link replaced by its destination. The part that does not exist yet, or whose links
    /// can't be read, stays as it is.
    /// </summary>
    public static string Of(string path)
    {
        var links = 0;
        var real = "/";
        var left = new Stack<string>(Path.GetFullPath(path).Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        while (left.TryPop(out var level))
        {
            var next = Path.Combine(real, level);
            if (LinkTargetOf(next) is not { } target || ++links > MaxLinks)
            {
                real = next;
                continue;
            }

            // The destination may lead through further links, so all of its levels are resolved, beginning at the root.
            real = "/";
            foreach (var part in Path.GetFullPath(target, Path.GetDirectoryName(next)!).Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
                left.Push(part);
        }

        return real;
    }

    private static string? LinkTargetOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            return null;
        }
    }
}
