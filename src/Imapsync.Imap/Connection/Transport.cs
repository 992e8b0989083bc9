using System.IO.Pipelines;

namespace Imapsync.Imap.Connection;

/// <summary>A connection's stream with its reader, which only the read loop uses, and its writer, which only the write loop uses.</summary>
internal sealed class Transport
{
    private const int ReadBufferBytes = 256 << 10;

    private Stream stream;

    public Transport(Stream stream)
    {
        this.stream = stream;
        (Reader, Writer) = (NewReader(), NewWriter());
    }

    public PipeReader Reader { get; private set; }

    public PipeWriter Writer { get; private set; }

    /// <summary>Puts a layer (TLS, compression) over the stream. No data may be in transit in either direction.</summary>
    /// <param name="wrap">Receives the stream and the octets already read from it.</param>
    /// <param name="writesDone">Completes when nothing is being written any more.</param>
    public async Task WrapAsync(Func<Stream, ReadOnlyMemory<byte>, ValueTask<Stream>> wrap, Task writesDone)
    {
        ReadOnlyMemory<byte> buffered = default;
        if (Reader.TryRead(out var read))
        {
            buffered = System.Buffers.BuffersExtensions.ToArray(read.Buffer);
            Reader.AdvanceTo(read.Buffer.End);
        }

        await Reader.CompleteAsync();
        await writesDone;
        await Writer.CompleteAsync();
        stream = await wrap(stream, buffered);
        (Reader, Writer) = (NewReader(), NewWriter());
    }

    /// <summary>Closes the stream, which ends all pending reads and writes.</summary>
    public void Close() => stream.Dispose();

    private PipeReader NewReader() =>
        PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: ReadBufferBytes, minimumReadSize: 16 << 10, leaveOpen: true));

    // A segment holds as many octets as are flushed at once, because each segment takes one network write.
    private PipeWriter NewWriter() => PipeWriter.Create(stream, new StreamPipeWriterOptions(minimumBufferSize: CommandWriter.FlushAt, leaveOpen: true));
}
