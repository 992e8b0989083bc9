using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Tests.Transcripts;

/// <summary>
/// A server that sends its greeting and receives one line. Then it sends the opening, the piece the given number of times, and the ending.
/// </summary>
internal sealed class FloodStream(byte[] greeting, byte[] opening, byte[] piece, long times, byte[] ending) : DuplexStream
{
    private readonly TaskCompletionSource heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long position;

    /// <summary>How many octets the client has read.</summary>
    public long Taken => position;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (position >= greeting.Length)
            await heard.Task.WaitAsync(cancellationToken);
        // Yield as a network stream would, so that a client that wants to stop reading gets to run.
        await Task.Yield();
        var filled = 0;
        while (filled < buffer.Length)
        {
            var (part, at) = At(position);
            var count = Math.Min(part.Length - at, buffer.Length - filled);
            if (count <= 0)
                break;
            part.AsSpan(at, count).CopyTo(buffer.Span[filled..]);
            filled += count;
            position += count;
            if (position == greeting.Length)
                break;
        }

        return filled;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        heard.TrySetResult();
        return ValueTask.CompletedTask;
    }

    private (byte[] Part, int At) At(long place)
    {
        if (place < greeting.Length)
            return (greeting, (int)place);
        place -= greeting.Length;
        if (place < opening.Length)
            return (opening, (int)place);
        place -= opening.Length;
        if (place / piece.Length < times)
            return (piece, (int)(place % piece.Length));
        return (ending, (int)Math.Min(ending.Length, place - (times * piece.Length)));
    }
}
