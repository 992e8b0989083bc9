using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Files;

/// <summary>Opens regular files only: a pipe, a socket or a device is refused at once and never waited for.</summary>
internal static partial class OrdinaryFile
{
    /// <summary>O_RDONLY, O_NONBLOCK and O_CLOEXEC: without O_NONBLOCK, opening a pipe waits for a program that writes into it.</summary>
    private static readonly int ReadWithoutWaiting =
        OperatingSystem.IsMacOS() ? 0x4 | 0x1000000 : OperatingSystem.IsFreeBSD() ? 0x4 | 0x100000 : 0x800 | 0x80000;

    /// <exception cref="IOException">The path is a symbolic link or no regular file, or it can't be read.</exception>
    /// <param name="followsLinks">Whether the path may be a symbolic link to a file.</param>
    public static FileStream OpenRead(string path, bool followsLinks = false)
    {
        if (!followsLinks && new FileInfo(path).LinkTarget is not null)
            throw new IOException($"{path} is a symbolic link, which is not followed: it may lead out of the store");
        if (OperatingSystem.IsWindows())
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0);
        var descriptor = Open(path, ReadWithoutWaiting);
        if (descriptor < 0)
            throw Failure(path);
        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            if (!IsRegular(handle))
                throw new IOException($"{path} is no file, but a directory, a pipe or a device");
            return new FileStream(handle, FileAccess.Read, 0);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Reads a small UTF-8 text completely.</summary>
    public static string ReadText(string path)
    {
        using var text = new StreamReader(OpenRead(path, followsLinks: true));
        return text.ReadToEnd();
    }

    /// <summary>
    /// Returns whether the handle is a regular file. If the system does not report the kind, a file that can seek counts as one, since
    /// pipes and sockets can't.
    /// </summary>
    private static bool IsRegular(SafeFileHandle handle) =>
        Nodes.KindOf(handle) is { } kind ? kind == NodeKind.OrdinaryFile : Seek((int)handle.DangerousGetHandle(), 0, 1) >= 0;

    private static Exception Failure(string path)
    {
        const int NoSuchFile = 2, NoSuchDevice = 6, AccessDenied = 13, NotPermitted = 1;
        var error = Marshal.GetLastPInvokeError();
        var text = $"open {path}: {Marshal.GetPInvokeErrorMessage(error)}";
        return error switch
        {
            NoSuchFile => new FileNotFoundException(text, path),
            AccessDenied or NotPermitted => new UnauthorizedAccessException(text),
            NoSuchDevice => new IOException($"{path} is no file, but a socket or a device", error),
            _ => new IOException(text, error),
        };
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long Seek(int descriptor, long offset, int from);
}
