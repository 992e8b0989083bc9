using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Matching;

/// <summary>Applies the part of a filter that needs the messages' headers.</summary>
internal static class MessageIdFilter
{
    /// <summary>Finds the messages with one of the wanted Message-IDs; null where the filter has none, and then no header is read.</summary>
    /// <param name="onFound">Called for each wanted Message-ID that is found.</param>
    public static async Task<UidSet?> ReadAsync(
        IMessageFolder folder, MessageFilter filter, IReadOnlyList<MessageInfo> listing, Action<string> onFound, CancellationToken cancellationToken)
    {
        if (filter.MessageIds.IsEmpty)
            return null;
        // Messages settled before may be listed without a date, so a missing date excludes no message.
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
