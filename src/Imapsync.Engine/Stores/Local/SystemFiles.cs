using Imapsync.Engine.Files;

namespace Imapsync.Engine.Stores.Local;

/// <summary>Files that operating systems put into any directory and that contain nothing of the user's.</summary>
internal static class SystemFiles
{
    /// <summary>
    /// Directories in which operating systems and sync programs keep deleted, replaced or recovered files. They are skipped unopened,
    /// because not every user may read them.
    /// </summary>
    private static readonly string[] DeletedFiles =
        [".dropbox.cache", ".recycle", ".snapshot", ".snapshots", ".stversions", ".sync", ".Trash", ".Trashes", ".zfs", "lost+found"];

    private static ReadOnlySpan<byte> AppleDouble => [0x00, 0x05, 0x16, 0x07];

    /// <summary>
    /// Returns whether this is the name of a disk's trash directory, to which file managers move deleted files (freedesktop.org:
    /// <c>.Trash-UID</c>).
    /// </summary>
    public static bool IsTrash(string name) => name.StartsWith(".Trash-", StringComparison.Ordinal);

    /// <summary>Returns whether a directory of this name contains deleted, replaced or recovered files, a disk's trash included.</summary>
    public static bool KeepsDeletedFiles(string name) => DeletedFiles.Contains(name) || IsTrash(name);

    public static bool Has(string name) => name is ".DS_Store" or "Thumbs.db" or "desktop.ini" or ".nomedia";

    /// <summary>
    /// Returns whether macOS stores another file's attributes in this file (AppleDouble: <c>._1.eml</c> for <c>1.eml</c>). False if the
    /// file can't be read.
    /// </summary>
    public static bool IsAppleDouble(FileInfo file)
    {
        if (!file.Name.StartsWith("._", StringComparison.Ordinal) || file.LinkTarget is not null || Nodes.KindOf(file.FullName) is not NodeKind.OrdinaryFile)
            return false;
        try
        {
            using var opened = File.OpenHandle(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            Span<byte> beginning = stackalloc byte[AppleDouble.Length];
            return RandomAccess.Read(opened, beginning, 0) == beginning.Length && beginning.SequenceEqual(AppleDouble);
        }
        catch (Exception error) when (FileErrors.Is(error))
        {
            return false;
        }
    }
}
