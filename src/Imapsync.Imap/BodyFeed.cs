using System.IO.Pipelines;
using System.Threading.Channels;

namespace Imapsync.Imap;

/// <summary>Something that came for a consumer of bodies: a body, or the end of one of the commands that asked.</summary>
public abstract class FeedItem
{
    internal virtual void Release()
    {
    }
}

/// <summary>A message body as it arrives.</summary>
public sealed class FetchedBody : FeedItem
{
    // The consumer's own task goes on with reading when it lets go: no hop between threads for each message.
    private readonly TaskCompletionSource released = new();

    internal FetchedBody(Uid uid, long length, PipeReader body)
    {
        Uid = uid;
        Length = length;
        Body = body;
    }

    /// <summary>None where the server had not said it ahead of the body and the body was too big to hold.</summary>
    public Uid Uid { get; }

    /// <summary>Octets of the literal; -1 where the server sent NIL.</summary>
    public long Length { get; }

    public PipeReader Body { get; }

    internal Task Released => released.Task;

    internal override void Release() => released.TrySetResult();
}

/// <summary>All bodies that one range gives have come.</summary>
/// <param name="Range">As asked for.</param>
/// <param name="Failure">NO or BAD, or null for OK.</param>
public sealed class RangeDone(UidSet range, ImapCommandException? failure) : FeedItem
{
    public UidSet Range { get; } = range;

    public ImapCommandException? Failure { get; } = failure;
}

/// <summary>
/// Brings the bodies of pipelined FETCH commands to one consumer, in the order they arrive, one at a time:
/// asking for the next item lets go of the one before. While a body is held the connection reads nothing.
/// </summary>
public sealed class BodyFeed : IAsyncDisposable
{
    private readonly Channel<FeedItem> items = Channel.CreateUnbounded<FeedItem>(
        new UnboundedChannelOptions { SingleReader = false, SingleWriter = false, AllowSynchronousContinuations = false });

    private FeedItem? held;
    private volatile bool isAbandoned;

    /// <exception cref="ImapConnectionException">The connection broke; what was in flight did not come.</exception>
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

    /// <summary>Whatever still arrives is read past.</summary>
    public ValueTask DisposeAsync()
    {
        isAbandoned = true;
        LetGo();
        while (items.Reader.TryRead(out var item))
            item.Release();
        return ValueTask.CompletedTask;
    }

    /// <summary>Ends when the consumer is done with the last body it was given: no more than that one is ever held for it.</summary>
    internal Task Room { get; private set; } = Task.CompletedTask;

    /// <summary>Gives a body to the consumer and waits until it is done with it.</summary>
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

        // Disposed between the check and the write: nobody will come for it.
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
