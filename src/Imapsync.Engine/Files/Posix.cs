using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Files;

/// <summary>The few POSIX calls that the base class library lacks. For Linux, macOS and the BSDs.</summary>
internal static partial class Posix
{
    /// <summary>
    /// The error number for a name that already exists. .NET passes the operating system's error numbers unchanged as HResult.
    /// </summary>
    public const int EEXIST = 17;

    private const int ReadOnly = 0;
    private const int ENOENT = 2;
    private const int ESRCH = 3;
    private const int EACCES = 13;

    /// <summary>EAGAIN, under the name that flock(2) gives it.</summary>
    private static readonly int EWOULDBLOCK = OperatingSystem.IsLinux() ? 11 : 35;

    /// <summary>Flags for a new file: O_WRONLY, O_CREAT, O_EXCL and O_CLOEXEC of Linux.</summary>
    private const int NewForWriting = 0x1 | 0x40 | 0x80 | 0x80000;
    private const int OwnerOnly = 0x180;

    /// <summary>Flags for a nameless file: O_WRONLY, O_TMPFILE with the O_DIRECTORY of this architecture, and O_CLOEXEC of Linux.</summary>
    private static readonly int NamelessForWriting = 0x1 | 0x400000 | 0x80000
        | (RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 or Architecture.Ppc64le ? 0x4000 : 0x10000);

    /// <summary>Flags for one of this program's files: O_RDWR, O_NOFOLLOW of this architecture, and O_CLOEXEC of Linux.</summary>
    private static readonly int OwnForWriting = 0x2 | 0x80000
        | (RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 or Architecture.Ppc64le ? 0x8000 : 0x20000);

    /// <summary>O_CLOEXEC, so that a child process (a password command) inherits nothing.</summary>
    private static readonly int CloseOnExec = OperatingSystem.IsMacOS() ? 0x1000000 : OperatingSystem.IsFreeBSD() ? 0x100000 : 0x80000;

    /// <summary>
    /// Opens a path for reading. Unlike <see cref="File.OpenHandle(string, FileMode, FileAccess, FileShare, FileOptions, long)"/>, it also
    /// opens directories and files that another process has locked.
    /// </summary>
    public static SafeFileHandle OpenRead(string path)
    {
        // open is variadic in C. Without O_CREAT it never reads the third argument, so passing two arguments is correct on every platform.
        var descriptor = Open(path, ReadOnly | CloseOnExec);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failure("open", path);
    }

