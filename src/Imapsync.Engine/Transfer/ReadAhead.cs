using System.Threading.Channels;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Transfer;

/// <summary>
/// Reads a folder's messages before their consumer asks for them. A reader takes a stretch of consecutive messages at a time. The consumer
/// gets the stretches in the source's order. The first reader uses the folder as it was opened. If the consumer has to wait and connections
/// are available, further readers open the folder again.
/// </summary>
/// <param name="source">The open folder, which nobody else uses meanwhile.</param>
/// <param name="openAgain">Opens the same folder over another connection.</param>
/// <param name="messages">In ascending order of UID, or nearly so.</param>
/// <param name="stop">Cancelled to end the reading; messages already read are still handed out.</param>
internal sealed class ReadAhead(
    IMessageFolder source,
    Func<CancellationToken, Task<IMessageFolder>> openAgain,
    ReaderBudget spare,
    IReadOnlyList<MessageInfo> messages,
    TimeProvider time,
    CancellationToken stop) : IAsyncDisposable
{
    // Stretches are short, because the messages that a reader has read ahead must fit into its memory until the consumer takes them.
    private const int StretchMessages = 25;
    private const long StretchBytes = 1 << 20;

    /// <summary>How long the consumer must have waited in total before another connection is opened, because a log-in takes time.</summary>
    private static readonly TimeSpan WorthALogIn = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource over = new();
    private readonly Lock gate = new();
    private readonly List<Task> readers = [];

    // The stretches that a reader has begun and whose messages the consumer has not all taken, in order.
    private readonly Queue<Stretch> begun = new();
    private TaskCompletionSource<bool>? nextBegins;
    private int position;
    private int reading;
    private bool isClosed;
    private bool mayRecruit = !source.Status.UidValidity.IsNone;
    private TimeSpan waited;

    /// <summary>Whether the reading was stopped before the last message.</summary>
    public bool WasStopped { get; private set; }

    /// <summary>
    /// Waits for the next message; false if there are no more. A reader's failure is thrown after the messages before it were taken.
    /// </summary>
    public async ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            ValueTask<bool> waiting;
            Stretch? first;
            lock (gate)
            {
                if (readers.Count == 0)
                    readers.Add(ReadAsync(source));
                if (begun.TryPeek(out first))
                    waiting = first.Messages.Reader.WaitToReadAsync(cancellationToken);
                else if (reading > 0)
                    waiting = new ValueTask<bool>((nextBegins ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task.WaitAsync(cancellationToken));
                else
                    return false;
            }

            var isThere = waiting.IsCompleted ? await waiting : await WaitAsync(waiting);
            if (first is null)
                continue;
            if (isThere)
                return true;
            lock (gate)
                begun.Dequeue();
        }
    }

    /// <summary>Returns the next message, once <see cref="WaitToReadAsync"/> has returned true.</summary>
    public RelayedMessage? Peek()
    {
        lock (gate)
            return begun.TryPeek(out var first) && first.Messages.Reader.TryPeek(out var message) ? message : null;
    }

    /// <summary>Removes the message that <see cref="Peek"/> returned; the caller has to dispose it.</summary>
    public void Take()
    {
        lock (gate)
            begun.Peek().Messages.Reader.TryRead(out _);
    }

    /// <summary>Ends the reading at once; messages that were not taken are discarded.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (gate)
            isClosed = true;
        await over.CancelAsync();
        await Task.WhenAll(readers);
        foreach (var stretch in begun)
        {
            while (stretch.Messages.Reader.TryRead(out var left))
                left.Dispose();
        }

        over.Dispose();
    }

    private async ValueTask<bool> WaitAsync(ValueTask<bool> waiting)
    {
        var began = time.GetTimestamp();
        var result = await waiting;
        waited += time.GetElapsedTime(began);
        if (waited >= WorthALogIn)
        {
            waited = TimeSpan.Zero;
            AddReader();
        }

        return result;
    }

    private void AddReader()
    {
        lock (gate)
        {
            if (mayRecruit && !isClosed && position < messages.Count && spare.TryTake())
                readers.Add(ReadApartAsync());
        }
    }

    /// <summary>
    /// Reads the folder over a further connection. If the connection can't be opened, the existing readers do the work, and no more
    /// connections are tried.
    /// </summary>
    private async Task ReadApartAsync()
    {
        await Task.Yield();
        try
        {
            using var notNeeded = CancellationTokenSource.CreateLinkedTokenSource(over.Token, stop);
            await using var folder = await openAgain(notNeeded.Token);
            if (folder.Status.UidValidity == source.Status.UidValidity)
                await ReadAsync(folder);
            else
                Volatile.Write(ref mayRecruit, false);
        }
        catch (Exception e) when (e is MailException or OperationCanceledException)
        {
            // The further connection could not be opened. Failures of reading do not come here, because ReadAsync passes them to the
            // consumer.
            Volatile.Write(ref mayRecruit, false);
        }
        finally
        {
            spare.Add(1);
        }
    }

    /// <summary>
    /// Reads stretches of messages. Never throws: a failure ends the stretches that it affects, and their consumer gets the exception.
    /// </summary>
    private async Task ReadAsync(IMessageFolder folder)
    {
        lock (gate)
            reading++;
        await Task.Yield();
        using var slabs = new BodySlabs();
        var own = new Queue<Stretch>();
        Exception? failure = null;
        try
        {
            await foreach (var message in folder.ReadAsync(Begin(own), over.Token))
            {
                var uid = message.Uid;
                await HandOnAsync(message, own, slabs);
                if (stop.IsCancellationRequested && !IsLast(uid, own))
                {
                    WasStopped = true;
                    break;
                }
            }
        }
        catch (Exception e)
        {
            failure = e;
        }

        lock (gate)
        {
            // After a failure no reader begins another stretch. Stretches already begun are read to their end, because they may precede the
            // failure.
            isClosed |= failure is not null || WasStopped;
            foreach (var stretch in own)
                stretch.Messages.Writer.TryComplete(failure);
            if (--reading == 0)
                nextBegins?.TrySetResult(false);
        }
    }

    /// <summary>
    /// Returns whether the message is the folder's last. If it is, a stop that comes afterwards did not end the reading early.
    /// </summary>
    private bool IsLast(Uid uid, Queue<Stretch> own)
    {
        lock (gate)
            return position == messages.Count && uid >= own.Last().Last;
    }

    private async Task HandOnAsync(IncomingMessage message, Queue<Stretch> own, BodySlabs slabs)
    {
        // A message of a later stretch ends the stretches before it. A late message (it was requested once more) is put into the current
        // stretch.
        while (own.Count > 1 && message.Uid > own.Peek().Last)
            own.Dequeue().Messages.Writer.TryComplete();
        var relayed = message.Failure is not null || message.Length > BodySlabs.SlabBytes
            ? RelayedMessage.Direct(message)
            : await RelayedMessage.BufferAsync(message, slabs, over.Token);
        own.Peek().Messages.Writer.TryWrite(relayed);
        await relayed.Done.WaitAsync(over.Token);
    }

    /// <summary>
    /// Yields the messages of one stretch after the other. A stretch is begun when the reader asks for its first message.
    /// </summary>
    private IEnumerable<MessageInfo> Begin(Queue<Stretch> own)
    {
        while (BeginNext(own) is var (first, end) && first < end)
        {
            for (var at = first; at < end; at++)
                yield return messages[at];
        }
    }

    private (int First, int End) BeginNext(Queue<Stretch> own)
    {
        lock (gate)
        {
            var (first, bytes) = (position, 0L);
            while (!isClosed && position < messages.Count && position - first < StretchMessages && bytes < StretchBytes)
                bytes += Math.Max(0, messages[position++].Size);
            if (position == first)
                return default;
            var stretch = new Stretch(messages[position - 1].Uid);
            own.Enqueue(stretch);
            begun.Enqueue(stretch);
            nextBegins?.TrySetResult(true);
            nextBegins = null;
            return (first, position);
        }
    }

    private sealed record Stretch(Uid Last)
    {
        public Channel<RelayedMessage> Messages { get; } = Channel.CreateUnbounded<RelayedMessage>(
            new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    }
}
