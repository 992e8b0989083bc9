using System.IO.Pipelines;

namespace Imapsync.Imap.Connection;

/// <summary>The stream under a connection with its reader, which the read loop alone touches, and its writer, which the write loop alone touches.</summary>
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

    /// <summary>Puts a layer over the stream (TLS, compression), while nothing is under way in either direction.</summary>
    /// <param name="wrap">Given the stream and octets already read from it.</param>
    /// <param name="writesDone">Nothing is being written any more.</param>
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

    /// <summary>Ends what is being read and written.</summary>
    public void Close() => stream.Dispose();

    private PipeReader NewReader() =>
        PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: ReadBufferBytes, minimumReadSize: 16 << 10, leaveOpen: true));

    // A segment is what one write to the network takes: as much as is flushed at once.
    private PipeWriter NewWriter() => PipeWriter.Create(stream, new StreamPipeWriterOptions(minimumBufferSize: CommandWriter.FlushAt, leaveOpen: true));
}
