using System.Runtime.InteropServices;

namespace Imapsync.Engine.Files;

// This part renames without replacing: a name that somebody takes in between, after it was looked for, stays theirs.
internal static partial class Posix
{
    /// <summary>
    /// Renames a file on the same file system unless anything of the new name exists: false where it does, null where the file is gone. Where
    /// neither the system nor the file system can do so in one step (no hard links either), the name is looked for before.
    /// </summary>
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

    /// <summary>Returns the error's number, or 0: renameat2(2), which C libraries other than that of GNU got late.</summary>
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
