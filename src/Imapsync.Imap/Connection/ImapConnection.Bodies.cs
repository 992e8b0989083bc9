using Imapsync.Imap.Commands;
using System.Buffers;
using System.IO.Pipelines;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Connection;

internal sealed partial class ImapConnection
{
    private Uid bodyUid;
    private byte[]? heldBody;
    private BodyFeed? heldFor;

    // Was given a body that is held in memory.
    private BodyFeed? untaken;

    /// <summary>Lends the reader to whoever asked for bodies, then reads past what was left.</summary>
    private async Task PassBodyAsync()
    {
        var length = frames.BodyLength;
        var feed = inFlight.FirstOrDefault(c => c.Feed is not null)?.Feed;
        if (feed is not null && bodyUid.IsNone && length <= limits.MaxHeldBodyBytes)
        {
            await HoldBodyAsync(feed, (int)length);
            return;
        }

        var body = new LiteralReader(reader, length, this, limits.MaxLineBytes);
        if (feed is not null)
        {
            isLent = true;
            await feed.OfferAsync(new FetchedBody(bodyUid, length, body));
            body.Release();
            isLent = false;
            ThrowIfBroken();
        }

        await DrainAsync(body.Remaining);
    }

    /// <summary>A body whose UID comes behind it: kept until the rest of the reply is here.</summary>
    private async Task HoldBodyAsync(BodyFeed feed, int length)
    {
        var octets = new byte[length];
        var filled = 0;
        while (filled < length)
        {
            var read = await reader.ReadAsync(CancellationToken.None);
            var part = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, length - filled));
            part.CopyTo(octets.AsSpan(filled));
            filled += (int)part.Length;
            reader.AdvanceTo(part.End);
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

    /// <summary>Reads nothing until the consumer is done with the body it was given, so that a server can't fill the memory with small ones.</summary>
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
            var read = await reader.ReadAsync(CancellationToken.None);
            var part = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, left));
            left -= part.Length;
            reader.AdvanceTo(part.End);
            if (read.IsCompleted && left > 0)
                throw new ImapConnectionException(ConnectionFailure.Network, "the server closed the connection in the middle of a message");
        }
    }
}
