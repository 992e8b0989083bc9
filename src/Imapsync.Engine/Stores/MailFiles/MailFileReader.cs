using System.IO.Pipelines;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.LineEnds;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.MailFiles;

/// <summary>
/// Reads a message's octets from a file. If the first line ends in CRLF, the octets are passed on unchanged. If it ends in LF, each LF
/// becomes CRLF.
/// </summary>
internal sealed class MailFileReader : IAsyncDisposable
{
    private const int MaxHeaderBytes = 1 << 20;
    private const int FirstLineBytes = 64 << 10;
    private readonly Stream span;
    private readonly bool isCrlf;

    private MailFileReader(Stream span, bool isVerbatim)
    {
        this.span = span;
        isCrlf = isVerbatim || FirstLineEndsInCrlf(span);
    }

    /// <exception cref="IOException">The file can't be opened, or it is too short to hold its part.</exception>
    public static MailFileReader Open(FiledMessage message)
    {
        var file = OrdinaryFile.OpenRead(message.File);
        try
        {
            return new MailFileReader(message.Part is { } part ? new FilePart(file, part.Offset, part.Length) : file, message.IsVerbatim);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Returns how many octets the message has. Reads the file where they have to be counted.</summary>
    public long Count()
    {
        if (isCrlf)
            return span.Length;
        span.Position = 0;
        return LineEndCount.OctetsWithCrlf(span);
    }

    public PipeReader Body()
    {
        span.Position = 0;
        return PipeReader.Create(isCrlf ? span : new CrlfStream(span), new StreamPipeReaderOptions(bufferSize: 64 << 10, leaveOpen: true));
    }

    /// <summary>Returns the header including the empty line, at most 1 MiB.</summary>
    public async Task<ReadOnlyMemory<byte>> HeaderAsync(CancellationToken cancellationToken)
    {
        var body = Body();
        var seen = 0L;
        while (true)
        {
            var read = await body.ReadAtLeastAsync((int)Math.Min(MaxHeaderBytes, seen + 4096), cancellationToken);
            var octets = System.Buffers.BuffersExtensions.ToArray(read.Buffer.Slice(0, Math.Min(read.Buffer.Length, MaxHeaderBytes)));
            var end = HeaderEnd.Find(octets);
            if (end >= 0 || read.IsCompleted || octets.Length == MaxHeaderBytes)
                return octets.AsMemory(0, end >= 0 ? end : octets.Length);
            seen = read.Buffer.Length;
            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    public ValueTask DisposeAsync() => span.DisposeAsync();

    private static bool FirstLineEndsInCrlf(Stream span)
    {
        var top = new byte[(int)Math.Min(FirstLineBytes, span.Length)];
        span.Position = 0;
        var count = span.ReadAtLeast(top, top.Length, throwOnEndOfStream: false);
        var end = top.AsSpan(0, count).IndexOf((byte)'\n');
        return end > 0 && top[end - 1] == '\r';
    }
}
