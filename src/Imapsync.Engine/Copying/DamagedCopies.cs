using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Decides whether a message whose octets differ from its recorded check sum is a damaged copy or other mail. A UID can belong to other
/// mail after a backup was restored from an older copy.
/// </summary>
internal static class DamagedCopies
{
    private const int MaxBytesToRead = 16 << 20;

    /// <summary>
    /// Compares target messages that differ from their records with undamaged messages: the originals at the source, or copies fetched
    /// again.
    /// </summary>
    /// <param name="folder">The target folder with the messages that differ.</param>
    /// <param name="wholeIn">The folder with the undamaged messages: the source folder or the target folder.</param>
    /// <param name="pairs">
    /// For each message, its UID in <paramref name="folder"/> and the UID of the undamaged message in <paramref name="wholeIn"/>.
    /// </param>
    /// <returns>
    /// By UID in <paramref name="folder"/>: true for a damaged copy, false for other mail. Pairs of which a message is missing are left
    /// out.
    /// </returns>
    public static async Task<IReadOnlyDictionary<Uid, bool>> JudgeAsync(
        IMessageFolder folder, IMessageFolder wholeIn, IReadOnlyDictionary<Uid, Uid> pairs, CancellationToken cancellationToken)
    {
        var copies = await ListAsync(folder, pairs.Keys, cancellationToken);
        var originals = await ListAsync(wholeIn, pairs.Values, cancellationToken);
        var copyHeaders = (await MessageRecognition.IdentifyAsync(folder, copies, cancellationToken)).ToDictionary(i => i.Uid);
        var headers = (await MessageRecognition.IdentifyAsync(wholeIn, originals, cancellationToken)).ToDictionary(i => i.Uid);
        var judged = new Dictionary<Uid, bool>();
        foreach (var (old, whole) in pairs)
        {
            if (!copies.TryGetValue(old, out var copy) || !originals.TryGetValue(whole, out var original))
                continue;
            judged[old] = (copyHeaders.TryGetValue(old, out var a) && headers.TryGetValue(whole, out var b) && IsSameHeader(a, b))
                || IsSameShape(copy, original) || await IsBeginningAsync(folder, copy, wholeIn, original, cancellationToken);
        }

        return judged;
    }

    private static async Task<Dictionary<Uid, MessageInfo>> ListAsync(IMessageFolder folder, IEnumerable<Uid> uids, CancellationToken cancellationToken)
    {
        var listed = new Dictionary<Uid, MessageInfo>();
        await foreach (var message in folder.ListAsync(new ListRequest(new UidSet(uids), WithDateAndSize: true), cancellationToken))
            listed[message.Uid] = message;
        return listed;
    }

    private static bool IsSameHeader(MessageFingerprint a, MessageFingerprint b) => a.Header == b.Header || (a.HasCore == b.HasCore && a.Core == b.Core);

    /// <summary>Returns true if size and date are equal. A copy of which only single octets were damaged still has both.</summary>
    private static bool IsSameShape(in MessageInfo old, in MessageInfo fresh) =>
        old.Size == fresh.Size && old.InternalDate.ToUnixTimeSeconds() == fresh.InternalDate.ToUnixTimeSeconds();

    /// <summary>Returns true if the copy is the beginning of the whole message, so it was truncated.</summary>
    private static async Task<bool> IsBeginningAsync(
        IMessageFolder folder, MessageInfo old, IMessageFolder wholeIn, MessageInfo fresh, CancellationToken cancellationToken)
    {
        if (old.Size >= fresh.Size || fresh.Size > MaxBytesToRead)
            return false;
        if (old.Size == 0)
            return true;
        var beginning = await MessageContents.ReadWholeAsync(folder, old, MaxBytesToRead, cancellationToken);
        var whole = await MessageContents.ReadWholeAsync(wholeIn, fresh, MaxBytesToRead, cancellationToken);
        return beginning is not null && whole is not null && whole.AsSpan().StartsWith(beginning.AsSpan().TrimEnd("\r\n"u8));
    }
}
