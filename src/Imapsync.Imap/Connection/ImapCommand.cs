using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Connection;

/// <summary>
/// One command: what it sends, which untagged replies are its own, what it results in. The connection calls
/// <see cref="EncodeAsync"/> on the write loop and everything else on the read loop. It is over when it is both
/// wholly written and answered, so that nobody touches a body after its owner was told.
/// </summary>
internal abstract class ImapCommand
{
    private const int WrittenBit = 1;
    private const int AnsweredBit = 2;
    private const int QueuedState = 0;
    private const int StartedState = 1;
    private const int UnqueuedState = 2;

    private readonly TaskCompletionSource<StatusReply> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // Whoever waits for it goes on in the write loop: the next command is there without a change of thread.
    private readonly TaskCompletionSource written = new();
    private volatile TaskCompletionSource<byte[]?>? continuation;
    private StatusReply? reply;
    private int parts;
    private int state = QueuedState;

    /// <summary>The name without arguments, for error texts.</summary>
    public abstract string Name { get; }

    public virtual CommandClass Class => CommandClass.Free;

    /// <summary>It logs in: neither it nor its replies are shown.</summary>
    public virtual bool CarriesSecret => false;

    public string Tag { get; set; } = "";

    /// <summary>A command that goes out right before this one, in the same write. Null once that was begun.</summary>
    public ImapCommand? Before { get; set; }

    /// <summary>When it was sent; set for the trace alone.</summary>
    public long StartedAt { get; set; }

    /// <summary>A literal went out without waiting for <c>+</c>: after BAD the server may be reading it as commands.</summary>
    public bool SentUnasked { get; set; }

    public bool AwaitsContinuation => continuation is { Task.IsCompleted: false };

    /// <summary>For what is waited for on the caller's side: bodies and windows.</summary>
    public CancellationToken Cancellation { get; set; }

    public bool IsAnswered => Volatile.Read(ref reply) is not null;

    public Task<StatusReply> Completion => completion.Task;

    public bool IsWritten => (Volatile.Read(ref parts) & WrittenBit) != 0;

    /// <summary>Ends when the write loop is done with this command, or will never begin with it.</summary>
    public Task WhenWritten => written.Task;

    /// <summary>Writes the command without tag and final line end.</summary>
    public abstract ValueTask EncodeAsync(CommandWriter writer);

    /// <summary>Octets of untagged replies that it may well bring beyond <see cref="ImapLimits.MaxUntaggedBytes"/>.</summary>
    public virtual long ExpectedBytes => 0;

    /// <summary>True when the reply was this command's and nobody else's.</summary>
    public virtual bool OnUntagged(ref ImapResponse response) => false;

    /// <summary>Data that no command in flight took came while this was the oldest.</summary>
    public virtual void OnUnclaimed(ref ImapResponse response)
    {
    }

    /// <summary>An untagged status reply came while this was the oldest command in flight.</summary>
    public virtual void OnStatus(StatusReply status)
    {
    }

    /// <summary>The tagged reply, before <see cref="Completion"/>.</summary>
    public virtual void OnTagged(StatusReply status)
    {
    }

    /// <summary>Swaps the stream under the connection after OK (STARTTLS, COMPRESS). Null: nothing to swap.</summary>
    /// <returns>Given the stream and octets already read from it.</returns>
    public virtual Func<Stream, ReadOnlyMemory<byte>, ValueTask<Stream>>? Upgrade => null;

    /// <summary>Nothing is asked for after it (LOGOUT), and BYE answers it.</summary>
    public virtual bool EndsConnection => false;

    /// <summary>EXISTS of the folder it selected, once answered OK.</summary>
    public virtual long SelectedMessages => 0;

    /// <summary>Where this command's bodies go; null when it asked for none.</summary>
    public virtual BodyFeed? Feed => null;

    /// <summary>Takes it out of the queue: true when not an octet of it was sent or ever will be.</summary>
    public bool TryUnqueue()
    {
        var before = Interlocked.CompareExchange(ref state, UnqueuedState, QueuedState);
        if (before == QueuedState)
            written.TrySetResult();
        return before != StartedState;
    }

    public bool TryStart() => Interlocked.CompareExchange(ref state, StartedState, QueuedState) == QueuedState;

    /// <summary>Must be called before the octets that ask for the <c>+</c> are written.</summary>
    public Task<byte[]?> ExpectContinuation()
    {
        var slot = new TaskCompletionSource<byte[]?>(TaskCreationOptions.RunContinuationsAsynchronously);
        continuation = slot;
        if (Volatile.Read(ref reply) is not null || completion.Task.IsCompleted)
            slot.TrySetResult(null);
        return slot.Task;
    }

    /// <summary>Hands a <c>+</c> to the command; false when it awaits none.</summary>
    public bool Continue(byte[] text) => continuation is { } slot && slot.TrySetResult(text);

    public void Answer(StatusReply status)
    {
        Volatile.Write(ref reply, status);
        // A refusal before the "+" is a normal answer: nothing more is owed.
        continuation?.TrySetResult(null);
        Complete(AnsweredBit);
    }

    public void FinishWriting()
    {
        // In this order: whoever goes on here must see that it is written, or a cancellation would end the connection for it.
        Complete(WrittenBit);
        written.TrySetResult();
    }

    public virtual void Fail(Exception reason)
    {
        completion.TrySetException(reason);
        // Whoever looks, looks at Completion; a fault that nobody awaits any more is not news.
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
