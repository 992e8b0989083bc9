using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Matching;

/// <summary>What the part of a filter that takes the messages' headers lets through.</summary>
/// <param name="Chosen">With those that nobody can tell of.</param>
/// <param name="Doubtful">Those that are let through because their header does not tell.</param>
internal sealed record HeaderChoice(UidSet Chosen, UidSet Doubtful)
{
    /// <summary>Reads the headers of those whose fate hangs on them, many at once, and keeps none. Null where the filter looks at no header.</summary>
    /// <param name="isOpen">False for those listed messages whose fate is settled.</param>
    /// <param name="onFound">Told each wanted Message-ID that is met.</param>
    public static async Task<HeaderChoice?> ReadAsync(
        IMessageFolder folder, MessageFilter filter, IReadOnlyList<MessageInfo> listing, Func<MessageInfo, bool> isOpen, Action<string> onFound,
        CancellationToken cancellationToken)
    {
        if (!filter.LooksAtHeaders)
            return null;
        // Of those asked for by Message-ID it is told which were met, be they settled; these may be listed without a date, which says nothing then.
        var candidates = new UidSet(listing.Where(m => filter.MessageIds.IsEmpty ? isOpen(m) && filter.Accepts(m) : m.InternalDate == default || filter.Accepts(m)).Select(m => m.Uid));
        var (chosen, doubtful, read) = (new UidSet(), new UidSet(), new UidSet());
        if (candidates.IsEmpty)
            return new HeaderChoice(chosen, doubtful);
        await foreach (var header in folder.ReadHeadersAsync(candidates, cancellationToken))
        {
            read.Add(header.Uid);
            if (!filter.MessageIds.IsEmpty)
            {
                var id = MessageId.Of(header.Octets.Span);
                if (!filter.MessageIds.Contains(id))
                    continue;
                onFound(id);
            }

            var fits = HeaderMatch.Fits(header.Octets, filter.Headers);
            if (fits != false)
                chosen.Add(header.Uid);
            if (fits is null)
                doubtful.Add(header.Uid);
        }

        // A header that did not come left nothing to judge by: where the message is there all the same, it is copied, or fails with its reason.
        foreach (var uid in filter.MessageIds.IsEmpty ? candidates.Enumerate().Where(u => !read.Contains(u)) : [])
        {
            chosen.Add(uid);
            doubtful.Add(uid);
        }

        return new HeaderChoice(chosen, doubtful);
    }
}
