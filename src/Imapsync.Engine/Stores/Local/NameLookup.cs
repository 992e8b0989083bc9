namespace Imapsync.Engine.Stores.Local;

/// <summary>
/// Tells a name from another that the file system takes for the same: macOS, Windows' shares and some directories of Linux do not
/// tell upper from lower case, and some fold accents. Looks only; a directory may differ from the one above it.
/// </summary>
/// <param name="Exists">Whether the system finds something under a path.</param>
/// <param name="NamesIn">The names in a directory as they were given.</param>
internal sealed record NameLookup(Func<string, bool> Exists, Func<string, IEnumerable<string>> NamesIn)
{
    public static NameLookup OfSystem { get; } = new(
        Path.Exists, directory => Directory.EnumerateFileSystemEntries(directory).Select(e => Path.GetFileName(e)));

    /// <summary>Something is found there, but under another name.</summary>
    public bool IsAnothers(string path)
    {
        if (!Exists(path))
            return false;
        var name = Path.GetFileName(path);
        var parent = Path.GetDirectoryName(path)!;

        // Where the system tells cases apart this costs one more look, and the directory is not read.
        return Exists(Path.Combine(parent, SwapCase(name))) && !NamesIn(parent).Contains(name, StringComparer.Ordinal);
    }

    private static string SwapCase(string name) =>
        string.Create(name.Length, name, (swapped, from) =>
        {
            for (var i = 0; i < swapped.Length; i++)
                swapped[i] = char.IsUpper(from[i]) ? char.ToLowerInvariant(from[i]) : char.ToUpperInvariant(from[i]);
        });
}
