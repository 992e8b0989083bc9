namespace Imapsync.Engine.Stores.Local;

/// <summary>
/// Finds out whether the file system treats two spellings as one name, because it ignores case or accents. Each directory is tested,
/// because it may differ from its parent. The test writes nothing.
/// </summary>
/// <param name="Exists">Returns whether the system finds something under a path.</param>
/// <param name="NamesIn">Returns the names in a directory, spelt as they were created.</param>
internal sealed record NameLookup(Func<string, bool> Exists, Func<string, IEnumerable<string>> NamesIn)
{
    public static NameLookup OfSystem { get; } = new(
        Path.Exists, directory => Directory.EnumerateFileSystemEntries(directory).Select(e => Path.GetFileName(e)));

    /// <summary>Returns whether something exists under this path whose name is spelt differently.</summary>
    public bool IsAnothers(string path)
    {
        if (!Exists(path))
            return false;
        var name = Path.GetFileName(path);
        var parent = Path.GetDirectoryName(path)!;

        // On a case-sensitive file system this costs one more lookup, and the directory is not read.
        return Exists(Path.Combine(parent, SwapCase(name))) && !NamesIn(parent).Contains(name, StringComparer.Ordinal);
    }

    private static string SwapCase(string name) =>
        string.Create(name.Length, name, (swapped, from) =>
        {
            for (var i = 0; i < swapped.Length; i++)
                swapped[i] = char.IsUpper(from[i]) ? char.ToLowerInvariant(from[i]) : char.ToUpperInvariant(from[i]);
        });
}
