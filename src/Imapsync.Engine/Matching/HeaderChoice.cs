using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Matching;

/// <summary>
/// What the part of a filter that takes the messages' headers lets through in one folder. Kept while a failed folder is tried again, so
/// that a bad line does not have all headers read anew.
/// </summary>
internal sealed class HeaderChoice
{
    private UidSet judged = new();
    private UidSet fitting = new();
    private UidSet undecided = new();
    private long judgedCount;
    private UidValidity validity;

    /// <summary>With those that nobody can tell of.</summary>
    public UidSet Chosen { get; private set; } = new();

    /// <summary>Those that are let through because their header does not tell.</summary>
    public UidSet Doubtful { get; private set; } = new();

    /// <summary>How many messages were judged, in the try that got furthest.</summary>
    public long MostJudged { get; private set; }

    /// <summary>Reads the headers of those whose fate hangs on them, many at once, and keeps none.</summary>
    /// <param name="filter">The same each time.</param>
    /// <param name="isOpen">False for those listed messages whose fate is settled.</param>
    /// <param name="onFound">Told each wanted Message-ID that is met.</param>
    /// <returns><see cref="Chosen"/>; null where the filter looks at no header.</returns>
    public async Task<UidSet?> ReadAsync(
        IMessageFolder folder, MessageFilter filter, IReadOnlyList<MessageInfo> listing, Func<MessageInfo, bool> isOpen, Action<string> onFound,
        CancellationToken cancellationToken)
    {
        if (!filter.LooksAtHeaders)
            return null;
        if (folder.Status.UidValidity.IsNone || validity != folder.Status.UidValidity)
        {
            (judged, fitting, undecided) = (new UidSet(), new UidSet(), new UidSet());
            judgedCount = 0;
            validity = folder.Status.UidValidity;
        }

        // Of those asked for by Message-ID it is told which were met, be they settled; these may be listed without a date, which says nothing then.
        var candidates = new UidSet(listing.Where(m => !judged.Contains(m.Uid)
            && (filter.MessageIds.IsEmpty ? isOpen(m) && filter.Accepts(m) : m.InternalDate == default || filter.Accepts(m))).Select(m => m.Uid));
        await foreach (var header in candidates.IsEmpty ? AsyncEnumerable.Empty<MessageHeader>() : folder.ReadHeadersAsync(candidates, cancellationToken))
        {
            judged.Add(header.Uid);
            MostJudged = Math.Max(MostJudged, ++judgedCount);
            if (!filter.MessageIds.IsEmpty)
            {
                var id = MessageId.Of(header.Octets.Span);
                if (!filter.MessageIds.Contains(id))
                    continue;
                onFound(id);
            }

            Judge(header.Uid, HeaderMatch.Fits(header.Octets, filter.Headers));
        }

        // A header that did not come left nothing to judge by: where the message is there all the same, it is copied, or fails with its
        // reason. The next try may get its header.
        List<Uid> unread = filter.MessageIds.IsEmpty ? [.. candidates.Enumerate().Where(u => !judged.Contains(u))] : [];
        Chosen = With(fitting, unread);
        Doubtful = With(undecided, unread);
        return Chosen;
    }

    private static UidSet With(UidSet set, List<Uid> more) => more.Count == 0 ? set : new UidSet(set.Enumerate().Concat(more));

    private void Judge(Uid uid, bool? fits)
    {
        if (fits != false)
            fitting.Add(uid);
        if (fits is null)
            undecided.Add(uid);
    }
}
