using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Connection;

/// <summary>
/// One command: what it sends, which untagged replies belong to it, and its result. <see cref="EncodeAsync"/> runs on the write
/// loop, everything else on the read loop. A command completes once it is fully written and answered. So after a completed
/// APPEND nothing reads the message's body.
/// </summary>
internal abstract class ImapCommand
{
    private const int WrittenBit = 1;
    private const int AnsweredBit = 2;
    private const int QueuedState = 0;
    private const int StartedState = 1;
    private const int UnqueuedState = 2;

    private readonly TaskCompletionSource<StatusReply> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // Continuations run synchronously in the write loop, so the caller can queue the next command without a thread switch.
    private readonly TaskCompletionSource written = new();
    private volatile TaskCompletionSource<byte[]?>? continuation;
    private StatusReply? reply;
    private int parts;
    private int state = QueuedState;

    /// <summary>The command's name without arguments, for error messages.</summary>
    public abstract string Name { get; }

    public virtual CommandClass Class => CommandClass.Free;

    /// <summary>Whether the command logs in, so that neither the command nor its replies may be shown in the trace.</summary>
    public virtual bool CarriesSecret => false;

    public string Tag { get; set; } = "";

    /// <summary>A command to be sent immediately before this one, in the same write. Null once the write loop has begun to send it.</summary>
    public ImapCommand? Before { get; set; }

    /// <summary>The timestamp at which the command was sent; set only if there is a trace.</summary>
    public long StartedAt { get; set; }

    /// <summary>
    /// Whether a literal was sent without waiting for <c>+</c>. If the server answers BAD, it may be reading the literal as commands.
    /// </summary>
    public bool SentUnasked { get; set; }

    public bool AwaitsContinuation => continuation is { Task.IsCompleted: false };

    /// <summary>Cancels the waits for data that the caller supplies: the next message of an APPEND, and its octets.</summary>
    public CancellationToken Cancellation { get; set; }

    public bool IsAnswered => Volatile.Read(ref reply) is not null;

    public Task<StatusReply> Completion => completion.Task;

    public bool IsWritten => (Volatile.Read(ref parts) & WrittenBit) != 0;

    /// <summary>Completes when the write loop has finished with this command, or when it will never begin it.</summary>
    public Task WhenWritten => written.Task;

    /// <summary>Writes the command without its tag and final line end.</summary>
    public abstract ValueTask EncodeAsync(CommandWriter writer);

    /// <summary>How many octets of untagged replies this command may cause in addition to <see cref="ImapLimits.MaxUntaggedBytes"/>.</summary>
    public virtual long ExpectedBytes => 0;

    /// <summary>Offers an untagged reply to the command. Returns true if the reply belongs to this command alone.</summary>
    public virtual bool OnUntagged(ref ImapResponse response) => false;

    /// <summary>Called on the oldest command in flight for an untagged reply that no command in flight has claimed.</summary>
    public virtual void OnUnclaimed(ref ImapResponse response)
    {
    }

    /// <summary>Called on the oldest command in flight for an untagged status reply.</summary>
    public virtual void OnStatus(StatusReply status)
    {
    }

    /// <summary>Called for the command's tagged reply, before <see cref="Completion"/> completes.</summary>
    public virtual void OnTagged(StatusReply status)
    {
    }

    /// <summary>Replaces the connection's stream after OK (STARTTLS, COMPRESS); null if the command keeps the stream.</summary>
    /// <returns>A function that takes the current stream and the octets already read from it, and returns the new stream.</returns>
    public virtual Func<Stream, ReadOnlyMemory<byte>, ValueTask<Stream>>? Upgrade => null;

    /// <summary>Whether this is the connection's last command (LOGOUT), which BYE answers as well.</summary>
    public virtual bool EndsConnection => false;

    /// <summary>The number of messages (EXISTS) in the folder that this command selected, once it is answered OK.</summary>
    public virtual long SelectedMessages => 0;

    /// <summary>The feed that receives this command's message bodies; null if it requests none.</summary>
    public virtual BodyFeed? Feed => null;

    /// <summary>Takes the command out of the queue. Returns true if no octet of it was sent or ever will be.</summary>
    public bool TryUnqueue()
    {
        var before = Interlocked.CompareExchange(ref state, UnqueuedState, QueuedState);
        if (before == QueuedState)
            written.TrySetResult();
        return before != StartedState;
    }

    public bool TryStart() => Interlocked.CompareExchange(ref state, StartedState, QueuedState) == QueuedState;

    /// <summary>Prepares to receive a <c>+</c>. Must be called before the octets that request the <c>+</c> are written.</summary>
    public Task<byte[]?> ExpectContinuation()
    {
        var slot = new TaskCompletionSource<byte[]?>(TaskCreationOptions.RunContinuationsAsynchronously);
        continuation = slot;
        if (Volatile.Read(ref reply) is not null || completion.Task.IsCompleted)
            slot.TrySetResult(null);
        return slot.Task;
    }

    /// <summary>Passes a <c>+</c> to the command; returns false if the command is not waiting for one.</summary>
    public bool Continue(byte[] text) => continuation is { } slot && slot.TrySetResult(text);

    public void Answer(StatusReply status)
    {
        Volatile.Write(ref reply, status);
        // A refusal in place of "+" is a normal answer, so the writer stops waiting and writes no more of this command.
        continuation?.TrySetResult(null);
        Complete(AnsweredBit);
    }

    public void FinishWriting()
    {
        // Set the bit first. WhenWritten may wake a caller that cancels, and cancelling a command that does not count as
        // fully written ends the connection.
        Complete(WrittenBit);
        written.TrySetResult();
    }

    public virtual void Fail(Exception reason)
    {
        completion.TrySetException(reason);
        // Callers observe the failure through Completion. If nobody does, .NET must not report it as an unobserved exception.
        _ = completion.Task.Exception;
        continuation?.TrySetResult(null);
        TryUnqueue();
    }

    private void Complete(int bit)
    {
        if ((Interlocked.Or(ref parts, bit) | bit) == (WrittenBit | AnsweredBit))
            completion.TrySetResult(reply!);
    }
}
