using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Finds records that assign a message of the target to the wrong source message. Such a record is made if the source is restored from an
/// older copy and new mail gets the same UIDs, so that all counters are as before. Nothing shows the error until the message whose UID was
/// reused appears at the source again.
/// </summary>
internal static class ClaimedCopies
{
    /// <param name="messages">Messages about to be copied that were not found among the target's unrecorded messages.</param>
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
        // A wrong record has the size of its own message, so the size that the target lists is compared too. The recorded size counts because some
        // servers list wrong sizes.
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
