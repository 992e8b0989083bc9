using System.Buffers;

namespace Imapsync.Engine.Stores.LineEnds;

/// <summary>
/// Converts the line ends of another stream to CRLF while that stream is read. Disposing this stream disposes the other one. Only asynchronous reads
/// are supported.
/// </summary>
public sealed class CrlfStream(Stream inner) : Stream
{
    private const int BufferBytes = 64 * 1024;
    private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private LfToCrlf lineEnds;
    private int start;
    private int end;
    private bool disposed;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <param name="buffer">At least two octets long, so that a CRLF fits.</param>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(buffer.Length, 2, nameof(buffer));
        if (start == end)
        {
            start = 0;
            end = await inner.ReadAsync(this.buffer, cancellationToken);
            if (end == 0)
                return 0;
        }

        lineEnds.Convert(this.buffer.AsSpan(start..end), buffer.Span, out var consumed, out var written);
        start += consumed;
        return written;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !disposed)
        {
            disposed = true;
            ArrayPool<byte>.Shared.Return(buffer);
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
