using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Handles messages that have taken the file name of an earlier message (<see cref="IMessageFolder.Predecessors"/>). If both are the same
/// mail, for example after a tree was restored from a backup, the record stays valid. Otherwise the message is new, and the earlier one has
/// vanished.
/// </summary>
internal static class Successors
{
    /// <summary>Transfers the checkpoint's record of a message to its successor, if the successor has the same octets.</summary>
    /// <returns>How many successors are other mail.</returns>
    public static async Task<int> ResolveAsync(IMessageFolder source, ICheckpoint checkpoint, CancellationToken abort)
    {
        var pairs = new Dictionary<Uid, SettledMessage>();
        foreach (var now in source.Predecessors.Keys)
        {
            if (!checkpoint.TryGet(now, out _) && FindSettled(source.Predecessors, checkpoint, now) is { } before)
                pairs[now] = before;
        }

        if (pairs.Count == 0)
            return 0;
        var listed = new List<MessageInfo>();
        await foreach (var message in source.ListAsync(new ListRequest(new UidSet(pairs.Keys), WithDateAndSize: true), abort))
        {
            if (pairs.ContainsKey(message.Uid))
                listed.Add(message);
        }

        var same = 0;
        foreach (var group in MessageMatch.Groups(listed.Select(m => new MessageMatch(m, m, pairs[m.Uid]))))
        {
            var messages = group.Select(m => m.Source).ToList();
            var contents = await MessageContents.ReadAsync(source, messages, withDigest: false, abort);
            var unread = group.Where(m => m.Known is { Checksum: null, Seen: not null }).ToDictionary(m => m.Source.Uid, m => m.Source);
            var identities = unread.Count == 0 ? [] : (await MessageRecognition.IdentifyAsync(source, unread, abort)).ToDictionary(i => i.Uid);
            foreach (var match in group)
            {
                var known = match.Known!.Value;
                var isSame = known.Checksum is { } recorded
                    ? contents.TryGetValue(match.Source.Uid, out var found) && found.Failure is null && found.Checksum == recorded
                    : known.Seen is { } seen && identities.TryGetValue(match.Source.Uid, out var identity) && identity.Sighting == seen;
                if (!isSame)
                    continue;
                same++;
                checkpoint.Forget(known.Source);
                checkpoint.Settle(known with { Source = match.Source.Uid });
            }
        }

        return listed.Count - same;
    }

    /// <summary>
    /// Returns the record of the nearest predecessor that has one. A predecessor may lack a record, because a run may have ended before
    /// recording it.
    /// </summary>
    public static SettledMessage? FindRecorded(IReadOnlyDictionary<Uid, Uid> predecessors, ICheckpoint checkpoint, Uid uid)
    {
        // Each predecessor has a lower UID than its successor, so the loop ends.
        while (predecessors.TryGetValue(uid, out var before) && before < uid)
        {
            if (checkpoint.TryGet(before, out var known))
                return known;
            uid = before;
        }

        return null;
    }

    /// <summary>Returns the record of the nearest recorded predecessor, if that message was stored at the target.</summary>
    private static SettledMessage? FindSettled(IReadOnlyDictionary<Uid, Uid> predecessors, ICheckpoint checkpoint, Uid uid) =>
        FindRecorded(predecessors, checkpoint, uid) is { Settlement: Settlement.Copied or Settlement.Adopted or Settlement.Vanished, Target.IsNone: false } known ? known : null;
}
