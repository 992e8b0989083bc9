using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Connection;

/// <summary>
/// Reads replies and passes each to the command it belongs to. A message body is read by the consumer that asked for it; the loop reads
/// nothing meanwhile.
/// </summary>
/// <param name="greeting">The pseudo-command answered by the server's first line.</param>
/// <param name="end">Ends the connection; see <see cref="ImapConnection.Break"/>.</param>
internal sealed class ReadLoop(
    Transport transport, PendingCommands pending, SessionState session, GreetingCommand greeting, ImapLimits limits, ImapTrace? trace, TimeProvider time,
    Func<Exception, Exception> end)
{
    private readonly FrameReader frames = new(limits);
    private ImapCommand? upgrading;
    private StatusReply? upgradeReply;
    private long untaggedBytes;
    private volatile bool isLent;
    private Uid bodyUid;
    private byte[]? heldBody;
    private BodyFeed? heldFor;

    // The feed whose consumer has not yet released a body that was held in memory; null if there is none.
    private BodyFeed? untaken;

    private enum Pause
    {
        NeedMore,
        Body,
        Upgrade,
        Untaken,
    }

    /// <summary>Whether a consumer is holding a body, which it may never release.</summary>
    public bool IsLent => isLent;

    /// <summary>How many lines so far could not be understood.</summary>
    public int UnknownLines { get; private set; }

    public async Task RunAsync()
    {
        try
        {
            while (pending.BreakReason is null)
            {
                var read = await transport.Reader.ReadAsync(CancellationToken.None);
                var pause = ReadFrames(read.Buffer, out var consumed);
                transport.Reader.AdvanceTo(consumed, pause == Pause.NeedMore ? read.Buffer.End : consumed);
                if (pause == Pause.Body)
                    await PassBodyAsync();
                else if (pause == Pause.Upgrade)
                    await UpgradeAsync();
                else if (pause == Pause.Untaken)
                    await WaitForRoomAsync();
                else if (read.IsCompleted)
                    end(new ImapConnectionException(ConnectionFailure.Network, frames.IsAtBoundary
                        ? "the server closed the connection" : "the server closed the connection in the middle of a reply"));
            }
        }
        catch (Exception e)
        {
            end(e);
        }
        finally
        {
            await transport.Reader.CompleteAsync();
        }
    }

    /// <summary>Handles every complete reply in the buffer, without awaiting and without copying a reply that lies in one segment.</summary>
    private Pause ReadFrames(ReadOnlySequence<byte> buffer, out SequencePosition consumed)
    {
        var input = new SequenceReader<byte>(buffer);
        while (true)
        {
            var status = frames.Read(ref input, out var frame);
            consumed = input.Position;
            if (status == FrameStatus.NeedMore)
                return Pause.NeedMore;
            if (status == FrameStatus.Body)
            {
                // If the server sent the UID ahead of the body, it is in the part of the reply that is already here.
                bodyUid = FetchItems.FindUid(frame, frames.BodyAt, limits);
                return Pause.Body;
            }

            if (trace is not null)
                Show(frame);
            Handle(frame);
            if (upgrading is not null)
                return Pause.Upgrade;
            if (untaken is not null)
                return Pause.Untaken;
        }
    }

    private void Show(ReadOnlySpan<byte> frame)
    {
        if (pending.Sent.Any(c => c.CarriesSecret))
            trace!.ReceivedAtLogIn(frame);
        else
            trace!.Received(frame);
    }

    private void Handle(ReadOnlySpan<byte> frame)
    {
        // Check the text behind the body first. If it can't be the rest of a reply, the body's length was wrong, so
        // nothing in this reply can be trusted.
        if (frames.BodyAt >= 0 && !FetchTail.IsPlausible(frame[frames.BodyAt..]))
            throw new ImapProtocolException(FetchTail.Lost) { IsFramingLost = true };
        var response = ImapResponse.Parse(frame, frames.BodyAt, limits);
        if (response.Kind != ResponseKind.Tagged)
            CountUntagged(frame.Length);
        switch (response.Kind)
        {
            case ResponseKind.Continuation:
                OnContinuation(response.Name);
                break;
            case ResponseKind.Tagged:
                OnTagged(response.Tag, response.Status!);
                break;
            case ResponseKind.Status:
                OnStatus(response.Status!);
                break;
            case ResponseKind.Data:
                OnData(ref response);
                break;
            default:
                if (!LiteralMarker.TrimLineEnd(frame).IsEmpty)
                    CountUnknown();
                break;
        }

        if (frames.BodyAt >= 0)
            FinishHeldBody(frame);
    }

    private void OnData(ref ImapResponse response)
    {
        session.OnUnsolicited(ref response);
        foreach (var command in pending.Sent)
        {
            // Each command gets its own copy of the response, so that it reads the tokens from the beginning; copying takes only a few words.
            var offered = response;
            if (!command.OnUntagged(ref offered))
                continue;
            if (command.Feed is { Room.IsCompleted: false } feed)
                untaken = feed;
            return;
        }

        var unclaimed = response;
        pending.Oldest?.OnUnclaimed(ref response);
        session.OnUnclaimed(ref unclaimed);
    }

    private void OnStatus(StatusReply status)
    {
        session.OnStatus(status);
        var oldest = pending.Oldest;
        oldest?.OnStatus(status);
        if (oldest == greeting)
        {
            Finish(greeting, status);
        }
        else if (status.Kind == StatusKind.Bye)
        {
            // Yandex repeats BYE and never sends the tagged reply, so BYE completes a pending LOGOUT.
            if (pending.Sent.FirstOrDefault(c => c.EndsConnection) is { } logout)
                Finish(logout, new StatusReply(StatusKind.Ok, null, status.Text));
            else
                end(new ImapConnectionException(ConnectionFailure.Bye, $"the server ended the session: {status}") { Bye = status });
        }
    }

    private void OnContinuation(ReadOnlySpan<byte> text)
    {
        foreach (var command in pending.Sent)
        {
            if (command.AwaitsContinuation && command.Continue(text.ToArray()))
                return;
        }

        // No command waits for this "+"; Exchange sends stray ones, so it is only counted.
        CountUnknown();
    }

    private void OnTagged(ReadOnlySpan<byte> tag, StatusReply status)
    {
        ImapCommand? command = null;
        foreach (var candidate in pending.Sent)
        {
            if (Ascii.Equals(tag, candidate.Tag))
                command = candidate;
        }

        if (command is null)
        {
            CountUnknown();
            return;
        }

        session.OnStatus(status);
        if (status.Kind == StatusKind.Ok && command.Upgrade is not null)
        {
            upgrading = command;
            upgradeReply = status;
            return;
        }

        Finish(command, status);
        if (status.Kind == StatusKind.Bad && command.SentUnasked)
            end(new ImapProtocolException($"{command.Name} was answered {status} after a literal it had not asked for; the server may read the literal as commands") { Reply = status });
    }

    private void Finish(ImapCommand command, StatusReply status)
    {
        untaggedBytes = 0;
        pending.Remove(command);
        if (trace is not null && command != greeting)
            trace.Answered(command.Tag, command.Name, status.Kind, time.GetElapsedTime(command.StartedAt));
        command.OnTagged(status);
        session.OnAnswer(command, status);
        command.Answer(status);
        // End the connection here, while no read is pending, because interrupting a read would throw.
        if (command.EndsConnection)
            end(new ImapConnectionException(ConnectionFailure.Closed, "logged out"));
        else
            pending.TellRoom();
    }

    /// <summary>Replaces the stream. No command is being sent meanwhile, because the send gate lets this command run only alone.</summary>
    private async Task UpgradeAsync()
    {
        var command = upgrading!;
        upgrading = null;
        await transport.WrapAsync(command.Upgrade!, command.WhenWritten);
        if (pending.BreakReason is not null)
            transport.Close();
        Finish(command, upgradeReply!);
    }

    /// <summary>Counts untagged octets, because a server could go on sending them without ever answering. Throws at the limit.</summary>
    private void CountUntagged(int octets)
    {
        untaggedBytes += octets;
        if (untaggedBytes > limits.MaxUntaggedBytes && untaggedBytes > limits.MaxUntaggedBytes + pending.Sent.Sum(c => c.ExpectedBytes))
        {
            throw new ImapProtocolException(
                $"the server sent {untaggedBytes} octets of untagged replies and answered nothing ({pending.Oldest?.Name ?? "nothing was asked"})");
        }
    }

    private void CountUnknown()
    {
        if (++UnknownLines > limits.MaxUnknownLines)
            throw new ImapProtocolException($"the server sent more than {limits.MaxUnknownLines} lines that make no sense");
    }

    /// <summary>Lends the reader to the consumer that asked for bodies, then discards the rest of the body.</summary>
    private async Task PassBodyAsync()
    {
        var length = frames.BodyLength;
        var feed = pending.Sent.FirstOrDefault(c => c.Feed is not null)?.Feed;
        if (feed is not null && bodyUid.IsNone && length <= limits.MaxHeldBodyBytes)
        {
            await HoldBodyAsync(feed, (int)length);
            return;
        }

        var body = new LiteralReader(transport.Reader, length, end, pending, limits.MaxLineBytes);
        if (feed is not null)
        {
            isLent = true;
            await feed.OfferAsync(new FetchedBody(bodyUid, length, body));
            body.Release();
            isLent = false;
            pending.ThrowIfBroken();
        }

        await DrainAsync(body.Remaining);
    }

    /// <summary>Holds a body in memory until the rest of the reply has arrived, because its UID follows the body.</summary>
    private async Task HoldBodyAsync(BodyFeed feed, int length)
    {
        var octets = new byte[length];
        var filled = 0;
        while (filled < length)
        {
            var read = await transport.Reader.ReadAsync(CancellationToken.None);
            var part = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, length - filled));
            part.CopyTo(octets.AsSpan(filled));
            filled += (int)part.Length;
            transport.Reader.AdvanceTo(part.End);
            if (read.IsCompleted && filled < length)
                throw new ImapConnectionException(ConnectionFailure.Network, "the server closed the connection in the middle of a message");
        }

        heldBody = octets;
        heldFor = feed;
    }

    private void FinishHeldBody(ReadOnlySpan<byte> frame)
    {
        if (heldBody is not { } octets)
            return;
        var uid = FetchItems.FindUid(frame, frames.BodyAt, limits);
        heldFor!.Post(new FetchedBody(uid, octets.Length, PipeReader.Create(new ReadOnlySequence<byte>(octets))));
        untaken = heldFor;
        heldBody = null;
        heldFor = null;
    }

    /// <summary>Reads nothing until the consumer has released its body, so that a server can't fill the memory with small bodies.</summary>
    private async Task WaitForRoomAsync()
    {
        var feed = untaken!;
        untaken = null;
        isLent = true;
        await feed.Room;
        isLent = false;
    }

    private async Task DrainAsync(long left)
    {
        if (left > limits.MaxDrainBytes)
            throw new ImapConnectionException(ConnectionFailure.Closed, $"{left} octets of a message that nobody reads: closing costs less than reading past them");
        while (left > 0)
        {
            var read = await transport.Reader.ReadAsync(CancellationToken.None);
            var part = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, left));
            left -= part.Length;
            transport.Reader.AdvanceTo(part.End);
            if (read.IsCompleted && left > 0)
                throw new ImapConnectionException(ConnectionFailure.Network, "the server closed the connection in the middle of a message");
        }
    }
}
