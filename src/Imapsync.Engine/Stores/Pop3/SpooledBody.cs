using System.IO.Pipelines;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Pop3;

/// <summary>
/// Buffers one message until it has arrived completely. A target needs the length before the octets, and a POP3 server may state a wrong
/// size. Up to a megabyte is kept in memory, the rest in a temporary file.
/// </summary>
internal sealed class SpooledBody : IAsyncDisposable
{
    private const int MemoryBytes = 1 << 20;
    private const int MaxKeptHeaderBytes = 64 << 10;
    private readonly MemoryStream memory = new();
    private FileStream? file;
    private PipeReader? reader;
    private byte[] top = [];

    public long Length { get; private set; }

    /// <summary>Discards the buffered message, to make room for the next one.</summary>
    public async ValueTask ClearAsync()
    {
        if (reader is not null)
            await reader.CompleteAsync();
        reader = null;
        if (file is not null)
            await file.DisposeAsync();
        file = null;
        // Memory that a big message needed is released.
        memory.SetLength(0);
        memory.Capacity = Math.Min(memory.Capacity, 64 << 10);
        (Length, top) = (0, []);
    }

    public async ValueTask TakeAsync(ReadOnlyMemory<byte> piece)
    {
        if (file is null && Length + piece.Length > MemoryBytes)
        {
            file = Create();
            top = memory.GetBuffer().AsSpan(0, (int)Math.Min(memory.Length, MaxKeptHeaderBytes)).ToArray();
            memory.Position = 0;
            await memory.CopyToAsync(file);
            memory.SetLength(0);
        }

        if (file is null)
            memory.Write(piece.Span);
        else
            await file.WriteAsync(piece);
        Length += piece.Length;
    }

    public IncomingMessage Give(MessageInfo info)
    {
        if (info.InternalDate == default && HeaderDate.FindArrival(Header) is { } date)
            info = info with { InternalDate = date };
        Stream octets = file is null ? memory : file;
        octets.Position = 0;
        reader = PipeReader.Create(octets, new StreamPipeReaderOptions(bufferSize: 64 << 10, leaveOpen: true));
        return new IncomingMessage(info, Length, reader);
    }

    public async ValueTask DisposeAsync()
    {
        await ClearAsync();
        await memory.DisposeAsync();
    }

    /// <summary>The header, or only the beginning of a long one.</summary>
    public ReadOnlySpan<byte> Header
    {
        get
        {
            var held = file is null ? memory.GetBuffer().AsSpan(0, (int)Math.Min(memory.Length, MaxKeptHeaderBytes)) : top;
            var end = held.IndexOf("\r\n\r\n"u8);
            return end < 0 ? held : held[..(end + 4)];
        }
    }

    private static FileStream Create()
    {
        var path = Path.Combine(Path.GetTempPath(), "imapsync-" + Path.GetRandomFileName());
        var options = DurableFiles.ForOwner(FileMode.CreateNew, FileAccess.ReadWrite);
        options.Options |= FileOptions.DeleteOnClose;
        var created = new FileStream(path, options);
        // Where the system permits it, the open file has no name, so that a killed process leaves no file.
        if (!OperatingSystem.IsWindows())
            File.Delete(path);
        return created;
    }
}
