using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Decides what a message is whose octets differ from its record: a damaged copy, or other mail. After a backup was restored from an older
/// copy, a UID can belong to other mail.
/// </summary>
internal static class DamagedCopies
{
    private const int MaxBytesToRead = 16 << 20;

    /// <param name="replaced">
    /// UIDs of the messages that differ from their records, each with the UID of the copy that was fetched again in its place.
    /// </param>
    /// <returns>The UIDs of the damaged copies: messages that still resemble the new copy.</returns>
    public static async Task<UidSet> AmongAsync(IMessageFolder folder, IReadOnlyDictionary<Uid, Uid> replaced, CancellationToken cancellationToken)
    {
        var listed = new Dictionary<Uid, MessageInfo>();
        var wanted = new UidSet(replaced.SelectMany(r => (Uid[])[r.Key, r.Value]));
        await foreach (var message in folder.ListAsync(new ListRequest(wanted, WithDateAndSize: true), cancellationToken))
            listed[message.Uid] = message;
        var identities = (await MessageRecognition.IdentifyAsync(folder, listed, cancellationToken)).ToDictionary(i => i.Uid);
        var damaged = new UidSet();
        foreach (var (old, fresh) in replaced)
        {
            if (listed.TryGetValue(old, out var before) && listed.TryGetValue(fresh, out var now)
                && (IsSameHeader(identities, old, fresh) || IsSameShape(before, now) || await IsBeginningAsync(folder, before, now, cancellationToken)))
                damaged.Add(old);
        }

        return damaged;
    }

    private static bool IsSameHeader(Dictionary<Uid, MessageFingerprint> identities, Uid old, Uid fresh) =>
        identities.TryGetValue(old, out var a) && identities.TryGetValue(fresh, out var b) && (a.Header == b.Header || (a.HasCore == b.HasCore && a.Core == b.Core));

    /// <summary>Returns true if size and date are equal. A copy of which only single octets were damaged still has both.</summary>
    private static bool IsSameShape(in MessageInfo old, in MessageInfo fresh) =>
        old.Size == fresh.Size && old.InternalDate.ToUnixTimeSeconds() == fresh.InternalDate.ToUnixTimeSeconds();

    /// <summary>Returns true if the old message is the beginning of the fresh one, so it was truncated.</summary>
    private static async Task<bool> IsBeginningAsync(IMessageFolder folder, MessageInfo old, MessageInfo fresh, CancellationToken cancellationToken)
    {
        if (old.Size >= fresh.Size || fresh.Size > MaxBytesToRead)
            return false;
        if (old.Size == 0)
            return true;
        var beginning = await MessageContents.ReadWholeAsync(folder, old, MaxBytesToRead, cancellationToken);
        var whole = await MessageContents.ReadWholeAsync(folder, fresh, MaxBytesToRead, cancellationToken);
        return beginning is not null && whole is not null && whole.AsSpan().StartsWith(beginning.AsSpan().TrimEnd("\r\n"u8));
    }
}
