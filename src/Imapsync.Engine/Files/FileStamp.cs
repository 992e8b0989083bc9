using System.Runtime.InteropServices;

namespace Imapsync.Engine.Files;

/// <summary>
/// What a file was when it was looked at: another stamp means another content. The node tells a file from one that was put in its place
/// within the same tick of the clock, and as long. Links are followed; of nothing the stamp is the default.
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
