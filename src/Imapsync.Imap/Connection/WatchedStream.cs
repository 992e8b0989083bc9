namespace Imapsync.Imap.Connection;

/// <summary>The network stream, below TLS and compression, which reports every wait and every octet to the watchdog.</summary>
internal sealed class WatchedStream(Stream inner, ProgressWatchdog watchdog) : DuplexStream
{
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        watchdog.TransferPending();
        var read = inner.ReadAsync(buffer, cancellationToken);
        if (!read.IsCompletedSuccessfully)
            return Finish(read);
        var count = read.Result;
        watchdog.TransferDone(count);
        return ValueTask.FromResult(count);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        watchdog.TransferPending();
        var moved = 0;
        try
        {
            await inner.WriteAsync(buffer, cancellationToken);
            moved = buffer.Length;
        }
        finally
        {
            watchdog.TransferDone(moved);
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<int> Finish(ValueTask<int> read)
    {
        var count = 0;
        try
        {
            return count = await read;
        }
        finally
        {
            watchdog.TransferDone(count);
        }
    }
}
