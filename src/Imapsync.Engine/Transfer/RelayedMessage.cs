using System.Buffers;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Transfer;

/// <summary>
/// A message between the task that reads the source and the task that appends to the target. It is completely in memory or, if it is big,
/// still at its source.
/// </summary>
internal sealed class RelayedMessage : IDisposable
{
    private readonly TaskCompletionSource? done;
    private readonly MessageChecksum? checksum;
    private IMemoryOwner<byte>? held;
    private ChecksummedReader? streamed;
    private IncomingMessage? delivered;

    private RelayedMessage(IncomingMessage message, IMemoryOwner<byte>? held)
    {
        (Message, this.held) = (message, held);
        if (held is not null)
            checksum = MessageChecksum.Of(held.Memory.Span);
        else if (message.Failure is null)
            done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public IncomingMessage Message { get; }

    /// <summary>
    /// Whether the next message can be read before this one is appended. True if this one is completely in memory or could not be read.
    /// </summary>
    public bool IsBuffered => done is null;

    /// <summary>
    /// The checksum of all the message's octets, available once the target has received them; null if they were not read to the end.
    /// </summary>
    public MessageChecksum? Checksum => streamed is null ? checksum : streamed.Checksum is { } sum && sum.Length == Message.Length ? sum : null;

    /// <summary>Completes when the appending task has finished with the message and the source may continue.</summary>
    public Task Done => done?.Task ?? Task.CompletedTask;

    /// <summary>Wraps a message that is read while it is appended, or one that could not be read.</summary>
    public static RelayedMessage Direct(IncomingMessage message) => new(message, null);

    /// <summary>
    /// Reads the octets from the source into memory. The message counts as failed if their number differs from the announced length.
    /// </summary>
    public static async ValueTask<RelayedMessage> BufferAsync(IncomingMessage message, BodySlabs slabs, CancellationToken cancellationToken)
    {
        var memory = await slabs.TakeAsync((int)message.Length, cancellationToken);
        try
        {
            if (await FillAsync(message, memory.Memory, cancellationToken))
                return new RelayedMessage(message, memory);
        }
        catch
        {
            memory.Dispose();
            throw;
        }

        memory.Dispose();
        var torn = new MailException(FailureScope.Message, isTransient: true, $"the body has not the {message.Length} octets announced");
        return Direct(new IncomingMessage(message.Info, torn));
    }

    /// <summary>Returns the message for the target, with a body of which nothing was read yet. May be called only once.</summary>
    public IncomingMessage Deliver()
    {
        delivered = held is null
            ? new IncomingMessage(Message.Info, Message.Length, streamed = new ChecksummedReader(Message.Body))
            : new IncomingMessage(Message.Info, held);
        held = null;
        return delivered;
    }

    /// <summary>Releases the message once the target is done with it: its memory is freed unless the target took it over.</summary>
    public void Dispose()
    {
        held?.Dispose();
        held = null;
        delivered?.TakeHeld()?.Dispose();
        done?.TrySetResult();
    }

    private static async ValueTask<bool> FillAsync(IncomingMessage message, Memory<byte> octets, CancellationToken cancellationToken)
    {
        var filled = 0L;
        while (true)
        {
            var read = await message.Body.ReadAsync(cancellationToken);
            var part = read.Buffer;
            filled += part.Length;
            if (filled <= message.Length)
                part.CopyTo(octets.Span[(int)(filled - part.Length)..]);
            message.Body.AdvanceTo(part.End);
            if (read.IsCompleted)
                return filled == message.Length;
        }
    }
}
