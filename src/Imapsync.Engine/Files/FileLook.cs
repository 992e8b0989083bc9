namespace Imapsync.Engine.Files;

/// <summary>
/// How a file looks from outside: its length, when it was written, and which file it is on its file system. Renaming changes none of these;
/// another file under the same name, or the same one written again, differs in one of them. 40 bits for the first two, 24 for the last.
/// </summary>
internal static class FileLook
{
    private const int NodeBits = 24;

    /// <summary>0 where the file is gone or can't be looked at.</summary>
    public static ulong Of(string path)
    {
        var stamp = FileStamp.Of(path);
        return stamp == default ? 0 : (Mix(Mix(1, stamp.Length), stamp.Written) << NodeBits) | (Mix(2, (long)stamp.Node) >> (64 - NodeBits)) | 1;
    }

    /// <summary>Length and time are the same, and it is another file: one in its place, or all of its tree was brought back from a copy.</summary>
    public static bool IsOtherFileAlike(ulong before, ulong now) => before != now && before >> NodeBits == now >> NodeBits;

    /// <summary>Scatters every bit; the same in each version of the program.</summary>
    private static ulong Mix(ulong before, long value)
    {
        var mixed = (before ^ (ulong)value) + 0x9E3779B97F4A7C15;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }
}
