using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Chooses the recorded copies that are compared with some messages of the source. Few copies are all compared, because servers may list
/// wrong sizes. Of many, only those with the size or date of one of the messages are compared.
/// </summary>
internal static class LikelyCopies
{
    /// <summary>Up to this many copies are compared by their headers, whatever their sizes and dates.</summary>
    public const int Few = 100;

    /// <summary>
    /// Chooses among the copies of vanished messages, because a vanished message may be at the source again. If removals are off, such
    /// records accumulate, and listing all their copies in each run would take too long. Of more than <see cref="Few"/>, only those with
    /// the recorded size of a message are then chosen.
    /// </summary>
    /// <returns>Target UIDs.</returns>
    public static async Task<HashSet<Uid>> ChooseReusableAsync(
        JobContext context, IMessageFolder target, IReadOnlyList<MessageInfo> messages, FolderPlan plan, CancellationToken cancellationToken)
    {
        List<SettledMessage> records = [.. plan.Reusable];
        if (records.Count <= Few || context.Job.Deletions != DeletionPolicy.Keep)
            return await ChooseAsync(context, target, messages, records, cancellationToken);
        var sizes = new LikelySizes(messages.Select(m => m.Size), context.Source.Traits, context.Target.Traits);
        return [.. records.Where(m => m.Size is null || sizes.Contains(m.Size)).Select(m => m.Target)];
    }

    /// <summary>
    /// Chooses among the copies of <paramref name="records"/>; all of them if a message has no size or size 0, because that size is then
    /// unknown.
    /// </summary>
    /// <returns>Target UIDs.</returns>
    public static async Task<HashSet<Uid>> ChooseAsync(
        JobContext context, IMessageFolder target, IReadOnlyList<MessageInfo> messages, IReadOnlyCollection<SettledMessage> records, CancellationToken cancellationToken)
    {
        if (records.Count <= Few || messages.Any(m => m.Size <= 0))
            return [.. records.Select(r => r.Target)];
        var sizes = new LikelySizes(messages.Select(m => m.Size), context.Source.Traits, context.Target.Traits);
        var dates = messages.Select(m => m.InternalDate.ToUnixTimeSeconds()).ToHashSet();
        var recorded = records.ToLookup(r => r.Target, r => r.Size);
        var likely = new HashSet<Uid>();
        // The size that the target lists counts as well as the recorded one, because other mail may have got the recorded UID.
        await foreach (var copy in target.ListAsync(new ListRequest(new UidSet(recorded.Select(g => g.Key)), WithDateAndSize: true), cancellationToken))
        {
            if (recorded[copy.Uid].Any(size => sizes.Contains(size) || sizes.Contains(copy.Size) || (size is null && copy.Size < 0))
                || (recorded.Contains(copy.Uid) && dates.Contains(copy.InternalDate.ToUnixTimeSeconds())))
            {
                likely.Add(copy.Uid);
            }
        }

        return likely;
    }
}
