using System.Security.Cryptography;
using Imapsync.Imap;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// Writes messages to the end of an mbox through one buffer. The index records where a message begins before its first octet reaches the
/// file.
/// </summary>
/// <param name="announce">Called when a message begins, with its offset. It may buffer the announcement.</param>
/// <param name="flushAnnounced">Writes the buffered announcements to the index, before any of these messages is written.</param>
internal sealed class MboxOutput(SafeFileHandle file, long position, Action<long, BegunMessage> announce, Func<CancellationToken, ValueTask> flushAnnounced) : IDisposable
{
    private const int FlushAtBytes = 512 << 10;
    private const int PieceBytes = 32 << 10;

    private readonly ByteBuffer buffer = new();
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly MessageKey key = new();
    private MboxEncoder? encoder;
    private long flushed = position;
    private long start;
    private long octets;

    public long Position => flushed + buffer.Count;

    public void Begin(ReadOnlySpan<byte> postmark, long length, FlagSet flags)
    {
        start = Position;
        octets = 0;
        announce(start, new BegunMessage(length, System.Text.Encoding.ASCII.GetString(postmark).TrimEnd('\n')));
        buffer.Append(postmark);
        encoder = new MboxEncoder(buffer, FlagFields.Format(flags));
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        octets += message.Length;
        while (!message.IsEmpty)
        {
            var piece = message[..Math.Min(message.Length, PieceBytes)];
            hash.AppendData(piece.Span);
            key.Append(piece.Span);
            encoder!.Transform(piece.Span);
            message = message[piece.Length..];
            if (buffer.Count >= FlushAtBytes)
                await FlushAsync(cancellationToken);
        }
    }

    /// <summary>Completes the current message.</summary>
    public async ValueTask<MboxRecord> EndAsync(Uid uid, DateTimeOffset date, FlagSet flags, CancellationToken cancellationToken)
    {
        encoder!.Finish();
        if (encoder.Form != MboxForm.None)
            await MarkFormAsync(encoder.Form, cancellationToken);
        var record = new MboxRecord(uid, start, Position - 1 - start, octets, date, encoder.Form, MboxScanner.FinishDigest(hash), flags, key.Finish());
        if (buffer.Count >= FlushAtBytes)
            await FlushAsync(cancellationToken);
        return record;
    }

    /// <summary>Discards the current message.</summary>
    public void Cancel()
    {
        Span<byte> ignored = stackalloc byte[32];
        hash.GetHashAndReset(ignored);
        _ = key.Finish();
        if (start >= flushed)
        {
            buffer.Truncate((int)(start - flushed));
            return;
        }

        RandomAccess.SetLength(file, start);
        flushed = start;
        buffer.Clear();
    }

    /// <summary>Writes octets that are not a message: an empty line that another program omitted, or text between messages.</summary>
    public async ValueTask WriteRawAsync(ReadOnlyMemory<byte> raw, CancellationToken cancellationToken)
    {
        buffer.Append(raw.Span);
        if (buffer.Count >= FlushAtBytes)
            await FlushAsync(cancellationToken);
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        await flushAnnounced(cancellationToken);
        await RandomAccess.WriteAsync(file, buffer.Written, flushed, cancellationToken);
        flushed += buffer.Count;
        buffer.Clear();
    }

    public void Dispose()
    {
        buffer.Dispose();
        hash.Dispose();
        key.Dispose();
    }

    /// <summary>
    /// Adds the form to the postmark. The form is known only at the message's end, so the rest of the message has to be moved. Only few
    /// messages need this.
    /// </summary>
    private async ValueTask MarkFormAsync(MboxForm form, CancellationToken cancellationToken)
    {
        var mark = Postmark.FormatForm(form);
        if (start >= flushed)
        {
            var at = (int)(start - flushed);
            buffer.Insert(at + buffer.Written.Span[at..].IndexOf((byte)'\n'), mark);
            return;
        }

        await FlushAsync(cancellationToken);
        var block = new byte[MboxInput.BlockBytes];
        var read = await RandomAccess.ReadAsync(file, block.AsMemory(0, Postmark.MaxLength), start, cancellationToken);
        var from = start + block.AsSpan(0, read).IndexOf((byte)'\n');
        // Octets are moved from the end backwards, so that no octet is overwritten before it has been moved.
        for (var end = flushed; end > from;)
        {
            var count = (int)Math.Min(block.Length, end - from);
            end -= count;
            var filled = 0;
            while (filled < count)
            {
                var more = await RandomAccess.ReadAsync(file, block.AsMemory(filled, count - filled), end + filled, cancellationToken);
                if (more == 0)
                    throw new IOException("the mbox got shorter while it was written");
                filled += more;
            }

            await RandomAccess.WriteAsync(file, block.AsMemory(0, count), end + mark.Length, cancellationToken);
        }

        await RandomAccess.WriteAsync(file, mark, from, cancellationToken);
        flushed += mark.Length;
    }
}
