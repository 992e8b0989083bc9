using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// Reads a file in blocks, from any offset. Only one task may use it at a time. In an mbox with CR line ends (old Macintoshes), CRs are
/// returned as LFs. So offsets stay the same.
/// </summary>
internal sealed class MboxInput(SafeFileHandle file) : IDisposable
{
    public const int BlockBytes = 256 << 10;

    private byte[] block = ArrayPool<byte>.Shared.Rent(BlockBytes);
    private long start;
    private int count;
    private bool? endsLinesInCr;

    public long Length => RandomAccess.GetLength(file);

    /// <summary>Returns whether the mbox begins with lines that end in CR alone.</summary>
    public static bool EndsLinesInCr(SafeFileHandle file)
    {
        Span<byte> beginning = stackalloc byte[4 << 10];
        beginning = beginning[..RandomAccess.Read(file, beginning, 0)];
        return beginning.StartsWith("From "u8) && beginning.Contains((byte)'\r') && !beginning.Contains((byte)'\n');
    }

    /// <summary>
    /// Returns the octets at an offset: at least <paramref name="atLeast"/> (at most a block), or fewer at the end of the file. The memory
    /// is valid until the next call.
    /// </summary>
    public async ValueTask<ReadOnlyMemory<byte>> GetAsync(long offset, int atLeast, CancellationToken cancellationToken)
    {
        var known = offset >= start && offset < start + count ? (int)(start + count - offset) : 0;
        if (known >= atLeast)
            return block.AsMemory((int)(offset - start), known);
        endsLinesInCr ??= EndsLinesInCr(file);
        block.AsSpan((int)(known == 0 ? 0 : offset - start), known).CopyTo(block);
        start = offset;
        count = known;
        while (count < block.Length)
        {
            var read = await RandomAccess.ReadAsync(file, block.AsMemory(count), start + count, cancellationToken);
            if (endsLinesInCr.Value)
                block.AsSpan(count, read).Replace((byte)'\r', (byte)'\n');
            count += read;
            if (read == 0 || count >= atLeast)
                break;
        }

        return block.AsMemory(0, count);
    }

    /// <summary>
    /// Returns the line at an offset without its LF. Null if the line has no LF or is longer than <paramref name="maxLength"/>.
    /// </summary>
    public async ValueTask<ReadOnlyMemory<byte>?> GetLineAsync(long offset, int maxLength, CancellationToken cancellationToken)
    {
        var octets = await GetAsync(offset, 1, cancellationToken);
        var end = octets.Span.IndexOf((byte)'\n');
        if (end < 0 && octets.Length < maxLength)
        {
            octets = await GetAsync(offset, maxLength, cancellationToken);
            end = octets.Span.IndexOf((byte)'\n');
        }

        // The type is explicit, since a bare null would become an empty ReadOnlyMemory here.
        return end < 0 || end > maxLength ? default(ReadOnlyMemory<byte>?) : octets[..end];
    }

    /// <summary>Discards the buffered octets, for a file that has changed.</summary>
    public void Forget() => count = 0;

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(block);
        block = [];
        count = 0;
    }
}
