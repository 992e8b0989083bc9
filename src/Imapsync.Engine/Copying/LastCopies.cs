using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Keeps the last copy of a message that the source holds several times. If the owner deleted one of the duplicates and somebody removed
/// the copy of another at the target, the copy that is about to be removed is the only one of a message still at the source.
/// </summary>
internal static class LastCopies
{
    /// <summary>Gives copies of vanished messages to identical messages of the source whose own copies are gone from the target.</summary>
    /// <param name="vanished">Messages whose copies are at the target and are about to be removed.</param>
    /// <returns>Target UIDs of the copies that were given away, which must not be removed.</returns>
    public static async Task<IReadOnlySet<Uid>> KeepAsync(
        ICheckpoint checkpoint, IMessageFolder target, IReadOnlyList<SettledMessage> vanished, CancellationToken cancellationToken)
    {
        var given = new HashSet<Uid>();
        var contents = vanished.Select(ContentOf).ToHashSet();
        var gone = vanished.Select(m => m.Source).ToHashSet();
        List<SettledMessage> twins = [.. checkpoint.Messages.Where(m => m.Settlement is Settlement.Copied or Settlement.Adopted
            && !m.Target.IsNone && !gone.Contains(m.Source) && contents.Contains(ContentOf(m)) && ContentOf(m) != default)];
        if (twins.Count == 0)
            return given;
        var there = new HashSet<Uid>();
        await foreach (var message in target.ListAsync(new ListRequest(new UidSet(twins.Select(m => m.Target))), cancellationToken))
            there.Add(message.Uid);
        var copies = vanished.GroupBy(ContentOf).ToDictionary(g => g.Key, g => new Queue<SettledMessage>(g));
        foreach (var twin in twins.Where(m => !there.Contains(m.Target)))
        {
            if (!copies[ContentOf(twin)].TryDequeue(out var copy))
                continue;
            // The record gets no flags, as if none had been propagated to this copy, so that the next run, which lists the whole folder,
            // merges them.
            checkpoint.Settle(twin with { Target = copy.Target, Flags = FlagSet.Empty });
            checkpoint.SetSourceModSeq(null);
            given.Add(copy.Target);
        }

        return given;
    }

    /// <summary>
    /// Returns what was recorded about a message's octets: check sum and sighting. If both are null, the message must not count as equal to
    /// any other.
    /// </summary>
    private static (MessageChecksum?, Sighting?) ContentOf(SettledMessage message) => (message.Checksum, message.Seen);
}
