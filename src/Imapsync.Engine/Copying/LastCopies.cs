using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Keeps the last copy of a message that the source holds twice. An example: the source holds messages A and B with the same content, and
/// the target holds a copy of each. Somebody deletes B's copy at the target, and the source's owner deletes A. A's copy must not be removed
/// now, because it is the only copy of B.
/// </summary>
internal static class LastCopies
{
    /// <summary>
    /// Looks for messages that are still at the source but whose copies are gone from the target. If a vanished message is identical, its
    /// copy is recorded for the remaining message.
    /// </summary>
    /// <param name="vanished">Messages whose copies are at the target and are about to be removed.</param>
    /// <returns>Target UIDs of the copies that are now recorded for another message and must not be removed.</returns>
    public static async Task<IReadOnlySet<Uid>> KeepAsync(
        ICheckpoint checkpoint, IMessageFolder target, IReadOnlyList<SettledMessage> vanished, CancellationToken cancellationToken)
    {
        var given = new HashSet<Uid>();
        var orphans = await FindOrphansAsync(checkpoint, target, vanished, cancellationToken);
        if (orphans.Count == 0)
            return given;
        var copies = await DescribeAsync(target, vanished, orphans, cancellationToken);
        foreach (var orphan in orphans)
        {
            var at = copies.FindIndex(c => AreAlike(c, orphan));
            if (at < 0)
                continue;
            // No flags are recorded for this copy, so the next run lists the whole folder and merges the flags. The vanished message's
            // record is dropped in the same commit, because a copy belongs to one message only.
            checkpoint.Settle(orphan with { Target = copies[at].Target, Flags = FlagSet.Empty });
            checkpoint.Forget(copies[at].Source);
            checkpoint.SetSourceModSeq(null);
            given.Add(copies[at].Target);
            copies.RemoveAt(at);
        }

        return given;
    }

    /// <summary>
    /// Finds messages of the source that may be identical to a vanished message and whose own copies are gone from the target.
    /// </summary>
    private static async Task<List<SettledMessage>> FindOrphansAsync(
        ICheckpoint checkpoint, IMessageFolder target, IReadOnlyList<SettledMessage> vanished, CancellationToken cancellationToken)
    {
        var gone = new UidSet(vanished.Select(m => m.Source));
        var sums = vanished.Select(m => m.Checksum).OfType<MessageChecksum>().ToHashSet();
        var sightings = vanished.Select(m => m.Seen).OfType<Sighting>().ToHashSet();
        var onlyRead = vanished.Where(m => m.Seen is null).Select(m => m.Size).ToHashSet();
        var onlySeen = vanished.Where(m => m.Checksum is null).Select(m => m.Size).ToHashSet();
        // The records are enumerated twice and not collected in a list: in a big folder all messages may have the same size, and the list
        // would take much memory.
        var copies = new UidSet(Twins().Select(m => m.Target));
        if (copies.IsEmpty)
            return [];
        var there = new UidSet();
        await foreach (var message in target.ListAsync(new ListRequest(copies), cancellationToken))
            there.Add(message.Uid);
        return [.. Twins().Where(m => !there.Contains(m.Target))];

        IEnumerable<SettledMessage> Twins() => checkpoint.Messages.Where(m => m.Settlement is Settlement.Copied or Settlement.Adopted
            && !m.Target.IsNone && !gone.Contains(m.Source) && MayBeAmong(m));

        bool MayBeAmong(SettledMessage message) => (message.Checksum, message.Seen) switch
        {
            ({ } sum, { } seen) => sums.Contains(sum) || sightings.Contains(seen),
            ({ } sum, null) => sums.Contains(sum) || onlySeen.Contains(sum.Length),
            (null, { } seen) => sightings.Contains(seen) || onlyRead.Contains(seen.Size),
            _ => false,
        };
    }

    /// <summary>
    /// Returns the vanished messages that have the size of an orphan (a message of the source whose own copy is gone). Missing check sums
    /// or headers are read from the vanished messages' copies. Two records can be compared only if both have a check sum or both have a
    /// header.
    /// </summary>
    private static async Task<List<SettledMessage>> DescribeAsync(
        IMessageFolder target, IReadOnlyList<SettledMessage> vanished, IReadOnlyList<SettledMessage> orphans, CancellationToken cancellationToken)
    {
        var sizes = orphans.Select(m => m.Size).ToHashSet();
        List<SettledMessage> copies = [.. vanished.Where(m => sizes.Contains(m.Size))];
        var unseen = orphans.Any(o => o.Checksum is null) ? copies.Where(c => c.Seen is null).Select(c => c.Target).ToHashSet() : [];
        var unread = orphans.Any(o => o.Seen is null) ? copies.Where(c => c.Checksum is null).Select(c => c.Target).ToHashSet() : [];
        if (unseen.Count + unread.Count == 0)
            return copies;
        var listed = new Dictionary<Uid, MessageInfo>();
        await foreach (var message in target.ListAsync(new ListRequest(new UidSet(unseen.Concat(unread)), WithDateAndSize: true), cancellationToken))
            listed[message.Uid] = message;
        var seen = unseen.Count == 0 ? [] : await MessageRecognition.IdentifyAsync(target, listed.Where(m => unseen.Contains(m.Key)).ToDictionary(), cancellationToken);
        var sightings = seen.ToDictionary(m => m.Uid, m => m.Sighting);
        var contents = unread.Count == 0 ? [] : await MessageContents.ReadAsync(
            target, [.. listed.Values.Where(m => unread.Contains(m.Uid)).OrderBy(m => m.Uid)], withDigest: false, cancellationToken);
        return [.. copies.Select(c => c with
        {
            Seen = c.Seen ?? sightings.GetValueOrDefault(c.Target),
            Checksum = c.Checksum ?? (contents.TryGetValue(c.Target, out var read) && read.Failure is null ? read.Checksum : null),
        })];
    }

    /// <summary>Returns true if both records have the same check sum. If a check sum is missing, size and header are compared.</summary>
    private static bool AreAlike(SettledMessage one, SettledMessage other) =>
        one.Checksum is { } sum && other.Checksum is { } sums ? sum == sums : one.Seen is { } seen && other.Seen == seen;
}
