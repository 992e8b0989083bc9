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
        List<SettledMessage> records = [.. checkpoint.Messages.Where(m => m.Settlement is Settlement.Copied or Settlement.Adopted && !m.Target.IsNone)];
        if (records.Count == 0)
            return [];
        var likely = await LikelyCopies.ChooseAsync(context, target, messages, records, cancellationToken);
        if (likely.Count == 0)
            return [];
        var alike = await new MessageRecognition(source, target).RecognizeAsync(messages, new Uid(uint.MaxValue), new HashSet<Uid>(), cancellationToken, likely);
        var found = alike.Select(a => a.Target.Uid).ToHashSet();
        return await TargetProof.FindUnprovenAsync(source, target, [.. records.Where(r => found.Contains(r.Target))], cancellationToken);
    }
}