    /// <summary>
    /// Creates a file with mode 0600 and opens it for writing; fails if the name exists. This takes one system call. .NET makes five more
    /// to examine and lock the file, which is not needed for a name that no other program knows.
    /// </summary>
    public static SafeFileHandle CreateNew(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            // On every Linux architecture that .NET supports, variadic arguments are passed like others.
            var descriptor = Open(path, NewForWriting, OwnerOnly);
            return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failure("open", path);
        }

        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return file;
    }

    /// <summary>Like <see cref="CreateNew"/>, but first removes an existing entry of that name, even a link to somebody's file.</summary>
    public static SafeFileHandle CreateAnew(string path)
    {
        try
        {
            return CreateNew(path);
        }
        catch (IOException) when (Path.Exists(path) || new FileInfo(path).LinkTarget is not null)
        {
            File.Delete(path);
            return CreateNew(path);
        }
    }

    /// <summary>
    /// Opens one of this program's files for reading and writing; a new one gets mode 0600. Throws if the path is a symbolic link, because
    /// whoever created the link would decide which file is written. One system call checks and opens, so nothing can change in between.
    /// </summary>
    public static SafeFileHandle OpenOwn(string path, bool create)
    {
        const int Create = 0x40, TooManyLinks = 40;
        if (!OperatingSystem.IsLinux())
        {
            DurableFiles.RequireNoLink(path);
            return new FileStream(path, DurableFiles.ForOwner(create ? FileMode.OpenOrCreate : FileMode.Open, FileAccess.ReadWrite)).SafeFileHandle;
        }

        var descriptor = Open(path, create ? OwnForWriting | Create : OwnForWriting, OwnerOnly);
        if (descriptor >= 0)
            return new SafeFileHandle(descriptor, ownsHandle: true);
        var failure = Failure("open", path);
        if (failure.HResult == TooManyLinks)
            DurableFiles.RequireNoLink(path);
        throw failure;
    }

    /// <summary>Writes to a file opened by this class. Its handle does not know the file's name, so failures get the name here.</summary>
    public static void Write(SafeFileHandle file, string path, ReadOnlySpan<byte> octets, long offset)
    {
        try
        {
            RandomAccess.Write(file, octets, offset);
        }
        catch (IOException e)
        {
            throw new IOException($"{e.Message}: {path}", e) { HResult = e.HResult };
        }
    }

    /// <summary>
    /// Creates a directory with mode 0700 by one system call. Returns false if the name exists, null if the parent directory does not.
    /// </summary>
    public static bool? TryCreateDirectory(string path)
    {
        const uint OwnerOnlyDirectory = 0x1C0;
        if (MakeDirectory(path, OwnerOnlyDirectory) == 0)
            return true;
        return Marshal.GetLastPInvokeError() switch
        {
            EEXIST => false,
            ENOENT => null,
            _ => throw Failure("mkdir", path),
        };
    }

    /// <summary>Syncs a file's data and size; on Unix any handle suffices for that, also one for reading.</summary>
    public static void SyncFile(string path)
    {
        using var handle = OperatingSystem.IsWindows()
            ? File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete)
            : OpenRead(path);
        RandomAccess.FlushToDisk(handle);
    }

    /// <summary>
    /// Creates a file with mode 0600 whose name never shows incomplete contents, not even after a power cut. It is written and synced
    /// without a name, then linked. Returns false if the name exists. Returns null, with nothing created, if nameless files are not
    /// supported.
    /// </summary>
    public static bool? TryCreateWhole(string path, ReadOnlySpan<byte> contents)
    {
        const int FollowSymbolicLink = 0x400;
        if (!OperatingSystem.IsLinux())
            return null;
        var descriptor = Open(Path.GetDirectoryName(path)!, NamelessForWriting, OwnerOnly);
        if (descriptor < 0)
            return null;
        using var file = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            RandomAccess.Write(file, contents, 0);

            // Without this sync, a power cut may leave the name without the contents.
            RandomAccess.FlushToDisk(file);
        }
        catch (IOException)
        {
            // Most likely the disk is full. The caller then creates the file in another way, which reports the error with the file's name.
            return null;
        }

        if (Link(0, $"/proc/self/fd/{descriptor}", 0, path, FollowSymbolicLink) == 0)
            return true;
        return Marshal.GetLastPInvokeError() == EEXIST ? false : null;
    }

    /// <summary>
    /// Renames a file on the same file system and replaces an existing one of that name: rename(2) without any further call.
    /// </summary>
    public static void Rename(string path, string newPath)
    {
        if (OperatingSystem.IsWindows())
            File.Move(path, newPath, overwrite: true);
        else if (RenameFile(path, newPath) < 0)
            throw Failure("rename", path);
    }

    /// <summary>
    /// Adds a hard link to a file on the same file system: link(2), without following links. Returns false if the file is gone. If the new
    /// name exists, it stays, and the result is true.
    /// </summary>
    /// <exception cref="IOException">
    /// The file system has no hard links, the other directory is on another file system, or the file has the maximal number of links.
    /// </exception>
    public static bool TryLink(string path, string newPath)
    {
        const int EXDEV = 18, EPERM = 1, EMLINK = 31, EOPNOTSUPP = 95, ENOSYS = 38, EOPNOTSUPPOfBsd = 45;
        if (OperatingSystem.IsWindows())
            throw new IOException("hard links are not made on Windows");
        if (Link(0, path, 0, newPath, 0) == 0)
            return true;
        return Marshal.GetLastPInvokeError() switch
        {
            EEXIST => true,
            ENOENT => false,
            EXDEV => throw new IOException($"{newPath} is on another file system than {path}, and a hard link can't lead to another; choose a directory beside the mail", EXDEV),
            EPERM or EOPNOTSUPP or ENOSYS or EOPNOTSUPPOfBsd => throw new IOException($"the file system of {path} makes no hard links, without which each snapshot would be a full copy; keep the mail on one that does (ext4, XFS, Btrfs, ZFS, APFS)", EPERM),
            EMLINK => throw new IOException($"{path} has as many hard links as its file system allows; keep fewer snapshots", EMLINK),
            _ => throw Failure("link", path),
        };
    }

    /// <summary>
    /// Locks a directory until disposed: flock(2), which creates no file. Returns null if another caller of this method holds the lock. If
    /// the system has no such locks, every caller gets one without effect.
    /// </summary>
    /// <param name="isShared">Whether other shared locks may be held at the same time.</param>
    public static IDisposable? TryLockDirectory(string directory, bool isShared = false)
    {
        const int Shared = 1, Exclusive = 2, AtOnce = 4;
        if (OperatingSystem.IsWindows())
            return new SafeFileHandle();
        var handle = OpenRead(directory);
        if (Flock((int)handle.DangerousGetHandle(), (isShared ? Shared : Exclusive) | AtOnce) == 0 || Marshal.GetLastPInvokeError() != EWOULDBLOCK)
            return new DirectoryLock(handle);
        handle.Dispose();
        return null;
    }

    /// <summary>
    /// Releases the lock; to be called before a locked file is closed. A child process that is just starting also holds the handle. Closing
    /// alone would leave the lock to it until it executes its program.
    /// </summary>
    public static void Unlock(SafeFileHandle locked)
    {
        const int Unlocked = 8;
        if (!OperatingSystem.IsWindows())
            _ = Flock((int)locked.DangerousGetHandle(), Unlocked);
    }

    private sealed class DirectoryLock(SafeFileHandle directory) : IDisposable
    {
        public void Dispose()
        {
            Unlock(directory);
            directory.Dispose();
        }
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
    /// Makes everything on the file system of <paramref name="path"/> durable, other programs' files included. False where the system has
    /// no such call.
    /// </summary>
    public static bool TrySyncFileSystem(string path)
    {
        // syncfs reports write errors only since Linux 5.8, so on older kernels its success proves nothing.
        if (!OperatingSystem.IsLinux() || Environment.OSVersion.Version < new Version(5, 8))
            return false;
        using var handle = OpenRead(path);
        return SyncFs((int)handle.DangerousGetHandle()) == 0 ? true : throw Failure("syncfs", path);
    }

    /// <summary>
    /// Throws the exception that a change in this directory would throw: a missing permission, a file system mounted read-only.
    /// </summary>
    public static void RequireWritable(string directory)
    {
        const int WriteAndSearch = 2 | 1;
        if (!OperatingSystem.IsWindows() && Access(directory, WriteAndSearch) != 0)
            throw Failure("write", directory);
    }

    /// <summary>Throws the exception that opening this file for writing would throw.</summary>
    public static void RequireWritableFile(string file)
    {
        const int Write = 2;
        if (!OperatingSystem.IsWindows() && Access(file, Write) != 0)
            throw Failure("write", file);
    }

    /// <summary>
    /// Opens a file for reading and writing, creates it with mode 0600 if missing, and locks it by flock(2). Returns null if another
    /// program has locked it. If the system has no such locks, the file is opened without one. The locks of .NET are not used, because an
    /// environment variable can turn them off.
    /// </summary>
    public static FileStream? TryOpenLocked(string path)
    {
        const int ReadWrite = 2, ExclusiveAtOnce = 2 | 4;
        try
        {
            CreateNew(path).Dispose();
        }
        catch (IOException) when (File.Exists(path))
        {
        }

        var descriptor = Open(path, ReadWrite | CloseOnExec);
        if (descriptor < 0)
            throw Failure("open", path);
        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (Flock(descriptor, ExclusiveAtOnce) == 0 || Marshal.GetLastPInvokeError() != EWOULDBLOCK)
            return new FileStream(handle, FileAccess.ReadWrite, bufferSize: 0);
        handle.Dispose();
        return null;
    }

    /// <summary>Returns false only where there is certainly no process of that number on this machine.</summary>
    public static bool ProcessMayLive(int pid) => pid > 0 && (Kill(pid, 0) == 0 || Marshal.GetLastPInvokeError() != ESRCH);

    /// <summary>Returns whether an attempt to lock failed because another program holds the lock.</summary>
    public static bool IsHeldByAnother(Exception error) => error is UnauthorizedAccessException || error.HResult == EWOULDBLOCK;

    private static Exception Failure(string call, string path)
    {
        // The error number becomes the HResult, as in the base class library.
        var error = Marshal.GetLastPInvokeError();
        var text = $"{call} {path}: {Marshal.GetPInvokeErrorMessage(error)}";
        return error switch
        {
            ENOENT => new FileNotFoundException(text, path),
            EACCES => new UnauthorizedAccessException(text),
            _ => new IOException(text, error),
        };
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeDirectory(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameFile(string path, string newPath);

    [LibraryImport("libc", EntryPoint = "linkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(int directory, string path, int newDirectory, string newPath, int flags);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(int descriptor, int operation);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFs(int descriptor);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
