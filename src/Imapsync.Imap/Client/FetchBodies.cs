using System.Buffers;
using System.IO.Pipelines;
using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>
    /// Asks for message bodies. Returns once the command is queued; the feed then yields the bodies and, at the end, a <see
    /// cref="RangeDone"/>. Several FETCH commands may share one feed at the same time.
    /// </summary>
    /// <param name="range">The UIDs of the messages.</param>
    /// <param name="section">Empty for the whole message; <c>HEADER</c> for its header only.</param>
    public async Task StartFetchAsync(UidSet range, string section, BodyFeed feed, CancellationToken cancellationToken) =>
        await connection.SendAsync(new FetchBodiesCommand(range, section, feed, options.Limits), cancellationToken);
}

/// <summary>
/// UID FETCH of one section of a range of messages, streamed to a feed. <c>BODY.PEEK[]</c> is the whole message, <c>BODY.PEEK[HEADER]</c>
/// its header.
/// </summary>
internal sealed class FetchBodiesCommand(UidSet range, string section, BodyFeed feed, ImapLimits limits) : ImapCommand
{
    // The limit is generous, because broken servers send a body twice, and bodies of a later FETCH may be counted here.
    private readonly long maxBodies = (range.Count * 2) + 1000;
    private readonly FlagReader flags = new(limits);
    private long bodies;

    public override string Name => "UID FETCH";

    public override CommandClass Class => CommandClass.NeedsSelection;

    public override BodyFeed Feed => feed;

    public override ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text($"UID FETCH {range} (UID BODY.PEEK[{section}])");
        return ValueTask.CompletedTask;
    }

    public override bool OnUntagged(ref ImapResponse response)
    {
        if (!response.Is("FETCH"u8))
            return false;
        var items = FetchItems.Read(response.Arguments, flags);
        if (items.HasBody && ++bodies > maxBodies)
            throw new ImapProtocolException($"the server sent {bodies} bodies where {range.Count} were asked for");
        if (items.HasBody && !items.IsBodyStreamed)
        {
            var octets = items.Body ?? [];
            feed.Post(new FetchedBody(
                items.Uid, items.Body is null ? -1 : octets.Length, PipeReader.Create(new ReadOnlySequence<byte>(octets))));
        }

        return true;
    }

    public override void OnTagged(StatusReply status) =>
        feed.Post(new RangeDone(range, status.Kind == StatusKind.Ok ? null : new ImapCommandException(Name, status)));
}
