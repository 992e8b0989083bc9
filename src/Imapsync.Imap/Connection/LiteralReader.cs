using System.Buffers;
using System.IO.Pipelines;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Connection;

/// <summary>
/// A message body, read from the connection's own reader up to the literal's end. Nothing is copied or read ahead, so back-pressure reaches
/// the server. The last octets are handed out only after the text behind the literal was checked: if the announced length was wrong, they
/// may belong to another message.
/// </summary>
/// <param name="end">Ends the connection; see <see cref="ImapConnection.Break"/>.</param>
internal sealed class LiteralReader(PipeReader inner, long length, Func<Exception, Exception> end, PendingCommands pending, int maxLine) : PipeReader
{
    private ReadOnlySequence<byte> current;
    private long remaining = length;
    private bool isReading;
    private bool isReleased;
    private bool isEndSeen;

    /// <summary>How many octets of the body have not been consumed yet.</summary>
    public long Remaining => remaining;

    /// <summary>
    /// Ends the consumer's access to the connection, because the octets after the body are not the consumer's. Octets that were examined
    /// but not consumed remain in the connection's reader.
    /// </summary>
    public void Release()
    {
        isReleased = true;
        if (isReading)
            inner.AdvanceTo(current.Start);
        isReading = false;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        CheckOwner();
        if (remaining == 0 && isEndSeen)
            return ValueTask.FromResult(new ReadResult(ReadOnlySequence<byte>.Empty, isCanceled: false, isCompleted: true));
        var read = inner.ReadAsync(CancellationToken.None);
        if (!read.IsCompletedSuccessfully)
            return WaitAsync(read, cancellationToken);
        return TryLimit(read.Result, out var limited) ? ValueTask.FromResult(limited) : WaitAsync(inner.ReadAsync(CancellationToken.None), cancellationToken);
    }

    public override bool TryRead(out ReadResult result)
    {
        CheckOwner();
        if (remaining == 0 && isEndSeen)
        {
            result = new ReadResult(ReadOnlySequence<byte>.Empty, isCanceled: false, isCompleted: true);
            return true;
        }

        return inner.TryRead(out result) && TryLimit(result, out result);
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        CheckOwner();
        if (!isReading)
            return;
        isReading = false;
        remaining -= current.Slice(0, consumed).Length;
        inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    /// <summary>Does nothing: the connection discards the rest of the body when the next message is asked for.</summary>
    public override void Complete(Exception? exception = null)
    {
    }

    private async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> read, CancellationToken cancellationToken)
    {
        // Abandoning a read would leave the position in the stream unknown, so cancellation ends the connection.
        using var registration = cancellationToken.UnsafeRegister(
            static e => ((Func<Exception, Exception>)e!)(new ImapConnectionException(ConnectionFailure.Closed, "cancelled in the middle of a message")), end);
        try
        {
            while (true)
            {
                if (TryLimit(await read, out var limited))
                    return limited;
                read = inner.ReadAsync(CancellationToken.None);
            }
        }
        catch (Exception e) when (e is not (ImapProtocolException or ImapConnectionException))
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw end(e);
        }
    }

    /// <returns>False, with nothing consumed, if more octets must arrive first.</returns>
    private bool TryLimit(ReadResult read, out ReadResult limited)
    {
        var buffer = read.Buffer;
        var isLast = buffer.Length >= remaining;
        if (isLast && !isEndSeen && !LooksAtEnd(buffer.Slice(remaining), read.IsCompleted))
        {
            inner.AdvanceTo(buffer.Start, buffer.End);
            limited = default;
            return false;
        }

        isReading = true;
        if (isLast)
        {
            isEndSeen = true;
            current = buffer.Slice(0, remaining);
            limited = new ReadResult(current, read.IsCanceled, isCompleted: true);
            return true;
        }

        if (read.IsCompleted)
            throw end(new ImapConnectionException(ConnectionFailure.Network, "the server closed the connection in the middle of a message"));
        current = buffer;
        limited = new ReadResult(buffer, read.IsCanceled, isCompleted: false);
        return true;
    }

    /// <summary>Checks that the line after the literal is the rest of a reply.</summary>
    /// <returns>False if that line has not fully arrived yet.</returns>
    private bool LooksAtEnd(ReadOnlySequence<byte> rest, bool isCompleted)
    {
        var line = rest.PositionOf((byte)'\n') is { } lineEnd ? rest.Slice(0, rest.GetPosition(1, lineEnd)) : default;
        if (line.IsEmpty)
        {
            if (isCompleted)
                throw end(new ImapConnectionException(ConnectionFailure.Network, "the server closed the connection right behind a message"));
            // Do not wait for a line end if the text does not begin like the rest of a reply, because no line end may follow. A line longer
            // than the limit counts as arrived; the frame reader rejects it.
            return !rest.IsEmpty && rest.FirstSpan is [not ((byte)' ' or (byte)')'), ..]
                ? throw end(new ImapProtocolException(FetchTail.Lost) { IsFramingLost = true })
                : rest.Length > maxLine;
        }

        if (!FetchTail.IsPlausible(line.IsSingleSegment ? line.FirstSpan : line.ToArray()))
            throw end(new ImapProtocolException(FetchTail.Lost) { IsFramingLost = true });
        return true;
    }

    private void CheckOwner()
    {
        if (isReleased)
            throw new InvalidOperationException("the body of a message is gone once the next one is asked for");
        pending.ThrowIfBroken();
    }
}
