using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Durability;

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
    public static void DemandNoDevice(string path)
    {
        if (KindOf(path) is NodeKind.Other)
            throw new IOException($"{path} is no ordinary file but a pipe, a socket or a device; remove it, or name another place");
    }

    /// <summary>By statx, which alone has the same layout on every architecture.</summary>
    private static NodeKind? Ask(int directory, string path, int flags)
    {
        const int WantType = 1, SizeOfStatx = 256, OffsetOfMode = 28, TypeMask = 0xF000, Regular = 0x8000, DirectoryType = 0x4000;
        if (!OperatingSystem.IsLinux())
            return null;
        Span<byte> found = stackalloc byte[SizeOfStatx];
        try
        {
            if (Statx(directory, path, flags, WantType, ref MemoryMarshal.GetReference(found)) != 0)
                return null;
        }
        catch (EntryPointNotFoundException)
        {
            // A C library from before 2018.
            return null;
        }

        return (MemoryMarshal.Read<ushort>(found[OffsetOfMode..]) & TypeMask) switch
        {
            Regular => NodeKind.OrdinaryFile,
            DirectoryType => NodeKind.Directory,
            _ => NodeKind.Other,
        };
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, int mask, ref byte found);
}
