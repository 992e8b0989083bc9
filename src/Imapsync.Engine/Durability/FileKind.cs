using System.Runtime.InteropServices;

namespace Imapsync.Engine.Durability;

/// <summary>Whether a path names a file with contents of its own. To open a named pipe waits for whoever opens its other end, perhaps for ever.</summary>
internal static partial class FileKind
{
    private const int CurrentDirectory = -100;
    private const uint WantType = 1;
    private const int ModeOffset = 28;
    private const int TypeMask = 0xF000;
    private const int Regular = 0x8000;
    private const int Directory = 0x4000;

    /// <summary>False for a pipe, a socket, a device; links are followed. True for what is not there, or cannot be looked at: opening it tells.</summary>
    public static bool MayBeRegular(string path)
    {
        if (!OperatingSystem.IsLinux())
            return OperatingSystem.IsWindows() || !IsOddElsewhere(path);
        // statx alone has the same layout on every architecture.
        Span<byte> found = stackalloc byte[256];
        if (Statx(CurrentDirectory, path, 0, WantType, ref MemoryMarshal.GetReference(found)) != 0)
            return true;
        return (MemoryMarshal.Read<ushort>(found[ModeOffset..]) & TypeMask) is Regular or Directory;
    }

    /// <exception cref="IOException">It is a pipe, a socket or a device.</exception>
    public static void DemandRegular(string path)
    {
        if (!MayBeRegular(path))
            throw new IOException($"{path} is no ordinary file but a pipe, a socket or a device, which is not opened");
    }

    private static bool IsOddElsewhere(string path)
    {
        const int NonBlocking = 4;
        var descriptor = Open(path, NonBlocking);
        if (descriptor < 0)
            return false;
        using var handle = new Microsoft.Win32.SafeHandles.SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            _ = RandomAccess.GetLength(handle);
            return false;
        }
        catch (NotSupportedException)
        {
            return true;
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, ref byte found);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);
}
