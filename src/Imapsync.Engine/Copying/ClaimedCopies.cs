using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Finds checkpoint records that assign a message of the target to the wrong source message. Such a record arises as follows. (1) The
/// source is restored from an older copy. (2) It gives a UID to new mail that another message had before. (3) The checkpoint still records
/// the other message's copy for this UID. The error shows when the other message is at the source again.
/// </summary>
internal static class ClaimedCopies
{
    /// <param name="messages">Messages about to be copied. Among the target messages without a record, no copy of them was found.</param>
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
