using System.Security.Cryptography;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.Stores.Local;

/// <summary>What a file system takes as a name. Those made for Windows (NTFS as desktops mount it, exFAT, FAT, many shares) take less than others.</summary>
internal sealed class NameLimits
{
    private static readonly string[] FormatsOfWindows = ["exfat", "fat", "msdos", "ntfs", "ntfs3", "vfat"];

    private NameLimits(bool areOfWindows) => AreOfWindows = areOfWindows;

    public static NameLimits None { get; } = new(false);

    /// <summary>No <c>: * ? " &lt; &gt; | \</c>, no dot or blank at the end, none of the names of devices.</summary>
    public static NameLimits OfWindows { get; } = new(true);

    public bool AreOfWindows { get; }

    /// <summary>What a message's info part begins with. The semicolon is what other programs take there, too (mbsync: InfoDelimiter).</summary>
    public char InfoSeparator => AreOfWindows ? ';' : ':';

    /// <summary>Finds out by making a file whose name has a colon, and removing it.</summary>
    /// <param name="makeAndRemove">Does so with a file of that path; throws where the system does.</param>
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
            // Where no file can be made at all it is not the colon.
            makeAndRemove(name);
            return OfWindows;
        }
    }

    /// <summary>What is likely by the file system's name, where nothing may be written.</summary>
    public static NameLimits Guess(string format) => FormatsOfWindows.Contains(format, StringComparer.OrdinalIgnoreCase) ? OfWindows : None;

    private static void MakeAndRemove(string path)
    {
        Posix.CreateNew(path).Dispose();
        File.Delete(path);
    }
}
