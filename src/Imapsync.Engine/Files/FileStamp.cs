using System.Runtime.InteropServices;

namespace Imapsync.Engine.Files;

/// <summary>
/// The metadata of a file when it was examined. If the stamp is different later, the content may have changed. <c>Node</c> (the inode
/// number on Linux, elsewhere the creation time) distinguishes a file from another one of the same length that replaced it within the same
/// clock tick. Links are followed. For a missing file the stamp is the default.
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
