using System.IO.Compression;

namespace Imapsync.Imap.Connection;

/// <summary>
/// DEFLATE in both directions (RFC 4978). It inflates only what fits the caller's buffer, so a decompression bomb costs no memory.
/// </summary>
/// <param name="buffered">The beginning of the compressed data, already read from <paramref name="inner"/>.</param>
internal sealed class DeflatedStream(Stream inner, ReadOnlyMemory<byte> buffered) : DuplexStream
{
    private readonly DeflateStream inflate = new(new PrefixedStream(inner, buffered), CompressionMode.Decompress, leaveOpen: true);
    private readonly DeflateStream deflate = new(inner, CompressionLevel.Fastest, leaveOpen: true);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        inflate.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        deflate.WriteAsync(buffer, cancellationToken);

    /// <summary>Ends the DEFLATE block, so that the server can decode everything written so far.</summary>
    public override Task FlushAsync(CancellationToken cancellationToken) => deflate.FlushAsync(cancellationToken);

    public override void Flush() => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        // The two DeflateStreams are not disposed, because another task may still be reading from one of them. Their finalizers release the native state.
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Yields the prefix's octets first and then those of the inner stream.</summary>
    private sealed class PrefixedStream(Stream inner, ReadOnlyMemory<byte> prefix) : Stream
    {
        private ReadOnlyMemory<byte> left = prefix;

        public override bool CanRead => true;

        public override bool CanWrite => false;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (left.IsEmpty)
                return inner.ReadAsync(buffer, cancellationToken);
            var count = Math.Min(left.Length, buffer.Length);
            left[..count].CopyTo(buffer);
            left = left[count..];
            return ValueTask.FromResult(count);
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
