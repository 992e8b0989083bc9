using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Verifies that messages at recorded target UIDs are the recorded messages, before anything is done to them: a UID alone does not identify
/// a message.
/// </summary>
internal static class TargetProof
{
    /// <summary>
    /// The most octets read to verify messages before a removal; more only in a store where mail programs add header fields. For the
    /// remaining messages an equal size is proof enough, unless a message seems to be other mail.
    /// </summary>
    private const long MaxBytesToRead = 16 << 20;

    /// <summary>
    /// Up to this many messages are compared by their headers at once. Of more messages, those with the recorded size are taken as the same
    /// mail.
    /// </summary>
    private const int FewMessages = 100;

    /// <summary>Finds which vanished messages are still at the target as they were copied, by size and check sum.</summary>
    /// <param name="noted">Header fields that mail programs may have added at the target.</param>
    /// <returns>The target UIDs of the confirmed messages, and how many recorded UIDs belong to other mail.</returns>
    public static async Task<(UidSet Proven, int Others)> OfVanishedAsync(
        IMessageFolder target, IReadOnlyList<SettledMessage> messages, IReadOnlyList<string> noted, CancellationToken cancellationToken)
    {
        var known = messages.Where(m => !m.Target.IsNone).ToDictionary(m => m.Target, m => m.Checksum);
        var proven = new UidSet();
        List<MessageInfo> alike = [], doubtful = [];
        var unrecorded = new Dictionary<Uid, MessageInfo>();
        await foreach (var there in target.ListAsync(new ListRequest(new UidSet(known.Keys), WithDateAndSize: true), cancellationToken))
        {
            if (!known.TryGetValue(there.Uid, out var sum))
                continue;
            if (sum is not { } recorded)
                unrecorded.Add(there.Uid, there);
            else
                (there.Size == recorded.Length ? alike : doubtful).Add(there);
        }

        // A message with a different size is read, because some servers report wrong sizes. Where mail programs add header fields, all such
        // messages are read, whatever the limit, because only reading proves that they are the same.
        long OctetsOf(MessageInfo message) => Math.Max(known[message.Uid]!.Value.Length, message.Size);
        var limit = noted.Count == 0 ? MaxBytesToRead : Math.Max(MaxBytesToRead, doubtful.Sum(OctetsOf));
        var read = 0L;
        List<MessageInfo> toRead = [.. doubtful.Concat(alike).TakeWhile(m => (read += OctetsOf(m)) <= limit).OrderBy(m => m.Uid)];
        var contents = toRead.Count == 0 ? [] : await MessageContents.ReadAsync(target, toRead, withDigest: false, cancellationToken);
        var others = await MessageContents.FindOthersAsync(target, [.. toRead.Select(m => (m, known[m.Uid]!.Value))], contents, noted, cancellationToken);
        foreach (var message in toRead.Where(m => !others.Contains(m.Uid)))
            proven.Add(message.Uid);
        var isContradicted = others.Count > 0;

        var unread = doubtful.Concat(alike).Select(m => m.Uid).Except(toRead.Select(m => m.Uid)).ToHashSet();
        isContradicted |= doubtful.Exists(m => unread.Contains(m.Uid));
        var count = alike.Count + doubtful.Count + unrecorded.Count;
        // Messages that were recognised at the target by their header, not copied there, have no recorded check sum. They are compared by
        // size and header.
        isContradicted |= await ProveBySightAsync(target, messages, unrecorded, proven, noted, cancellationToken);
        foreach (var uid in alike.Select(m => m.Uid).Where(unread.Contains).Concat(unrecorded.Keys))
        {
            if (!isContradicted)
                proven.Add(uid);
        }

        return (proven, count - (int)proven.Count);
    }

    /// <summary>
    /// Compares messages that have no check sum with their recorded size and header (<see cref="SettledMessage.Seen"/>), and removes them
    /// from <paramref name="unrecorded"/>.
    /// </summary>
    /// <returns>True if any of them is another message.</returns>
    private static async Task<bool> ProveBySightAsync(
        IMessageFolder target, IReadOnlyList<SettledMessage> messages, Dictionary<Uid, MessageInfo> unrecorded, UidSet proven, IReadOnlyList<string> noted, CancellationToken cancellationToken)
    {
        var seen = messages.Where(m => m.Seen is not null && unrecorded.ContainsKey(m.Target)).ToDictionary(m => m.Target, m => m.Seen!.Value);
        if (seen.Count == 0)
            return false;
        var same = await FindBySightAsync(target, seen, unrecorded, isSame: true, noted, cancellationToken);
        foreach (var uid in seen.Keys)
            unrecorded.Remove(uid);
        foreach (var uid in same)
            proven.Add(uid);
        return same.Count < seen.Count;
    }

    /// <summary>
    /// Finds adopted messages (they were at the target before they were recorded) whose UID now belongs to other mail, by size and header.
    /// </summary>
    /// <param name="messages">The adopted messages. Those without <see cref="SettledMessage.Seen"/> are not checked.</param>
    /// <param name="there">The messages of the target.</param>
    /// <returns>Target UIDs.</returns>
    public static Task<List<Uid>> FindUnlikeAsync(
        IMessageFolder target, IEnumerable<SettledMessage> messages, IReadOnlyDictionary<Uid, MessageInfo> there, IReadOnlyList<string> noted, CancellationToken cancellationToken)
    {
        var seen = messages.Where(m => m is { Checksum: null, Seen: not null } && there.ContainsKey(m.Target)).ToDictionary(m => m.Target, m => m.Seen!.Value);
        return FindBySightAsync(target, seen, there, isSame: false, noted, cancellationToken);
    }

