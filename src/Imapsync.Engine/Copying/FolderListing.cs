using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>A listing of the source folder. If the checkpoint allows it, only new and changed messages are requested.</summary>
/// <param name="Messages">In ascending order of UID.</param>
/// <param name="MissingCount">How many messages are in the folder's message count but not in the listing.</param>
internal sealed record FolderListing(IReadOnlyList<MessageInfo> Messages, ListingExtent Extent, long MissingCount = 0)
{
    /// <param name="last">The pair's summary after the last run; null if unknown.</param>
    /// <exception cref="MailException">The listing was refused or ended early.</exception>
    public static async Task<FolderListing> ReadAsync(
        IMessageFolder folder, ICheckpoint checkpoint, MessageFilter filter, CancellationToken cancellationToken, PairSummary? last = null)
    {
        var isNew = !checkpoint.Messages.Any() || checkpoint.Rules != filter.Fingerprint;
        if (!isNew && folder.Status.HighestModSeq is not null && checkpoint.SourceModSeq is { } since)
        {
            var (changed, _) = await ListAsync(folder, new ListRequest(ChangedSince: since), cancellationToken);
            if (ShowAllArrivals(checkpoint, changed, folder.Status, since, last?.Source))
            {
                changed.AddRange(Failed(checkpoint, changed));
                changed.SortByUid();
                if (await AddDetailsAsync(folder, checkpoint, filter, changed, cancellationToken) == 0)
                    return new FolderListing(changed, ListingExtent.Changes);
            }
        }

        var (all, highestNumber) = await ListAsync(folder, new ListRequest(WithDateAndSize: isNew), cancellationToken);
        // Fewer messages than counted means that the listing is incomplete. The highest sequence number also counts mail that arrived
        // during the listing, so that an arrival does not hide a missing message.
        var missing = Math.Max(0, Math.Max(folder.Status.Messages, highestNumber) - all.Count);
        if (!isNew)
            missing += await AddDetailsAsync(folder, checkpoint, filter, all, cancellationToken);
        return new FolderListing(all, missing == 0 ? ListingExtent.All : ListingExtent.Short, missing);
    }

    /// <summary>
    /// Returns true if the listed changes include every message that arrived since the last complete listing, and no message is gone. The
    /// message counts must agree. Every UID assigned since then must be listed or recorded, because equal counts alone don't prove it: one
    /// message may have arrived unlisted while another was deleted.
    /// </summary>
    /// <param name="since">The folder's HIGHESTMODSEQ at its last complete listing.</param>
    /// <param name="before">The folder's counters in an earlier run; null if unknown.</param>
    private static bool ShowAllArrivals(ICheckpoint checkpoint, MessageList changed, in FolderStatus now, ModSeq since, FolderStatus? before)
    {
        var appeared = changed.Count(m => !checkpoint.TryGet(m.Uid, out var known) || known.Settlement == Settlement.Vanished);
        var known = Enum.GetValues<Settlement>().Where(s => s != Settlement.Vanished).Sum(checkpoint.Count);
        // Counters from after the last complete listing don't tell what arrived since, nor do counters that are not known.
        if (known + appeared != now.Messages || now.UidNext.IsNone
            || before is not { UidNext.IsNone: false, HighestModSeq: { } modSeq } || modSeq > since)
            return false;
        var listed = new UidSet(changed.Select(m => m.Uid));
        for (var uid = before.Value.UidNext.Value; uid < now.UidNext.Value; uid++)
        {
            if (!listed.Contains(new Uid(uid)) && !checkpoint.TryGet(new Uid(uid), out _))
                return false;
        }

        return true;
    }

    /// <returns>The listed messages and the highest sequence number among them; 0 if the store has none.</returns>
    private static async Task<(MessageList Messages, long HighestNumber)> ListAsync(
        IMessageFolder folder, ListRequest request, CancellationToken cancellationToken)
    {
        var messages = new MessageList();
        var highest = 0u;
        await foreach (var message in folder.ListAsync(request, cancellationToken))
        {
            messages.Add(message);
            highest = Math.Max(highest, message.SequenceNumber);
        }

        return (messages, highest);
    }

    /// <summary>
    /// Returns the messages that could not be copied before and are not in the list of changes. They are tried again although they have not
    /// changed.
    /// </summary>
    private static List<MessageInfo> Failed(ICheckpoint checkpoint, MessageList changed)
    {
        if (checkpoint.Count(Settlement.Failed) == 0)
            return [];
        var listed = changed.Select(m => m.Uid).ToHashSet();
        return [.. checkpoint.Messages.Where(m => m.Settlement == Settlement.Failed && !listed.Contains(m.Source)).Select(m => new MessageInfo(m.Source, m.Flags))];
    }

    /// <summary>
    /// Fetches date and size of those messages whose date and size the plan needs. Messages whose details the folder does not list are
    /// removed from the listing.
    /// </summary>
    /// <returns>How many of the removed messages are still there; the others disappeared between the two listings.</returns>
    private static async Task<long> AddDetailsAsync(
        IMessageFolder folder, ICheckpoint checkpoint, MessageFilter filter, MessageList listing, CancellationToken cancellationToken)
    {
        var needed = new UidSet();
        foreach (var message in listing)
        {
            if (FolderPlanner.NeedsDetails(checkpoint, filter, message))
                needed.Add(message.Uid);
        }

        if (needed.IsEmpty)
            return 0;
        var (details, _) = await ListAsync(folder, new ListRequest(needed, WithDateAndSize: true), cancellationToken);
        details.SortByUid();
        // Both lists are in ascending order of UID, so one pass merges them.
        var removed = new UidSet();
        var at = 0;
        listing.RemoveAll(IsWithoutDetails);
        at = 0;
        for (var i = 0; i < listing.Count; i++)
        {
            if (Reaches(listing[i].Uid))
                listing[i] = details[at];
        }

        return removed.IsEmpty ? 0 : (await ListAsync(folder, new ListRequest(removed), cancellationToken)).Messages.Count;

        bool IsWithoutDetails(MessageInfo message)
        {
            var isWithout = needed.Contains(message.Uid) && !Reaches(message.Uid);
            if (isWithout)
                removed.Add(message.Uid);
            return isWithout;
        }

        bool Reaches(Uid uid)
        {
            while (at < details.Count && details[at].Uid < uid)
                at++;
            return at < details.Count && details[at].Uid == uid;
        }
    }
}
