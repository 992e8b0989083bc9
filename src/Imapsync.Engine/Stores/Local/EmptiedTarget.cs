using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Local;

/// <summary>
/// Refuses to write to a backup that held mail after earlier runs and is now empty or missing, until a person permits it. Presumably its disk is
/// not mounted. A run would then make a second backup in the directory of the mount point, on another disk, and nobody would know of it.
/// </summary>
internal static class EmptiedTarget
{
    /// <summary>Directories that a file system creates by itself. A directory that contains only these counts as empty.</summary>
    private static readonly string[] NoMail = ["lost+found", "System Volume Information"];

    /// <param name="isMaildir">Whether only directories can hold mail there, so that files are ignored.</param>
    /// <exception cref="MailException">
    /// Earlier runs stored mail in this backup and nothing of it is left. When this is thrown, nothing was created.
    /// </exception>
    public static void Refuse(Endpoint endpoint, string root, bool isMaildir, StoreContext context)
    {
        if (context.MessagesHeld == 0 || HoldsAnything(root, isMaildir))
            return;
        var what = Directory.Exists(root) ? "is empty" : "is not there";
        throw new MailException(
            FailureScope.Store,
            isTransient: false,
            $"{endpoint.Display}: {root} {what}, and earlier runs put {context.MessagesHeld} messages there; nothing was written. Mount its disk, or correct the path. "
            + "If the backup is gone and is to be made anew, run once with --heal");
    }

    private static bool HoldsAnything(string root, bool isMaildir)
    {
        if (!Directory.Exists(root))
            return false;
        var entries = isMaildir ? Directory.EnumerateDirectories(root) : Directory.EnumerateFileSystemEntries(root);
        return entries.Select(Path.GetFileName).Any(n => !NoMail.Contains(n) && !SystemFiles.IsTrash(n!));
    }
}
