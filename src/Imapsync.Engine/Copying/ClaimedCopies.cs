using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Finds checkpoint records that assign a message of the target to the wrong source message. Such a record arises when the source is
/// restored from an older copy and then gives the same UIDs to new mail, while UIDNEXT and the message count may be as before. The error
/// shows only when the message that formerly had the UID is at the source again.
/// </summary>
internal static class ClaimedCopies
{
    /// <param name="messages">Messages about to be copied. No copy of them was found among the target messages without a record.</param>
    /// <returns>The source UIDs of the wrong records.</returns>
    public static async Task<IReadOnlyCollection<Uid>> FindWrongAsync(
        JobContext context, IMessageFolder source, IMessageFolder target, ICheckpoint checkpoint, IReadOnlyList<MessageInfo> messages, CancellationToken cancellationToken)
    {
        if (messages.Count == 0)
            return [];
        var sizes = new LikelySizes(messages.Select(m => m.Size), context.Source.Traits, context.Target.Traits);
        var all = checkpoint.Messages.Where(m => m.Settlement is Settlement.Copied or Settlement.Adopted && !m.Target.IsNone).ToLookup(m => m.Target);
        if (all.Count == 0)
            return [];
        // Only target messages that have the size of a message to copy are examined further. A wrong record contains the size of the wrong
        // source message, so the size that the target lists decides. The recorded size is accepted as well, because some servers list wrong
        // sizes.
        var likely = new HashSet<Uid>();
        await foreach (var copy in target.ListAsync(new ListRequest(new UidSet(all.Select(g => g.Key)), WithDateAndSize: true), cancellationToken))
        {
            if (all[copy.Uid].Any(m => sizes.Contains(copy.Size) || sizes.Contains(m.Size)))
                likely.Add(copy.Uid);
        }

        if (likely.Count == 0)
            return [];
        var alike = await new MessageRecognition(source, target).RecognizeAsync(messages, new Uid(uint.MaxValue), new HashSet<Uid>(), cancellationToken, likely);
        return await TargetProof.FindUnprovenAsync(source, target, [.. alike.SelectMany(a => all[a.Target.Uid])], cancellationToken);
    }
}
