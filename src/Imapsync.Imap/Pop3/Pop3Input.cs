using System.Buffers;
using System.Text;

namespace Imapsync.Imap.Pop3;

/// <summary>
/// Reads a server's output: lines, and multi-line replies (RFC 1939 §3) without their dot-stuffing. In multi-line replies only CRLF ends a
/// line; all other octets are passed on unchanged.
/// </summary>
internal sealed class Pop3Input(Stream stream) : IDisposable
{
    private const int BufferBytes = 64 << 10;
    private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int start;
    private int end;

    /// <summary>Whether octets that were received have not been read yet.</summary>
    public bool HasBuffered => start < end;

    /// <summary>Reads one line and returns it without its line end. A bare LF ends the line too, because some servers end short replies with it.</summary>
    /// <exception cref="ImapProtocolException">The line is longer than <paramref name="limit"/>.</exception>
    /// <exception cref="EndOfStreamException">The connection ended.</exception>
    public async ValueTask<string> ReadLineAsync(int limit, CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        while (true)
        {
            await FillAsync(cancellationToken);
            var held = buffer.AsSpan(start, end - start);
            var at = held.IndexOf((byte)'\n');
            var part = at < 0 ? held : held[..at];
            line.Append(Encoding.Latin1.GetString(part));
            start += at < 0 ? part.Length : at + 1;
            if (line.Length > limit)
                throw new ImapProtocolException($"the server sent a line of more than {limit} octets");
            if (at >= 0)
                return line is [.., '\r'] ? line.ToString(0, line.Length - 1) : line.ToString();
        }
    }

    /// <summary>Passes on the octets of a multi-line reply, piece by piece, up to the dot that ends the reply.</summary>
    /// <param name="onPiece">Receives each piece, which is valid until the returned task completes.</param>
    /// <returns>The number of octets passed on.</returns>
    /// <exception cref="ImapProtocolException">The reply is longer than <paramref name="limit"/>.</exception>
    /// <exception cref="EndOfStreamException">The connection ended before the reply.</exception>
    public async ValueTask<long> ReadBodyAsync(Func<ReadOnlyMemory<byte>, ValueTask> onPiece, long limit, CancellationToken cancellationToken)
    {
        var undo = new DotUnstuffing();
        var total = 0L;
        while (true)
        {
            await FillAsync(cancellationToken);
            // The output is never longer than the input plus the octets held back from the piece before.
            var rented = ArrayPool<byte>.Shared.Rent(end - start + DotUnstuffing.MaxHeld);
            try
            {
                var isOver = undo.Convert(buffer.AsSpan(start, end - start), rented, out var taken, out var given);
                start += taken;
                total += given;
                if (total > limit)
                    throw new ImapProtocolException($"the server sends a message of more than {limit} octets");
                if (given > 0)
                    await onPiece(rented.AsMemory(0, given));
                if (isOver)
                    return total;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(buffer);

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        if (start < end)
            return;
        start = end = 0;
        end = await stream.ReadAsync(buffer.AsMemory(0, BufferBytes), cancellationToken);
        if (end == 0)
            throw new EndOfStreamException("the server ended the connection");
    }
}
