using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Files;

/// <summary>What a name of the file system stands for.</summary>
internal enum NodeKind
{
    Nothing,
    OrdinaryFile,
    Directory,

    /// <summary>A pipe, a socket or a device. To open a pipe waits for whoever opens its other end, perhaps for ever.</summary>
    Other,
}

/// <summary>Looks without opening anything.</summary>
internal static partial class Nodes
{
    public const int StatusBytes = 256;

    private const int CurrentDirectory = -100;
    private const int EmptyPath = 0x1000;

    /// <summary>Links are followed; one that leads nowhere is nothing, and so is what can't be looked at: opening it tells.</summary>
    public static NodeKind KindOf(string path)
    {
        if (Ask(CurrentDirectory, path, 0) is { } kind)
            return kind;
        if (Directory.Exists(path))
            return NodeKind.Directory;
        return !File.Exists(path) ? NodeKind.Nothing
            : !OperatingSystem.IsWindows() && Path.GetFullPath(path).StartsWith("/dev/", StringComparison.Ordinal) ? NodeKind.Other
            : NodeKind.OrdinaryFile;
    }

    /// <summary>Null where the system does not tell.</summary>
    public static NodeKind? KindOf(SafeFileHandle handle) => Ask((int)handle.DangerousGetHandle(), "", EmptyPath);

    /// <summary>For what is to be read or replaced as a whole.</summary>
    /// <exception cref="IOException">It is a pipe, a socket or a device.</exception>
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

    /// <summary>What the system says of a path by statx, which alone has the same layout on every architecture. False where it does not say.</summary>
    /// <param name="found"><see cref="StatusBytes"/> of them.</param>
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
            // A C library from before 2018.
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, int mask, ref byte found);
}
