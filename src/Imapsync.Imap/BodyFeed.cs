using System.IO.Pipelines;
using System.Threading.Channels;

namespace Imapsync.Imap;

/// <summary>An item of a <see cref="BodyFeed"/>: a message body, or the notice that a FETCH command has completed.</summary>
public abstract class FeedItem
{
    internal virtual void Release()
    {
    }
}

/// <summary>A message body that is streamed to the consumer as it arrives.</summary>
public sealed class FetchedBody : FeedItem
{
    // Continuations run synchronously, to save a thread switch for each message. The connection's next read starts on the consumer's
    // thread.
    private readonly TaskCompletionSource released = new();

    internal FetchedBody(Uid uid, long length, PipeReader body)
    {
        Uid = uid;
        Length = length;
        Body = body;
    }

    /// <summary>
    /// The message's UID. <see cref="Uid.None"/> if the server sent the UID after the body and the body was too big for memory.
    /// </summary>
    public Uid Uid { get; }

    /// <summary>The literal's length in octets; -1 if the server sent NIL.</summary>
    public long Length { get; }

    public PipeReader Body { get; }

    internal Task Released => released.Task;

    internal override void Release() => released.TrySetResult();
}

/// <summary>The item that follows the last body of one FETCH command: the command has completed.</summary>
public sealed class RangeDone(UidSet range, ImapCommandException? failure) : FeedItem
{
    /// <summary>The UIDs that the command requested.</summary>
    public UidSet Range { get; } = range;

    /// <summary>The server's NO or BAD to the command; null if it answered OK.</summary>
    public ImapCommandException? Failure { get; } = failure;
}

/// <summary>
/// Hands the bodies of pipelined FETCH commands to one consumer, one at a time and in the order of arrival. Asking for the next item
/// releases the current body. While the consumer holds a body, the connection reads nothing from the network.
/// </summary>
public sealed class BodyFeed : IAsyncDisposable
{
    private readonly Channel<FeedItem> items = Channel.CreateUnbounded<FeedItem>(
        new UnboundedChannelOptions { SingleReader = false, SingleWriter = false, AllowSynchronousContinuations = false });

    private FeedItem? held;
    private volatile bool isAbandoned;

    /// <summary>Releases the item returned by the previous call, and waits for the next item.</summary>
    /// <exception cref="ImapConnectionException">The connection broke, so the bodies that were still expected will not come.</exception>
    public async ValueTask<FeedItem> NextAsync(CancellationToken cancellationToken)
    {
        LetGo();
        try
        {
            return held = await items.Reader.ReadAsync(cancellationToken);
        }
        catch (ChannelClosedException closed) when (closed.InnerException is { } reason)
        {
            throw reason is ImapProtocolException lost
                ? new ImapProtocolException(reason.Message, reason) { IsFramingLost = lost.IsFramingLost }
                : new ImapConnectionException((reason as ImapConnectionException)?.Failure ?? ConnectionFailure.Network, reason.Message, reason)
                {
                    Bye = (reason as ImapConnectionException)?.Bye,
                };
        }
    }

    /// <summary>Releases all items; the connection discards any body that still arrives for this feed.</summary>
    public ValueTask DisposeAsync()
    {
        isAbandoned = true;
        LetGo();
        while (items.Reader.TryRead(out var item))
            item.Release();
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// Completes when the consumer has released the body posted last. The read loop waits for this, so that at most one body is in memory.
    /// </summary>
    internal Task Room { get; private set; } = Task.CompletedTask;

    /// <summary>Gives a body to the consumer and waits until the consumer has released it.</summary>
    internal Task OfferAsync(FetchedBody body)
    {
        Post(body);
        return body.Released;
    }

    internal void Post(FetchedBody body)
    {
        Room = body.Released;
        Post((FeedItem)body);
    }

    internal void Post(FeedItem item)
    {
        if (isAbandoned || !items.Writer.TryWrite(item))
        {
            item.Release();
            return;
        }

        // The feed was disposed between the check and the write, so no consumer will release these items.
        if (isAbandoned)
        {
            while (items.Reader.TryRead(out var left))
                left.Release();
        }
    }

    internal void Fail(Exception reason) => items.Writer.TryComplete(reason);

    private void LetGo()
    {
        var item = held;
        held = null;
        item?.Release();
    }
}
