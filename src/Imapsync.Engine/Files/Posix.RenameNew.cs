using System.Runtime.InteropServices;

namespace Imapsync.Engine.Files;

// This part of the class renames a file without replacing another one, even one that another program creates at the same moment.
internal static partial class Posix
{
    /// <summary>
    /// Renames a file within one file system, unless a file or directory already has the new name. If the system can't do that in one step,
    /// not even with a hard link, the new name is checked first.
    /// </summary>
    /// <returns>True if the file was renamed, false if the new name is taken, null if the file does not exist.</returns>
    public static bool? TryRenameNew(string path, string newPath)
    {
        const int EPERM = 1, EINVAL = 22, EOPNOTSUPP = 95, ENOSYS = 38, EOPNOTSUPPOfBsd = 45;
        if (OperatingSystem.IsWindows())
            return TryMoveNew(path, newPath);
        if (OperatingSystem.IsLinux())
        {
            switch (RenameNew(path, newPath))
            {
                case 0:
                    return true;
                case EEXIST:
                    return false;
                case ENOENT when !File.Exists(path):
                    return null;
                case EINVAL or ENOSYS or EOPNOTSUPP:
                    break;
                default:
                    throw Failure("rename", path);
            }
        }

        if (Link(0, path, 0, newPath, 0) == 0)
        {
            File.Delete(path);
            return true;
        }

        switch (Marshal.GetLastPInvokeError())
        {
            case EEXIST:
                return false;
            case ENOENT when !File.Exists(path):
                return null;
            case EPERM or EOPNOTSUPP or ENOSYS or EOPNOTSUPPOfBsd:
                return TryMoveNew(path, newPath);
            default:
                throw Failure("link", path);
        }
    }

    private static bool? TryMoveNew(string path, string newPath)
    {
        if (!File.Exists(path))
            return null;
        if (Path.Exists(newPath))
            return false;
        Rename(path, newPath);
        return true;
    }

    /// <summary>
    /// Calls renameat2(2) with RENAME_NOREPLACE. Returns 0 or the error number; ENOSYS if the C library lacks the function, as old ones do.
    /// </summary>
    private static int RenameNew(string path, string newPath)
    {
        const int FromWorkingDirectory = -100, WithoutReplacing = 1, ENOSYS = 38;
        try
        {
            return RenameAt(FromWorkingDirectory, path, FromWorkingDirectory, newPath, WithoutReplacing) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
        catch (EntryPointNotFoundException)
        {
            return ENOSYS;
        }
    }

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt(int directory, string path, int newDirectory, string newPath, uint flags);
}
