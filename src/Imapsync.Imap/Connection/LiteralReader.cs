using System.Buffers;
using System.IO.Pipelines;

namespace Imapsync.Imap.Connection;

/// <summary>
/// A message body: a view of the connection's own reader that ends where the literal ends. No octet is copied, and
/// as nothing is read ahead of the consumer, back-pressure reaches the server by itself.
/// </summary>
internal sealed class LiteralReader(PipeReader inner, long length, ImapConnection connection) : PipeReader
{
    private ReadOnlySequence<byte> current;
    private long remaining = length;
    private bool isReading;
    private bool isReleased;

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
        if (remaining == 0)
            return ValueTask.FromResult(new ReadResult(ReadOnlySequence<byte>.Empty, isCanceled: false, isCompleted: true));
        var read = inner.ReadAsync(CancellationToken.None);
        return read.IsCompletedSuccessfully ? ValueTask.FromResult(Limit(read.Result)) : WaitAsync(read, cancellationToken);
    }

    public override bool TryRead(out ReadResult result)
    {
        CheckOwner();
        if (remaining == 0)
        {
            result = new ReadResult(ReadOnlySequence<byte>.Empty, isCanceled: false, isCompleted: true);
            return true;
        }

        if (!inner.TryRead(out result))
            return false;
        result = Limit(result);
        return true;
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
            static c => ((ImapConnection)c!).Break(new ImapConnectionException(ConnectionFailure.Closed, "cancelled in the middle of a message")), connection);
        try
        {
            return Limit(await read);
        }
        catch (Exception e) when (e is not (ImapProtocolException or ImapConnectionException))
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw connection.Break(e);
        }
    }

    private ReadResult Limit(ReadResult read)
    {
        var buffer = read.Buffer;
        isReading = true;
        if (buffer.Length >= remaining)
        {
            current = buffer.Slice(0, remaining);
            return new ReadResult(current, read.IsCanceled, isCompleted: true);
        }

        if (read.IsCompleted)
            throw connection.Break(new ImapConnectionException(ConnectionFailure.Network, "the server closed the connection in the middle of a message"));
        current = buffer;
        return new ReadResult(buffer, read.IsCanceled, isCompleted: false);
    }

    private void CheckOwner()
    {
        if (isReleased)
            throw new InvalidOperationException("the body of a message is gone once the next one is asked for");
        connection.ThrowIfBroken();
    }
}
