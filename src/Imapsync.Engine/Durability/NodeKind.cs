using System.Runtime.InteropServices;

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
    private const int WantTypeAndMode = 1 | 2;
    private const int ModeOffset = 28;
    private const int TypeMask = 0xF000, Regular = 0x8000, DirectoryType = 0x4000;

    /// <summary>Links are followed; one that leads nowhere is nothing. What can't be looked at is taken for an ordinary file: opening it tells.</summary>
    public static NodeKind KindOf(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            // statx alone has the same layout on every architecture.
            const int CurrentDirectory = -100;
            Span<byte> found = stackalloc byte[256];
            try
            {
                if (Statx(CurrentDirectory, path, 0, WantTypeAndMode, ref MemoryMarshal.GetReference(found)) == 0)
                {
                    return (MemoryMarshal.Read<ushort>(found[ModeOffset..]) & TypeMask) switch
                    {
                        Regular => NodeKind.OrdinaryFile,
                        DirectoryType => NodeKind.Directory,
                        _ => NodeKind.Other,
                    };
                }
            }
            catch (EntryPointNotFoundException)
            {
                // A C library from before 2018.
            }
        }

        if (Directory.Exists(path))
            return NodeKind.Directory;
        return !File.Exists(path) ? NodeKind.Nothing
            : !OperatingSystem.IsWindows() && Path.GetFullPath(path).StartsWith("/dev/", StringComparison.Ordinal) ? NodeKind.Other
            : NodeKind.OrdinaryFile;
    }

    /// <summary>For what is to be read or replaced as a whole.</summary>
    /// <exception cref="IOException">It is a pipe, a socket or a device.</exception>
    public static void DemandNoDevice(string path)
    {
        if (KindOf(path) is NodeKind.Other)
            throw new IOException($"{path} is no ordinary file but a pipe, a socket or a device; remove it, or name another place");
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, int mask, ref byte found);
}
