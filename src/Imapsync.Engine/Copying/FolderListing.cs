using Imapsync.Engine.Checkpoints;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>What the source says it holds, asked for as cheaply as the checkpoint allows.</summary>
/// <param name="Messages">In ascending order of UID.</param>
/// <param name="MissingCount">How many messages the folder counts and does not list.</param>
internal sealed record FolderListing(IReadOnlyList<MessageInfo> Messages, ListingExtent Extent, long MissingCount = 0)
{
    /// <param name="newFrom">The folder's UIDNEXT known last; none where it is not known.</param>
    /// <exception cref="MailException">The listing was refused or broke off.</exception>
    public static async Task<FolderListing> ReadAsync(
        IMailFolder folder, ICheckpoint checkpoint, MessageFilter filter, CancellationToken cancellationToken, Uid newFrom = default)
    {
        var exists = folder.Status.Messages;
        var isNew = !checkpoint.Messages.Any() || checkpoint.Rules != filter.Fingerprint;
        if (!isNew && folder.Status.HighestModSeq is not null && checkpoint.SourceModSeq is { } since)
        {
            var changed = await ListAsync(folder, new ListRequest(ChangedSince: since), 0, cancellationToken);
            var appeared = changed.Count(m => !checkpoint.TryGet(m.Uid, out var known) || known.Settlement == Settlement.Vanished);
            var known = Enum.GetValues<Settlement>().Where(s => s != Settlement.Vanished).Sum(checkpoint.Count);
            // Where MODSEQs began again with an index that was lost, what came is not among what changed: UIDs were given, and none is shown.
            var isHidden = !newFrom.IsNone && folder.Status.UidNext > newFrom && !changed.Exists(m => m.Uid >= newFrom);
            if (known + appeared == exists && !isHidden)
            {
                changed.AddRange(Failed(checkpoint, changed));
                changed.Sort((a, b) => a.Uid.CompareTo(b.Uid));
                return new FolderListing(await WithDetailsAsync(folder, checkpoint, filter, changed, cancellationToken), ListingExtent.Changes);
            }
        }

        var all = await ListAsync(folder, new ListRequest(WithDateAndSize: isNew), exists, cancellationToken);
        // More than counted is mail that came meanwhile; fewer is a listing that can't be believed.
        var missing = Math.Max(0, exists - all.Count);
        var messages = isNew ? all : await WithDetailsAsync(folder, checkpoint, filter, all, cancellationToken);
        return new FolderListing(messages, missing == 0 ? ListingExtent.All : ListingExtent.Short, missing);
    }

    private static async Task<List<MessageInfo>> ListAsync(
        IMailFolder folder, ListRequest request, long expected, CancellationToken cancellationToken)
    {
        // The server's word for how many there are is not trusted with memory.
        var messages = new List<MessageInfo>((int)Math.Clamp(expected, 0, 1 << 20));
        await foreach (var message in folder.ListAsync(request, cancellationToken))
            messages.Add(message);
        return messages;
    }

    /// <summary>Messages that failed before are tried again, though nothing about them changed.</summary>
    private static List<MessageInfo> Failed(ICheckpoint checkpoint, List<MessageInfo> changed)
    {
        if (checkpoint.Count(Settlement.Failed) == 0)
            return [];
        var listed = changed.Select(m => m.Uid).ToHashSet();
        return [.. checkpoint.Messages.Where(m => m.Settlement == Settlement.Failed && !listed.Contains(m.Source)).Select(m => new MessageInfo(m.Source, m.Flags))];
    }

    /// <summary>Fetches date and size of the few that the plan needs them for.</summary>
    private static async Task<IReadOnlyList<MessageInfo>> WithDetailsAsync(
        IMailFolder folder, ICheckpoint checkpoint, MessageFilter filter, List<MessageInfo> listing, CancellationToken cancellationToken)
    {
        var needed = new UidSet();
        foreach (var message in listing)
        {
            if (FolderPlanner.NeedsDetails(checkpoint, filter, message))
                needed.Add(message.Uid);
        }

        if (needed.IsEmpty)
            return listing;
        var details = new Dictionary<Uid, MessageInfo>();
        await foreach (var message in folder.ListAsync(new ListRequest(needed, WithDateAndSize: true), cancellationToken))
            details[message.Uid] = message;
        // What went away between the two listings is left to the next run.
        listing.RemoveAll(m => needed.Contains(m.Uid) && !details.ContainsKey(m.Uid));
        for (var i = 0; i < listing.Count; i++)
        {
            if (details.TryGetValue(listing[i].Uid, out var detail))
                listing[i] = detail;
        }

        return listing;
    }
}
