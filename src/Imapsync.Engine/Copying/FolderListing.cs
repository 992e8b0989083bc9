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
    /// <param name="newFrom">The folder's UIDNEXT as the last run recorded it; none if unknown.</param>
    /// <exception cref="MailException">The listing was refused or ended early.</exception>
    public static async Task<FolderListing> ReadAsync(
        IMessageFolder folder, ICheckpoint checkpoint, MessageFilter filter, CancellationToken cancellationToken, Uid newFrom = default)
    {
        var exists = folder.Status.Messages;
        var isNew = !checkpoint.Messages.Any() || checkpoint.Rules != filter.Fingerprint;
        if (!isNew && folder.Status.HighestModSeq is not null && checkpoint.SourceModSeq is { } since)
        {
            var changed = await ListAsync(folder, new ListRequest(ChangedSince: since), cancellationToken);
            var appeared = changed.Count(m => !checkpoint.TryGet(m.Uid, out var known) || known.Settlement == Settlement.Vanished);
            var known = Enum.GetValues<Settlement>().Where(s => s != Settlement.Vanished).Sum(checkpoint.Count);
            // If UIDNEXT has grown but no new UID is among the changes, the server has probably lost its index, so that its MODSEQs
            // restarted. The list of changes can then not be trusted.
            var isHidden = !newFrom.IsNone && folder.Status.UidNext > newFrom && !changed.Any(m => m.Uid >= newFrom);
            if (known + appeared == exists && !isHidden)
            {
                changed.AddRange(Failed(checkpoint, changed));
                changed.SortByUid();
                return new FolderListing(await WithDetailsAsync(folder, checkpoint, filter, changed, cancellationToken), ListingExtent.Changes);
            }
        }

        var all = await ListAsync(folder, new ListRequest(WithDateAndSize: isNew), cancellationToken);
        // More messages than counted means that mail arrived meanwhile; fewer means that the listing is incomplete.
        var missing = Math.Max(0, exists - all.Count);
        var messages = isNew ? all : await WithDetailsAsync(folder, checkpoint, filter, all, cancellationToken);
        return new FolderListing(messages, missing == 0 ? ListingExtent.All : ListingExtent.Short, missing);
    }

    private static async Task<MessageList> ListAsync(IMessageFolder folder, ListRequest request, CancellationToken cancellationToken)
    {
        var messages = new MessageList();
        await foreach (var message in folder.ListAsync(request, cancellationToken))
            messages.Add(message);
        return messages;
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

    /// <summary>Fetches date and size of those messages whose date and size the plan needs.</summary>
    private static async Task<IReadOnlyList<MessageInfo>> WithDetailsAsync(
        IMessageFolder folder, ICheckpoint checkpoint, MessageFilter filter, MessageList listing, CancellationToken cancellationToken)
    {
        var needed = new UidSet();
        foreach (var message in listing)
        {
            if (FolderPlanner.NeedsDetails(checkpoint, filter, message))
                needed.Add(message.Uid);
        }

        if (needed.IsEmpty)
            return listing;
        var details = await ListAsync(folder, new ListRequest(needed, WithDateAndSize: true), cancellationToken);
        details.SortByUid();
        // Both lists are in ascending order of UID, so one pass merges them. Messages that disappeared between the two listings are left
        // to the next run.
        var at = 0;
        listing.RemoveAll(m => needed.Contains(m.Uid) && !Reaches(m.Uid));
        at = 0;
        for (var i = 0; i < listing.Count; i++)
        {
            if (Reaches(listing[i].Uid))
                listing[i] = details[at];
        }

        return listing;

        bool Reaches(Uid uid)
        {
            while (at < details.Count && details[at].Uid < uid)
                at++;
            return at < details.Count && details[at].Uid == uid;
        }
    }
}
