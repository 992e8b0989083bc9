using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Files;

/// <summary>The kind of an entry of the file system.</summary>
internal enum NodeKind
{
    Nothing,
    OrdinaryFile,
    Directory,

    /// <summary>A pipe, a socket or a device. Opening a pipe waits until another program opens its other end, perhaps for ever.</summary>
    Other,
}

/// <summary>Determines the kind of entries without opening them.</summary>
internal static partial class Nodes
{
    public const int StatusBytes = 256;

    private const int CurrentDirectory = -100;
    private const int EmptyPath = 0x1000;

    private static readonly bool SystemAnswers = Ask(CurrentDirectory, "/", 0) is not null;

    /// <summary>
    /// Returns the kind of a path, following links. A broken link, or an entry that can't be examined, counts as nothing; opening it will
    /// report the error.
    /// </summary>
    public static NodeKind KindOf(string path)
    {
        // If statx works on this system, its failure means that nothing exists at the path. No other call is tried, because an entry may be
        // created meanwhile.
        if (SystemAnswers)
            return Ask(CurrentDirectory, path, 0) ?? NodeKind.Nothing;
        if (Directory.Exists(path))
            return NodeKind.Directory;
        return !File.Exists(path) ? NodeKind.Nothing
            : !OperatingSystem.IsWindows() && Path.GetFullPath(path).StartsWith("/dev/", StringComparison.Ordinal) ? NodeKind.Other
            : NodeKind.OrdinaryFile;
    }

    /// <summary>Returns the kind of an open file; null where the system does not report it.</summary>
    public static NodeKind? KindOf(SafeFileHandle handle) => Ask((int)handle.DangerousGetHandle(), "", EmptyPath);

    /// <summary>Refuses entries that can't be read or replaced as a whole.</summary>
    /// <exception cref="IOException">The path is a pipe, a socket or a device.</exception>
    public static void RequireNoDevice(string path)
    {
        if (KindOf(path) is NodeKind.Other)
            throw new IOException($"{path} is no ordinary file but a pipe, a socket or a device; remove it, or name another place");
    }

    private static NodeKind? Ask(int directory, string path, int flags)
    {
        const int WantType = 1, OffsetOfMode = 28, TypeMask = 0xF000, Regular = 0x8000, DirectoryType = 0x4000;
        Span<byte> found = stackalloc byte[StatusBytes];
        if (!TryReadStatus(directory, path, flags, WantType, found))
            return null;
        return (MemoryMarshal.Read<ushort>(found[OffsetOfMode..]) & TypeMask) switch
        {
            Regular => NodeKind.OrdinaryFile,
            DirectoryType => NodeKind.Directory,
            _ => NodeKind.Other,
        };
    }

    /// <summary>
    /// Reads a path's status by statx, the only such call with the same layout on every architecture. Returns false if the call fails or
    /// does not exist.
    /// </summary>
    /// <param name="found">Receives <see cref="StatusBytes"/> octets.</param>
    public static bool TryReadStatus(string path, int wanted, Span<byte> found) => TryReadStatus(CurrentDirectory, path, 0, wanted, found);

    private static bool TryReadStatus(int directory, string path, int flags, int wanted, Span<byte> found)
    {
        if (!OperatingSystem.IsLinux())
            return false;
        try
        {
            return Statx(directory, path, flags, wanted, ref MemoryMarshal.GetReference(found)) == 0;
        }
        catch (EntryPointNotFoundException)
        {
            // C libraries from before 2018 have no statx.
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, int mask, ref byte found);
}
