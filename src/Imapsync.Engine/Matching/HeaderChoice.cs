using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Matching;

/// <summary>
/// The messages of one folder that the header conditions of a filter select. The result is kept while a failed folder is tried again; otherwise a bad
/// connection would cause all headers to be read again.
/// </summary>
internal sealed class HeaderChoice
{
    private UidSet judged = new();
    private UidSet fitting = new();
    private UidSet undecided = new();
    private long judgedCount;
    private UidValidity validity;

    /// <summary>The selected messages, including those in <see cref="Doubtful"/>.</summary>
    public UidSet Chosen { get; private set; } = new();

    /// <summary>The messages that are selected only because their header can't be judged.</summary>
    public UidSet Doubtful { get; private set; } = new();

    /// <summary>The largest number of messages whose headers were evaluated in one attempt.</summary>
    public long MostJudged { get; private set; }

    /// <summary>
    /// Reads, many at once, the headers of the messages whose selection depends on them. The headers are not kept in memory.
    /// </summary>
    /// <param name="filter">The filter, which must be the same in every call.</param>
    /// <param name="isOpen">
    /// Returns whether a listed message still has to be selected or excluded; false for one that earlier runs have dealt with.
    /// </param>
    /// <param name="onFound">Called with each wanted Message-ID that is found.</param>
    /// <returns>The messages in <see cref="Chosen"/>; null if the filter has no condition on headers.</returns>
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

        // If the filter has Message-IDs, the headers of messages that earlier runs have dealt with are read, too, so that each Message-ID
        // found is reported. Such messages may be listed without a date; then no condition on dates excludes them.
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

        // A message whose header did not arrive can't be judged, so it is selected. If the message still exists, the copying that follows
        // succeeds or reports why not. The next attempt may get its header.
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
