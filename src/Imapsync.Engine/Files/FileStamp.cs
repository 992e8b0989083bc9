using System.Runtime.InteropServices;

namespace Imapsync.Engine.Files;

/// <summary>
/// The metadata of a file when it was examined; the default for a missing file. A different stamp later means that the content may have
/// changed. Links are followed. <c>Node</c> (the inode number on Linux, elsewhere the creation time) reveals a replacement with the same
/// length within the same clock tick.
/// </summary>
internal readonly record struct FileStamp(ulong Node, long Changed, long Written, long Length)
{
    public static FileStamp Of(string path)
    {
        const int WantBasics = 0x7FF, NodeAt = 32, SizeAt = 40, ChangedAt = 96, WrittenAt = 112;
        Span<byte> found = stackalloc byte[Nodes.StatusBytes];
        if (Nodes.TryReadStatus(path, WantBasics, found))
            return new FileStamp(MemoryMarshal.Read<ulong>(found[NodeAt..]), Time(found[ChangedAt..]), Time(found[WrittenAt..]), MemoryMarshal.Read<long>(found[SizeAt..]));
        var file = new FileInfo(path);
        return file.Exists ? new FileStamp((ulong)file.CreationTimeUtc.Ticks, file.CreationTimeUtc.Ticks, file.LastWriteTimeUtc.Ticks, file.Length) : default;
    }

    private static long Time(ReadOnlySpan<byte> time) =>
        unchecked((MemoryMarshal.Read<long>(time) * 1_000_000_000) + MemoryMarshal.Read<uint>(time[8..]));
}
