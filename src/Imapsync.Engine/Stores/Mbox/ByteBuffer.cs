using System.Buffers;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>A buffer from a pool that grows as needed. It stays small as long as its users remove what they added.</summary>
internal sealed class ByteBuffer : IDisposable
{
    private byte[] octets = ArrayPool<byte>.Shared.Rent(64 << 10);

    public int Count { get; private set; }

    public ReadOnlyMemory<byte> Written => octets.AsMemory(0, Count);

    public void Append(byte octet)
    {
        Reserve(1);
        octets[Count++] = octet;
    }

    public void Append(ReadOnlySpan<byte> more)
    {
        Reserve(more.Length);
        more.CopyTo(octets.AsSpan(Count));
        Count += more.Length;
    }

    public void Insert(int at, ReadOnlySpan<byte> more)
    {
        Reserve(more.Length);
        octets.AsSpan(at, Count - at).CopyTo(octets.AsSpan(at + more.Length));
        more.CopyTo(octets.AsSpan(at));
        Count += more.Length;
    }

    public void Clear() => Count = 0;

    /// <summary>Drops everything after the first <paramref name="count"/> octets.</summary>
    public void Truncate(int count) => Count = count;

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(octets);
        octets = [];
        Count = 0;
    }

    private void Reserve(int more)
    {
        if (octets.Length - Count >= more)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(octets.Length * 2, Count + more));
        octets.AsSpan(0, Count).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(octets);
        octets = larger;
    }
}
