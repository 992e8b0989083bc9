namespace Imapsync.Engine.Files;

/// <summary>
/// A fingerprint of a file's metadata ("look"): 40 bits for its length and time of modification, 24 bits for its identity on its file
/// system. Renaming changes none of these; another file under the same name, or the same file written again, differs in at least one.
/// </summary>
internal static class FileLook
{
    private const int NodeBits = 24;

    /// <summary>Returns a file's look; 0 where the file is gone or can't be examined.</summary>
    public static ulong Of(string path)
    {
        var stamp = FileStamp.Of(path);
        return stamp == default ? 0 : (Mix(Mix(1, stamp.Length), stamp.Written) << NodeBits) | (Mix(2, (long)stamp.Node) >> (64 - NodeBits)) | 1;
    }

    /// <summary>
    /// Returns whether the path now holds a different file with the same length and time: it was replaced, or the directory tree was
    /// restored from a copy.
    /// </summary>
    public static bool IsOtherFileAlike(ulong before, ulong now) => before != now && before >> NodeBits == now >> NodeBits;

    /// <summary>
    /// Mixes a value into a hash, so that every bit of the value affects all of the hash. The result must stay the same in every version of
    /// the program, since it is stored.
    /// </summary>
    private static ulong Mix(ulong before, long value)
    {
        var mixed = (before ^ (ulong)value) + 0x9E3779B97F4A7C15;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }
}
