using System.Buffers;
using System.IO.Pipelines;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Copying;

/// <summary>A message between the reading and the appending task: in a pooled buffer, or, where it is big, still at its source.</summary>
internal sealed class RelayedMessage(IncomingMessage message, byte[]? buffer, ByteBudget budget) : IDisposable
{
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[]? buffer = buffer;
    private MessageChecksum? checksum;
    private ChecksummedReader? streamed;

    public IncomingMessage Message => message;

    public bool IsBuffered { get; } = buffer is not null || message.Failure is not null;

    /// <summary>Of all its octets, once the target has them; null where they were not read to the end.</summary>
    public MessageChecksum? Checksum => streamed is null ? checksum : streamed.Checksum is { } sum && sum.Length == message.Length ? sum : null;

    /// <summary>Completes when the appending task is through with it and the source may move on.</summary>
    public Task Done => done.Task;

    /// <summary>Takes the octets from the source into the buffer. False where they are not as many as announced.</summary>
    public async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        var filled = 0L;
        while (true)
        {
            var read = await message.Body.ReadAsync(cancellationToken);
            var octets = read.Buffer;
            filled += octets.Length;
            if (filled <= message.Length)
                octets.CopyTo(buffer.AsSpan((int)(filled - octets.Length)));
            message.Body.AdvanceTo(octets.End);
            if (!read.IsCompleted)
                continue;
            if (filled != message.Length)
                return false;
            checksum = MessageChecksum.Of(buffer.AsSpan(0, (int)filled));
            return true;
        }
    }

    /// <summary>The message for the target, its body at the beginning.</summary>
    public IncomingMessage Deliver() => new(
        message.Info,
        message.Length,
        buffer is null
            ? streamed = new ChecksummedReader(message.Body)
            : PipeReader.Create(new ReadOnlySequence<byte>(buffer, 0, (int)message.Length)));

    public void Dispose()
    {
        done.TrySetResult();
        if (Interlocked.Exchange(ref buffer, null) is not { } rented)
            return;
        ArrayPool<byte>.Shared.Return(rented);
        budget.Give(message.Length);
    }
}

/// <summary>How many octets may wait in memory. One task takes, another gives back.</summary>
internal sealed class ByteBudget(long bytes)
{
    private readonly Lock gate = new();
    private long free = bytes;
    private long wanted;
    private TaskCompletionSource? waiting;

    public Task TakeAsync(long count, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (free >= count)
            {
                free -= count;
                return Task.CompletedTask;
            }

            wanted = count;
            waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return waiting.Task.WaitAsync(cancellationToken);
        }
    }

    public void Give(long count)
    {
        lock (gate)
        {
            free += count;
            if (waiting is null || free < wanted)
                return;
            free -= wanted;
            waiting.TrySetResult();
            waiting = null;
        }
    }
}
