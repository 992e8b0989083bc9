using System.Runtime.InteropServices;

namespace Imapsync.Engine.Durability;

/// <summary>
/// What a file was when it was looked at: another stamp means another content. The node tells a file from one that was put in its place
/// within the same tick of the clock, and as long. Links are followed; of nothing the stamp is the default.
/// </summary>
internal readonly partial record struct FileStamp(ulong Node, long Changed, long Written, long Length)
{
    public static FileStamp Of(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            // statx alone has the same layout on every architecture.
            const int CurrentDirectory = -100, NoSuchFile = 2, WantBasics = 0x7FF;
            Span<byte> found = stackalloc byte[256];
            try
            {
                if (Statx(CurrentDirectory, path, 0, WantBasics, ref MemoryMarshal.GetReference(found)) == 0)
                    return new FileStamp(MemoryMarshal.Read<ulong>(found[32..]), Time(found[96..]), Time(found[112..]), MemoryMarshal.Read<long>(found[40..]));
                if (Marshal.GetLastPInvokeError() == NoSuchFile)
                    return default;
            }
            catch (EntryPointNotFoundException)
            {
                // A C library from before 2018.
            }
        }

        var file = new FileInfo(path);
        return file.Exists ? new FileStamp(1, file.CreationTimeUtc.Ticks, file.LastWriteTimeUtc.Ticks, file.Length) : default;
    }

    private static long Time(ReadOnlySpan<byte> time) =>
        unchecked((MemoryMarshal.Read<long>(time) * 1_000_000_000) + MemoryMarshal.Read<uint>(time[8..]));

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, int mask, ref byte found);
}
