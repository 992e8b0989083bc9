using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>The work that remains for one pair, as found by comparing a listing with the checkpoint.</summary>
internal sealed class FolderPlan
{
    /// <summary>Messages to copy, with date and size, in ascending order of UID.</summary>
    public MessageList Copy { get; } = new();

    /// <summary>Messages excluded by the filter that the checkpoint does not record as skipped yet.</summary>
    public MessageList Skip { get; } = new();

    /// <summary>
    /// Messages excluded by the filter that may be the same as vanished messages. They could not be compared with the vanished messages'
    /// copies.
    /// </summary>
    public List<MessageInfo> Unread { get; } = [];

    /// <summary>Messages with a record whose flags at the source are no longer those propagated last.</summary>
    public List<(SettledMessage Known, FlagSet Now)> FlagChanges { get; } = [];

    /// <summary>
    /// Messages that were copied or adopted and are no longer at the source, whether they vanished in this run or an earlier one.
    /// </summary>
    public List<SettledMessage> Vanished { get; } = [];

    /// <summary>
    /// Messages that have a copy but are missing from an incomplete listing, so they may have vanished. Their copies are not removed, but
    /// can be reused like those of <see cref="Vanished"/>.
    /// </summary>
    public List<SettledMessage> Unlisted { get; } = [];

    /// <summary>Messages that the checkpoint records as vanished but that are at the source.</summary>
    public List<SettledMessage> Returned { get; } = [];

    /// <summary>
    /// Source UIDs whose records are dropped, for one of two reasons. (1) The message is no longer at the source and was never stored at
    /// the target. (2) Its copy turned out to be the copy of another message.
    /// </summary>
    public List<Uid> Forget { get; } = [];

    /// <summary>How many messages of the source are recorded as being at the target, including those recorded in this run.</summary>
    public long InPlace { get; set; }

    /// <summary>How many messages of the source the filter excludes, including those already recorded as skipped.</summary>
    public long Skipped { get; set; }

    /// <summary>
    /// The vanished and unlisted messages that have a copy at the target. If the same mail is at the source again under another UID, the
    /// copy is recorded for it instead of copying it again.
    /// </summary>
    public IEnumerable<SettledMessage> Reusable => Vanished.Concat(Unlisted).Where(m => !m.Target.IsNone);

    /// <summary>
    /// Drops the records whose copies are now recorded for other source messages, since a copy belongs to one source message only.
    /// </summary>
    /// <param name="copies">Target UIDs.</param>
    public void TakeOver(IReadOnlySet<Uid> copies)
    {
        Forget.AddRange(Reusable.Where(m => copies.Contains(m.Target)).Select(m => m.Source).ToList());
        Vanished.RemoveAll(m => copies.Contains(m.Target));
        Unlisted.RemoveAll(m => copies.Contains(m.Target));
    }
}

/// <summary>How complete a listing of the source is, which determines what the absence of a message means.</summary>
internal enum ListingExtent
{
    /// <summary>The listing holds every message of the source, so a message missing from it has vanished.</summary>
    All,

    /// <summary>The listing holds only new and changed messages; every other message in the checkpoint is still at the source.</summary>
    Changes,

    /// <summary>The source listed fewer messages than it has, so nothing can be concluded from a message's absence.</summary>
    Short,
}

/// <summary>Compares a listing of the source with a checkpoint. A pure function.</summary>
internal static class FolderPlanner
{
    /// <summary>Returns true for a listed message whose date and size the plan needs.</summary>
    public static bool NeedsDetails(ICheckpoint checkpoint, MessageFilter filter, in MessageInfo message) =>
        !checkpoint.TryGet(message.Uid, out var known)
        || known.Settlement == Settlement.Failed
        || (known.Settlement == Settlement.Skipped && (checkpoint.Rules != filter.Fingerprint || (filter.LooksAtFlags && !known.Flags.Equals(message.Flags))));

    /// <param name="listing">
    /// In ascending order of UID; with date and size for messages for which <see cref="NeedsDetails"/> is true.
    /// </param>
    /// <param name="chosen">The messages that the filter accepts by their headers; null if the filter does not use headers.</param>
    public static FolderPlan Plan(
        ICheckpoint checkpoint, MessageFilter filter, IReadOnlyList<MessageInfo> listing, ListingExtent extent, UidSet? chosen = null)
    {
        var plan = new FolderPlan();
        long listedInPlace = 0, listedSkipped = 0, skippedBefore = 0;
        foreach (var message in listing)
        {
            checkpoint.TryGet(message.Uid, out var known);
            if (NeedsDetails(checkpoint, filter, message))
            {
                (filter.Accepts(message) && chosen?.Contains(message.Uid) != false ? plan.Copy : plan.Skip).Add(message);
                skippedBefore += known.Settlement == Settlement.Skipped && !known.Source.IsNone ? 1 : 0;
                continue;
            }

            if (known.Settlement == Settlement.Skipped)
            {
                listedSkipped++;
                continue;
            }

            listedInPlace++;
            if (known.Settlement == Settlement.Vanished)
            {
                plan.Returned.Add(known);
                known = known with { Settlement = Settlement.Copied };
            }

            if (!known.Flags.Equals(message.Flags))
                plan.FlagChanges.Add((known, message.Flags));
        }

        AddAbsent(plan, checkpoint, listing, extent);
        var isChangesOnly = extent == ListingExtent.Changes;
        plan.InPlace = isChangesOnly
            ? checkpoint.Count(Settlement.Copied) + checkpoint.Count(Settlement.Adopted) + plan.Returned.Count
            : listedInPlace;
        plan.Skipped = plan.Skip.Count
            + (isChangesOnly ? checkpoint.Count(Settlement.Skipped) - skippedBefore : listedSkipped);
        return plan;
    }

    private static void AddAbsent(FolderPlan plan, ICheckpoint checkpoint, IReadOnlyList<MessageInfo> listing, ListingExtent extent)
    {
        var isComplete = extent == ListingExtent.All;
        if (extent == ListingExtent.Changes && checkpoint.Count(Settlement.Vanished) == 0)
            return;
        var at = 0;
        foreach (var known in checkpoint.Messages)
        {
            while (at < listing.Count && listing[at].Uid < known.Source)
                at++;
            if (at < listing.Count && listing[at].Uid == known.Source)
                continue;
            if (extent == ListingExtent.Short)
                plan.Unlisted.AddRange(known.Settlement is Settlement.Copied or Settlement.Adopted or Settlement.Vanished ? [known] : []);
            else if (known.Settlement == Settlement.Vanished || (isComplete && known.Settlement is (Settlement.Copied or Settlement.Adopted)))
                plan.Vanished.Add(known);
            else if (isComplete)
                plan.Forget.Add(known.Source);
        }
    }
}
