using System.Collections.Immutable;
using System.Threading.Channels;

namespace Imapsync.Imap.Connection;

/// <summary>The commands that were sent and not answered yet, oldest first; and the end of the connection, with which they all fail.</summary>
internal sealed class PendingCommands(ImapLimits limits, ProgressWatchdog watchdog)
{
    private const int MostLookedAt = 64;

    private readonly Lock gate = new();

    // Rung by a tagged reply that makes room and closed with the connection. A semaphore would make several tasks for each wait with a token.
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

    /// <summary>Before the first octet is written, so that no reply can come too early. False when the connection broke meanwhile.</summary>
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

    /// <summary>It was answered.</summary>
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

    /// <summary>Waits for the next answer that makes room.</summary>
    public async ValueTask WaitForAnswerAsync()
    {
        if (!await answered.Reader.WaitToReadAsync(CancellationToken.None))
            ThrowIfBroken();
        answered.Reader.TryRead(out _);
    }

    /// <summary>Only where the write loop would go on: it waits for half of many, not for each.</summary>
    public void TellRoom()
    {
        if (!SendGate.IsFull(sent.Length, limits.MaxInFlight, isFull))
            answered.Writer.TryWrite(true);
    }

    /// <summary>The first reason wins.</summary>
    /// <returns>The commands that were under way; null where it had ended before.</returns>
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

    /// <summary>Fails a command with the reason the connection ended for.</summary>
    public void Fail(ImapCommand command)
    {
        var reason = Telling(broken!);
        command.Before?.Fail(reason);
        command.Fail(reason);
        command.Feed?.Fail(reason);
    }

    /// <summary>A new exception for each that is told: one object is not thrown twice.</summary>
    public static Exception Telling(Exception reason) => reason switch
    {
        ImapProtocolException p => new ImapProtocolException(p.Message, p) { Reply = p.Reply, IsFramingLost = p.IsFramingLost },
        ImapConnectionException c => new ImapConnectionException(c.Failure, c.Message, c) { Bye = c.Bye, SpeaksInstead = c.SpeaksInstead, Certificate = c.Certificate },
        _ => reason,
    };
}
