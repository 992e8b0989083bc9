using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>What is to be done for one pair.</summary>
internal sealed class FolderPlan
{
    /// <summary>Listed with date and size, in ascending order of UID.</summary>
    public MessageList Copy { get; } = new();

    /// <summary>Left out by the filter, not known as such yet.</summary>
    public MessageList Skip { get; } = new();

    /// <summary>Settled messages whose flags at the source are no longer those last propagated.</summary>
    public List<(SettledMessage Known, FlagSet Now)> FlagChanges { get; } = [];

    /// <summary>Copied or adopted earlier and no longer at the source, in this run or already before it.</summary>
    public List<SettledMessage> Vanished { get; } = [];

    /// <summary>Thought to have vanished and at the source all the same.</summary>
    public List<SettledMessage> Returned { get; } = [];

    /// <summary>Never arrived at the target and no longer at the source.</summary>
    public List<Uid> Forget { get; } = [];

    /// <summary>Messages of the source that were settled as copied or adopted before, those of this run included.</summary>
    public long InPlace { get; set; }

    /// <summary>Messages of the source that the filter leaves out, known ones included.</summary>
    public long Skipped { get; set; }
}

/// <summary>What may be concluded from a listing.</summary>
internal enum ListingExtent
{
    /// <summary>It holds every message of the source: what it does not hold has vanished.</summary>
    All,

    /// <summary>It holds what is new or changed: every other message the checkpoint knows is there still.</summary>
    Changes,

    /// <summary>The source did not list all it has: nothing may be concluded from absence.</summary>
    Short,
}

/// <summary>Compares a listing of the source with a checkpoint. Pure.</summary>
internal static class FolderPlanner
{
    /// <summary>True for a listed message whose date and size the plan will need.</summary>
    public static bool NeedsDetails(ICheckpoint checkpoint, MessageFilter filter, in MessageInfo message) =>
        !checkpoint.TryGet(message.Uid, out var known)
        || known.Settlement == Settlement.Failed
        || (known.Settlement == Settlement.Skipped && (checkpoint.Rules != filter.Fingerprint || (filter.LooksAtFlags && !known.Flags.Equals(message.Flags))));

    /// <param name="listing">In ascending order of UID; with date and size where <see cref="NeedsDetails"/> says so.</param>
    /// <param name="chosen">Those that the filter lets through by their headers; null where it does not look at headers.</param>
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
        if (extent == ListingExtent.Short || (!isComplete && checkpoint.Count(Settlement.Vanished) == 0))
            return;
        var at = 0;
        foreach (var known in checkpoint.Messages)
        {
            while (at < listing.Count && listing[at].Uid < known.Source)
                at++;
            if (at < listing.Count && listing[at].Uid == known.Source)
                continue;
            if (known.Settlement == Settlement.Vanished || (isComplete && known.Settlement is (Settlement.Copied or Settlement.Adopted)))
                plan.Vanished.Add(known);
            else if (isComplete)
                plan.Forget.Add(known.Source);
        }
    }
}
