using System.Buffers;
using System.IO.Pipelines;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Connection;

/// <summary>
/// A message body: a view of the connection's own reader that ends where the literal ends. No octet is copied, and
/// as nothing is read ahead of the consumer, back-pressure reaches the server by itself. Its last octets are given only once
/// what follows them shows that the literal ends there, so nobody takes for whole what is another message in part.
/// </summary>
/// <param name="end">Ends the connection; see <see cref="ImapConnection.Break"/>.</param>
internal sealed class LiteralReader(PipeReader inner, long length, Func<Exception, Exception> end, PendingCommands pending, int maxLine) : PipeReader
{
    private ReadOnlySequence<byte> current;
    private long remaining = length;
    private bool isReading;
    private bool isReleased;
    private bool isEndSeen;

    /// <summary>Octets not consumed yet.</summary>
    public long Remaining => remaining;

    /// <summary>Cuts the consumer off, the octets that follow are not its own, and gives back what it looked at and left.</summary>
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

    /// <summary>Nothing to do: the connection reads past what is left when the next message is asked for.</summary>
    public override void Complete(Exception? exception = null)
    {
    }

    private async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> read, CancellationToken cancellationToken)
    {
        // A read given up half-way would leave the place in the stream unknown, so giving up ends the connection.
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

    /// <returns>False, with nothing taken, where more has to come first.</returns>
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

    /// <summary>Looks at the line behind the literal.</summary>
    /// <returns>False where not all of it is there yet.</returns>
    private bool LooksAtEnd(ReadOnlySequence<byte> rest, bool isCompleted)
    {
        var line = rest.PositionOf((byte)'\n') is { } lineEnd ? rest.Slice(0, rest.GetPosition(1, lineEnd)) : default;
        if (line.IsEmpty)
        {
            if (isCompleted)
                throw end(new ImapConnectionException(ConnectionFailure.Network, "the server closed the connection right behind a message"));
            // What is no rest of a reply from its first octet on may never have an end; the longest line is the framing's to judge.
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
