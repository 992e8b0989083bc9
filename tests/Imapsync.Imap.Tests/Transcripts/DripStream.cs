using Imapsync.Imap.Connection;
using Imapsync.Tests.Support;

namespace Imapsync.Imap.Tests.Transcripts;

/// <summary>
/// A server that sends its greeting, receives one line, and then sends single octets for ever. The clock advances before each of these
/// octets.
/// </summary>
internal sealed class DripStream(ManualClock clock, TimeSpan between, byte[] greeting, byte[] line) : DuplexStream
{
    private readonly TaskCompletionSource heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool isClosed;
    private long position;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (position >= greeting.Length)
        {
            await heard.Task.WaitAsync(cancellationToken);
            await Task.Yield();
            clock.Advance(between);
        }

        ObjectDisposedException.ThrowIf(isClosed, this);
        buffer.Span[0] = position < greeting.Length ? greeting[position] : line[(position - greeting.Length) % line.Length];
        position++;
        return 1;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        heard.TrySetResult();
        return ValueTask.CompletedTask;
    }

    protected override void Dispose(bool disposing)
    {
        isClosed = true;
        heard.TrySetResult();
        base.Dispose(disposing);
    }
}
