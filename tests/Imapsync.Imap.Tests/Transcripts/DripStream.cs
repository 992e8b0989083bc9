using Imapsync.Tests.Support;

namespace Imapsync.Imap.Tests.Transcripts;

/// <summary>A server that greets, hears one line, and then gives one octet at a time, for ever; before each, time passes.</summary>
internal sealed class DripStream(ManualClock clock, TimeSpan between, byte[] greeting, byte[] line) : Stream
{
    private readonly TaskCompletionSource heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool isClosed;
    private long position;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

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

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        isClosed = true;
        heard.TrySetResult();
        base.Dispose(disposing);
    }
}
