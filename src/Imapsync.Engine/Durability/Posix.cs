using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Durability;

/// <summary>The few POSIX calls the base class library does not give. Linux, macOS and the BSDs.</summary>
internal static partial class Posix
{
    private const int ReadOnly = 0;
    private const int ESRCH = 3;

    /// <summary>O_CLOEXEC, so that a child process (a password command) inherits nothing.</summary>
    private static readonly int CloseOnExec = OperatingSystem.IsMacOS() ? 0x1000000 : OperatingSystem.IsFreeBSD() ? 0x100000 : 0x80000;

    /// <summary>A handle for reading, also on what <see cref="File.OpenHandle(string, FileMode, FileAccess, FileShare, FileOptions, long)"/> refuses: a directory, a file that is locked.</summary>
    public static SafeFileHandle OpenRead(string path)
    {
        // open is variadic in C; without O_CREAT the third argument is never read, so two are enough on every ABI.
        var descriptor = Open(path, ReadOnly | CloseOnExec);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failure("open", path);
    }

    /// <summary>Makes renames, creations and removals in a directory durable.</summary>
    public static void SyncDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
            return;
        using var handle = OpenRead(directory);
        RandomAccess.FlushToDisk(handle);
    }

    /// <summary>
    /// Makes everything of the file system that holds <paramref name="path"/> durable, others' files included.
    /// False where the system has no such call.
    /// </summary>
    public static bool TrySyncFileSystem(string path)
    {
        // syncfs reports write errors only since Linux 5.8; before that it would promise too much.
        if (!OperatingSystem.IsLinux() || Environment.OSVersion.Version < new Version(5, 8))
            return false;
        using var handle = OpenRead(path);
        return SyncFs((int)handle.DangerousGetHandle()) == 0 ? true : throw Failure("syncfs", path);
    }

    /// <summary>Throws what a change in this directory would: no permission, a file system mounted read-only.</summary>
    public static void DemandWritable(string directory)
    {
        const int WriteAndSearch = 2 | 1;
        if (!OperatingSystem.IsWindows() && Access(directory, WriteAndSearch) != 0)
            throw Failure("write", directory);
    }

    /// <summary>False when there is certainly no process of that number here.</summary>
    public static bool ProcessMayLive(int pid) => pid > 0 && (Kill(pid, 0) == 0 || Marshal.GetLastPInvokeError() != ESRCH);

    private static IOException Failure(string call, string path)
    {
        // As the base class library does: the error's own number as HResult.
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{call} {path}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFs(int descriptor);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
