using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Matching;

/// <summary>The part of a filter that takes the messages' headers.</summary>
internal static class MessageIdFilter
{
    /// <summary>The messages with one of the wanted Message-IDs; null where the filter asks for none, and then no header is read.</summary>
    /// <param name="onFound">Told each wanted Message-ID that is met.</param>
    public static async Task<UidSet?> ReadAsync(
        IMessageFolder folder, MessageFilter filter, IReadOnlyList<MessageInfo> listing, Action<string> onFound, CancellationToken cancellationToken)
    {
        if (filter.MessageIds.IsEmpty)
            return null;
        // What was settled before may be listed without its date, which says nothing about it.
        var candidates = new UidSet(listing.Where(m => m.InternalDate == default || filter.Accepts(m)).Select(m => m.Uid));
        var chosen = new UidSet();
        if (candidates.IsEmpty)
            return chosen;
        await foreach (var header in folder.ReadHeadersAsync(candidates, cancellationToken))
        {
            var id = MessageId.Of(header.Octets.Span);
            if (!filter.MessageIds.Contains(id))
                continue;
            chosen.Add(header.Uid);
            onFound(id);
        }

        return chosen;
    }
}
