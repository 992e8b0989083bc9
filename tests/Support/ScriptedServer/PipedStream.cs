using Imapsync.Imap.Connection;
using System.Buffers;
using System.IO.Pipelines;

namespace Imapsync.Tests.Support;

/// <summary>One end of a connection in memory. Disposing it ends both directions, as closing a socket does.</summary>
public sealed class PipedStream(PipeReader incoming, PipeWriter outgoing, int segment = int.MaxValue) : DuplexStream
{
    private readonly TaskCompletionSource disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int isDisposed;

    /// <summary>Completes when this end is disposed.</summary>
    public Task WhenDisposed => disposed.Task;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(isDisposed != 0, this);
        var read = await incoming.ReadAsync(cancellationToken);
        if (read.IsCanceled)
            throw new IOException("the stream was closed here");
        var part = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, Math.Min(buffer.Length, segment)));
        part.CopyTo(buffer.Span);
        var count = (int)part.Length;
        incoming.AdvanceTo(part.End);
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(isDisposed != 0, this);
        var flush = await outgoing.WriteAsync(buffer, cancellationToken);
        if (flush.IsCompleted)
            throw new IOException("the other side has closed");
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref isDisposed, 1) == 0)
        {
            outgoing.Complete();
            incoming.CancelPendingRead();
            disposed.TrySetResult();
        }

        base.Dispose(disposing);
    }
}
