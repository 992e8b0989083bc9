namespace Imapsync.Engine.Stores.MailFiles;

/// <summary>A part of a file as a stream. Disposing the stream closes the file.</summary>
/// <exception cref="EndOfStreamException">The file is too short to contain the part.</exception>
internal sealed class FilePart : Stream
{
    private readonly FileStream file;
    private readonly long offset;

    public FilePart(FileStream file, long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > file.Length || length > file.Length - offset)
            throw new EndOfStreamException($"{file.Name} is shorter than it has to be");
        (this.file, this.offset, Length) = (file, offset, length);
        file.Position = offset;
    }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length { get; }

    public override long Position { get => file.Position - offset; set => file.Position = offset + value; }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer) => file.Read(buffer[..Most(buffer.Length)]);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        file.ReadAsync(buffer[..Most(buffer.Length)], cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => Length + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            file.Dispose();
        base.Dispose(disposing);
    }

    private int Most(int wanted) => (int)Math.Min(wanted, Length - Position);
}