    /// <param name="isSame">
    /// True to find messages with the recorded size and header, false to find the different ones. A message with an unreadable header is in
    /// neither result.
    /// </param>
    private static async Task<List<Uid>> FindBySightAsync(
        IMessageFolder target, Dictionary<Uid, Sighting> seen, IReadOnlyDictionary<Uid, MessageInfo> there, bool isSame, IReadOnlyList<string> noted, CancellationToken cancellationToken)
    {
        var found = new List<Uid>();
        if (seen.Count == 0)
            return found;
        await foreach (var header in target.ReadHeadersAsync(new UidSet(seen.Keys), cancellationToken))
        {
            if (seen.TryGetValue(header.Uid, out var sighting) && LooksLike(sighting, there[header.Uid], header.Octets.Span, noted) == isSame)
                found.Add(header.Uid);
        }

        return found;
    }

    private static bool LooksLike(Sighting seen, MessageInfo there, ReadOnlySpan<byte> header, IReadOnlyList<string> noted)
    {
        if (MessageFingerprint.Of(there, header).Sighting == seen)
            return true;
        if (noted.Count == 0)
            return false;
        var bare = new FieldOmission(noted).Filter(header);
        return MessageFingerprint.Of(there with { Size = there.Size - (header.Length - bare.Length) }, bare).Sighting == seen;
    }

    /// <summary>Finds records whose source UID and target UID belong to different mail, by comparing headers and sizes.</summary>
    /// <returns>The source UIDs of those records.</returns>
    public static async Task<HashSet<Uid>> FindStrangersAsync(
        IMessageFolder source, IMessageFolder target, IReadOnlyList<SettledMessage> pairs, CancellationToken cancellationToken)
    {
        var open = pairs.ToList();
        if (open.Count > FewMessages)
        {
            var sizes = new Dictionary<Uid, MessageInfo>();
            await foreach (var there in target.ListAsync(new ListRequest(new UidSet(open.Select(p => p.Target)), WithDateAndSize: true), cancellationToken))
                sizes[there.Uid] = there;
            open.RemoveAll(p => !sizes.TryGetValue(p.Target, out var there) || there.Size == p.Checksum?.Length);
        }

        // Without a Message-ID, and with a target that changes headers, only the size can be compared.
        return await FindDifferingAsync(source, target, open, (p, here, there) => HasSameHeader(here, there)
            || (!here.HasCore && !there.HasCore && there.Info.Size == (p.Checksum?.Length ?? here.Info.Size)), cancellationToken);
    }

    /// <summary>
    /// Finds records whose source UID and target UID are not proved to belong to the same mail. Proof is an equal header and, if there is
    /// no Message-ID, an equal length of the rest. Used where the UIDs are in doubt.
    /// </summary>
    /// <returns>The source UIDs of those records.</returns>
    public static Task<HashSet<Uid>> FindUnprovenAsync(
        IMessageFolder source, IMessageFolder target, IReadOnlyList<SettledMessage> pairs, CancellationToken cancellationToken) =>
        FindDifferingAsync(source, target, pairs, (p, here, there) => HasSameHeader(here, there) && (here.HasCore || HasSameLength(p, here, there)), cancellationToken);

    private static async Task<HashSet<Uid>> FindDifferingAsync(
        IMessageFolder source, IMessageFolder target, IReadOnlyList<SettledMessage> pairs,
        Func<SettledMessage, MessageFingerprint, MessageFingerprint, bool> isSame, CancellationToken cancellationToken)
    {
        if (pairs.Count == 0)
            return [];
        var here = await IdentifyAsync(source, pairs.Select(p => p.Source), cancellationToken);
        var at = await IdentifyAsync(target, pairs.Select(p => p.Target), cancellationToken);
        // If one of the two messages is gone, no other mail can be mistaken for it, so the record is not reported.
        return [.. pairs.Where(p => here.TryGetValue(p.Source, out var a) && at.TryGetValue(p.Target, out var b) && !isSame(p, a, b)).Select(p => p.Source)];
    }

    private static bool HasSameHeader(MessageFingerprint source, MessageFingerprint target) => source.Header == target.Header || source.Core == target.Core;

    /// <summary>
    /// Compares the lengths after the header. The recorded length is used where there is one, since some servers list wrong sizes.
    /// </summary>
    private static bool HasSameLength(SettledMessage recorded, MessageFingerprint source, MessageFingerprint target) =>
        (recorded.Checksum is { } sum ? sum.Length - source.HeaderBytes : source.BodyBytes) is { } length && length == target.BodyBytes;

    private static async Task<Dictionary<Uid, MessageFingerprint>> IdentifyAsync(IMessageFolder folder, IEnumerable<Uid> uids, CancellationToken cancellationToken)
    {
        var infos = new Dictionary<Uid, MessageInfo>();
        await foreach (var there in folder.ListAsync(new ListRequest(new UidSet(uids), WithDateAndSize: true), cancellationToken))
            infos[there.Uid] = there;
        return infos.Count == 0 ? [] : (await MessageRecognition.IdentifyAsync(folder, infos, cancellationToken)).ToDictionary(i => i.Uid);
    }
}
