using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Local;

/// <summary>
/// A backup that held mail and is not there at all is a disk that is not mounted until somebody says otherwise: filling the mount
/// point would fill the disk below it and make a second backup that nobody knows of.
/// </summary>
internal static class EmptiedTarget
{
    /// <summary>What a file system has of its own; it shows only that the disk is a new one.</summary>
    private static readonly string[] NoMail = ["lost+found", "System Volume Information"];

    /// <param name="isMaildir">Only directories hold mail there.</param>
    /// <exception cref="MailException">Earlier runs have put mail there and nothing is there. Nothing was made.</exception>
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
        return entries.Select(Path.GetFileName).Any(n => !NoMail.Contains(n) && !n!.StartsWith(".Trash-", StringComparison.Ordinal));
    }
}
