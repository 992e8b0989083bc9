using System.Security.Cryptography;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.Stores.Local;

/// <summary>The file names that a file system accepts. Windows file systems (NTFS, exFAT, FAT, many network shares) accept fewer.</summary>
internal sealed class NameLimits
{
    private static readonly string[] FormatsOfWindows = ["exfat", "fat", "msdos", "ntfs", "ntfs3", "vfat"];

    private NameLimits(bool areOfWindows) => AreOfWindows = areOfWindows;

    public static NameLimits None { get; } = new(false);

    /// <summary>The limits of Windows: no <c>: * ? " &lt; &gt; | \</c>, no dot or blank at the end, no device names.</summary>
    public static NameLimits OfWindows { get; } = new(true);

    public bool AreOfWindows { get; }

    /// <summary>
    /// The character before the info part of a Maildir message's file name. Where colons are not allowed, it is the semicolon, as in
    /// mbsync.
    /// </summary>
    public char InfoSeparator => AreOfWindows ? ';' : ':';

    /// <summary>Finds the limits out by creating a file with a colon in its name and removing it.</summary>
    /// <param name="makeAndRemove">Creates and removes a file of that path; throws if the system refuses.</param>
    public static NameLimits Probe(string directory, Action<string>? makeAndRemove = null)
    {
        makeAndRemove ??= MakeAndRemove;
        var name = Path.Combine(directory, $".imapsync-probe-{RandomNumberGenerator.GetHexString(8, lowercase: true)}");
        try
        {
            makeAndRemove(name + ":2,");
            return None;
        }
        catch (Exception e) when (FileErrors.Is(e) && !FileErrors.IsEverywhere(e))
        {
            // Also tries a name without a colon. If that fails too, the colon was not the reason, and the exception passes through.
            makeAndRemove(name);
            return OfWindows;
        }
    }

    /// <summary>Guesses the limits from the file system's type, for directories that must not be written to.</summary>
    public static NameLimits Guess(string format) => FormatsOfWindows.Contains(format, StringComparer.OrdinalIgnoreCase) ? OfWindows : None;

    private static void MakeAndRemove(string path)
    {
        Posix.CreateNew(path).Dispose();
        File.Delete(path);
    }
}
