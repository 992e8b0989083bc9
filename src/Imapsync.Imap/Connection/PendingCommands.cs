using System.Collections.Immutable;
using System.Threading.Channels;

namespace Imapsync.Imap.Connection;

/// <summary>The commands that were sent and are not answered yet, oldest first. They all fail when the connection ends.</summary>
internal sealed class PendingCommands(ImapLimits limits, ProgressWatchdog watchdog)
{
    private const int MostLookedAt = 64;

    private readonly Lock gate = new();

    // Signals that a tagged reply has arrived, so that more may be sent; closed when the connection ends. A channel is used because a
    // semaphore allocates several tasks for each wait with a cancellation token.
    private readonly Channel<bool> answered = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private ImmutableArray<ImapCommand> sent = [];
    private Exception? broken;
    private volatile bool isFull;

    public ImmutableArray<ImapCommand> Sent => sent;

    public ImapCommand? Oldest => sent.FirstOrDefault();

    public Exception? BreakReason => Volatile.Read(ref broken);

    public void ThrowIfBroken()
    {
        if (BreakReason is { } reason)
            throw Telling(reason);
    }

    /// <summary>
    /// Registers a command before its first octet is written, so that no reply can arrive too early. Returns false if the connection has broken.
    /// </summary>
    public bool TryAdd(ImapCommand command)
    {
        lock (gate)
        {
            if (broken is null)
            {
                sent = sent.Add(command);
                watchdog.CommandSent();
                return true;
            }
        }

        Fail(command);
        return false;
    }

    /// <summary>Removes a command that was answered.</summary>
    public void Remove(ImapCommand command)
    {
        lock (gate)
            sent = sent.Remove(command);
        watchdog.CommandAnswered();
    }

    public bool MaySend(ImapCommand command)
    {
        var before = sent;
        isFull = SendGate.IsFull(before.Length, limits.MaxInFlight, isFull);
        if (isFull)
            return false;
        Span<SentCommand> view = stackalloc SentCommand[Math.Min(before.Length, MostLookedAt)];
        for (var i = 0; i < view.Length; i++)
            view[i] = new SentCommand(before[i].Class, before[i].AwaitsContinuation);
        return SendGate.MaySend(command.Class, view);
    }

    /// <summary>Waits for the next answer after which another command may be sent.</summary>
    public async ValueTask WaitForAnswerAsync()
    {
        if (!await answered.Reader.WaitToReadAsync(CancellationToken.None))
            ThrowIfBroken();
        answered.Reader.TryRead(out _);
    }

    /// <summary>
    /// Wakes the write loop if another command may be sent. After the limit of commands in flight was
    /// reached, that is once half are answered.
    /// </summary>
    public void TellRoom()
    {
        if (!SendGate.IsFull(sent.Length, limits.MaxInFlight, isFull))
            answered.Writer.TryWrite(true);
    }

    /// <summary>Ends the connection with a reason, unless it already has one.</summary>
    /// <returns>The commands that were in flight; null if the connection had already ended.</returns>
    public ImmutableArray<ImapCommand>? End(Exception reason)
    {
        lock (gate)
        {
            if (broken is not null)
                return null;
            broken = reason is ImapConnectionException or ImapProtocolException
                ? reason
                : new ImapConnectionException(ConnectionFailure.Network, $"the connection was lost: {reason.Message}", reason);
            var lost = sent;
            sent = [];
            answered.Writer.TryComplete();
            return lost;
        }
    }

    /// <summary>Fails a command with the reason for which the connection ended.</summary>
    public void Fail(ImapCommand command)
    {
        var reason = Telling(broken!);
        command.Before?.Fail(reason);
        command.Fail(reason);
        command.Feed?.Fail(reason);
    }

    /// <summary>Creates a new exception with the same reason for each caller, because one exception object must not be thrown twice.</summary>
    public static Exception Telling(Exception reason) => reason switch
    {
        ImapProtocolException p => new ImapProtocolException(p.Message, p) { Reply = p.Reply, IsFramingLost = p.IsFramingLost },
        ImapConnectionException c => new ImapConnectionException(c.Failure, c.Message, c) { Bye = c.Bye, SpeaksInstead = c.SpeaksInstead, Certificate = c.Certificate },
        _ => reason,
    };
}
