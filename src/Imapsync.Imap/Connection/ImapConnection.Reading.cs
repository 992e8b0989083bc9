using Imapsync.Imap.Commands;
using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Connection;

internal sealed partial class ImapConnection
{
    private FrameReader frames = null!;
    private ImapCommand? upgrading;
    private long untaggedBytes;

    private enum Pause
    {
        NeedMore,
        Body,
        Upgrade,
        Untaken,
    }

    private async Task ReadLoopAsync()
    {
        frames = new FrameReader(limits);
        try
        {
            while (!IsBroken)
            {
                var read = await reader.ReadAsync(CancellationToken.None);
                var pause = ReadFrames(read.Buffer, out var consumed);
                reader.AdvanceTo(consumed, pause == Pause.NeedMore ? read.Buffer.End : consumed);
                if (pause == Pause.Body)
                    await PassBodyAsync();
                else if (pause == Pause.Upgrade)
                    await UpgradeAsync();
                else if (pause == Pause.Untaken)
                    await WaitForRoomAsync();
                else if (read.IsCompleted)
                    Break(new ImapConnectionException(ConnectionFailure.Network, frames.IsAtBoundary
                        ? "the server closed the connection" : "the server closed the connection in the middle of a reply"));
            }
        }
        catch (Exception e)
        {
            Break(e);
        }
        finally
        {
            await reader.CompleteAsync();
        }
    }

    /// <summary>Handles every whole reply in the buffer. No awaiting, no copy of what lies in one piece.</summary>
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
                // The UID, if it came ahead, is in this half of the reply.
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
        if (inFlight.Any(c => c.CarriesSecret))
            trace!.ReceivedAtLogIn(frame);
        else
            trace!.Received(frame);
    }

    private void Handle(ReadOnlySpan<byte> frame)
    {
        // Before anybody believes a word of it.
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
        if (response.Is("CAPABILITY"u8))
            Capabilities = CapabilityCommand.Read(response.Arguments, limits);
        else if (response.Is("EXISTS"u8) && response.Number is { } count)
            Exists = count;
        else if (response.Is("EXPUNGE"u8))
            (Exists, Expunged) = (Math.Max(0, Exists - 1), Expunged + 1);
        foreach (var command in inFlight)
        {
            // The tokens are offered afresh to each: a copy of the response is a few words.
            var offered = response;
            if (!command.OnUntagged(ref offered))
                continue;
            if (command.Feed is { Room.IsCompleted: false } feed)
                untaken = feed;
            return;
        }

        inFlight.FirstOrDefault()?.OnUnclaimed(ref response);
    }

    private void OnStatus(StatusReply status)
    {
        NoteCapabilities(status);
        var oldest = inFlight.FirstOrDefault();
        oldest?.OnStatus(status);
        if (oldest == Greeting)
        {
            Finish(Greeting, status);
        }
        else if (status.Kind == StatusKind.Bye)
        {
            // Yandex repeats BYE and never sends the tagged reply.
            if (inFlight.FirstOrDefault(c => c is LogoutCommand) is { } logout)
                Finish(logout, new StatusReply(StatusKind.Ok, null, status.Text));
            else
                Break(new ImapConnectionException(ConnectionFailure.Bye, $"the server ended the session: {status}") { Bye = status });
        }
    }

    private void OnContinuation(ReadOnlySpan<byte> text)
    {
        foreach (var command in inFlight)
        {
            if (command.AwaitsContinuation && command.Continue(text.ToArray()))
                return;
        }

        // Exchange sends stray ones.
        CountUnknown();
    }

    private void OnTagged(ReadOnlySpan<byte> tag, StatusReply status)
    {
        ImapCommand? command = null;
        foreach (var candidate in inFlight)
        {
            if (Ascii.Equals(tag, candidate.Tag))
                command = candidate;
        }

        if (command is null)
        {
            CountUnknown();
            return;
        }

        NoteCapabilities(status);
        if (status.Kind == StatusKind.Ok && command.Upgrade is not null)
        {
            upgrading = command;
            upgradeReply = status;
            return;
        }

        Finish(command, status);
        if (status.Kind == StatusKind.Bad && command.SentUnasked)
            Break(new ImapProtocolException($"{command.Name} was answered {status} after a literal it had not asked for; the server may read the literal as commands") { Reply = status });
    }

    private void Finish(ImapCommand command, StatusReply status)
    {
        untaggedBytes = 0;
        lock (gate)
            inFlight = inFlight.Remove(command);
        watchdog.CommandAnswered();
        if (trace is not null && command != Greeting)
            trace.Answered(command.Tag, command.Name, status.Kind, time.GetElapsedTime(command.StartedAt));
        if (status.Kind is StatusKind.No or StatusKind.Bad)
            Refusals++;
        command.OnTagged(status);
        // A server may leave EXISTS out; the number of the folder before must not stand in for it.
        if (command is SelectCommand select)
            Exists = status.Kind == StatusKind.Ok ? select.Result.Counters.Messages : 0;
        command.Answer(status);
        if (command is LogoutCommand)
        {
            // Ended here, while nothing is being read: a read that is cut off would have to throw.
            Break(new ImapConnectionException(ConnectionFailure.Closed, "logged out"));
            return;
        }

        // Only where the write loop would go on: it waits for half of many, not for each.
        if (!SendGate.IsFull(inFlight.Length, limits.MaxInFlight, isFull))
            answered.Writer.TryWrite(true);
    }

    private void NoteCapabilities(StatusReply status)
    {
        if (status.Code is { Kind: ResponseCodeKind.Capability } code)
            Capabilities = new ImapCapabilities(code.Words.Take(limits.MaxCapabilities));
    }

    /// <summary>A server may say much before it answers, and not without an end.</summary>
    private void CountUntagged(int octets)
    {
        untaggedBytes += octets;
        if (untaggedBytes > limits.MaxUntaggedBytes && untaggedBytes > limits.MaxUntaggedBytes + inFlight.Sum(c => c.ExpectedBytes))
        {
            throw new ImapProtocolException(
                $"the server sent {untaggedBytes} octets of untagged replies and answered nothing ({inFlight.FirstOrDefault()?.Name ?? "nothing was asked"})");
        }
    }

    private void CountUnknown()
    {
        if (++unknownLines > limits.MaxUnknownLines)
            throw new ImapProtocolException($"the server sent more than {limits.MaxUnknownLines} lines that make no sense");
    }
}
