using Imapsync.Imap;

namespace Imapsync.Engine.Matching;

/// <summary>
/// Finds the source messages that are already at the target, where the checkpoint has no record of them. Each target message is matched at most once:
/// n copies at the source need n copies at the target. In case of doubt two messages are compared completely, and only messages proved equal are
/// matched: a needless second copy can be deleted by its owner, but a lost message can't be restored.
/// </summary>
/// <param name="sources">Messages about to be copied.</param>
/// <param name="targets">Messages at the target that no checkpoint record refers to.</param>
/// <param name="digestSource">Returns digests of the octets after the header of source messages; unreadable messages are left out.</param>
/// <param name="digestTarget">Does the same at the target.</param>
internal sealed class MessageMatcher(
    IReadOnlyList<MessageFingerprint> sources,
    IReadOnlyList<MessageFingerprint> targets,
    MessageDigester digestSource,
    MessageDigester digestTarget)
{
    private readonly HashSet<Uid> openSources = [.. sources.Select(s => s.Uid)];
    private readonly HashSet<Uid> openTargets = [.. targets.Select(t => t.Uid)];
    private readonly List<(MessageFingerprint Source, MessageFingerprint Target)> matches = [];
    private readonly Dictionary<Uid, UInt128> sourceDigests = [];
    private readonly Dictionary<Uid, UInt128> targetDigests = [];

    /// <summary>
    /// The messages that resemble each other and were not matched because one of them could not be read: they may be the same. Call after <see
    /// cref="MatchAsync"/>.
    /// </summary>
    public IEnumerable<(MessageFingerprint Source, MessageFingerprint Target)> Uncompared =>
        from source in sources
        where openSources.Contains(source.Uid)
        join target in targets.Where(t => openTargets.Contains(t.Uid)) on source.Core equals target.Core
        where !sourceDigests.ContainsKey(source.Uid) || !targetDigests.ContainsKey(target.Uid)
        select (source, target);

    public async Task<IReadOnlyList<(MessageFingerprint Source, MessageFingerprint Target)>> MatchAsync(CancellationToken cancellationToken)
    {
        // First, messages with the same header octets and size: with a Message-ID and no other candidate this is sufficient proof. Sizes that are not
        // told, or told as 0, prove nothing.
        await MatchByDigestAsync(MatchGroups(m => (m.Header, m.Info.Size), isProof: (s, _) => s.HasCore && s.Info.Size > 0, _ => true), cancellationToken);

        // Then messages with the same header octets but another size. Either line ends were changed, or the target has another message, such as a
        // truncated one. So the bodies are compared.
        await MatchByDigestAsync(MatchGroups(m => m.Header, isProof: (_, _) => false, _ => true), cancellationToken);

        // Then messages whose header was rewritten by a server or tool (Received or X-TUID added, white space refolded) while the date and
        // the body stayed the same.
        var doubtful = MatchGroups(m => (m.Core, m.Info.InternalDate.ToUnixTimeSeconds()), IsRewritten, m => m.HasCore);
        await MatchByDigestAsync(doubtful, cancellationToken);

        // Finally, messages whose header and date have both changed, and messages without a Message-ID to whose header a field was added. Their bodies have to
        // be equal.
        await MatchByDigestAsync(MatchGroups(m => m.Core, isProof: (_, _) => false, _ => true), cancellationToken);
        return matches;
    }

    private static bool IsRewritten(MessageFingerprint source, MessageFingerprint target) =>
        source.Header != target.Header && source.BodyBytes is { } length && length == target.BodyBytes;

    /// <summary>
    /// Matches the messages of each group that has exactly one source and one target message, if that is sufficient proof. Returns the members of all other
    /// groups that have messages on both sides.
    /// </summary>
    private (List<MessageFingerprint> Sources, List<MessageFingerprint> Targets) MatchGroups<TKey>(
        Func<MessageFingerprint, TKey> key, Func<MessageFingerprint, MessageFingerprint, bool> isProof, Func<MessageFingerprint, bool> takesPart)
        where TKey : notnull
    {
        var atTarget = targets.Where(t => openTargets.Contains(t.Uid) && takesPart(t)).ToLookup(key);
        var doubtful = (Sources: new List<MessageFingerprint>(), Targets: new List<MessageFingerprint>());
        foreach (var group in sources.Where(s => openSources.Contains(s.Uid) && takesPart(s)).GroupBy(key))
        {
            List<MessageFingerprint> here = [.. group], there = [.. atTarget[group.Key]];
            if (here.Count == 1 && there.Count == 1 && isProof(here[0], there[0]))
            {
                Match(here[0], there[0]);
            }
            else if (there.Count > 0)
            {
                doubtful.Sources.AddRange(here);
                doubtful.Targets.AddRange(there);
            }
        }

        return doubtful;
    }

    private async Task MatchByDigestAsync(
        (List<MessageFingerprint> Sources, List<MessageFingerprint> Targets) doubtful, CancellationToken cancellationToken)
    {
        if (doubtful.Targets.Count == 0)
            return;
        var there = await ReadAsync(doubtful.Targets, targetDigests, digestTarget, cancellationToken);
        var here = await ReadAsync(doubtful.Sources, sourceDigests, digestSource, cancellationToken);
        var byDigest = doubtful.Targets.Where(t => there.ContainsKey(t.Uid))
            .GroupBy(t => there[t.Uid]).ToDictionary(g => g.Key, g => new Queue<MessageFingerprint>(g));
        foreach (var source in doubtful.Sources)
        {
            if (here.TryGetValue(source.Uid, out var digest) && byDigest.TryGetValue(digest, out var queue) && queue.TryDequeue(out var target))
                Match(source, target);
        }
    }

    /// <summary>Reads the messages' digests. Each message is read only once, even if it is in several groups.</summary>
    private static async Task<Dictionary<Uid, UInt128>> ReadAsync(
        List<MessageFingerprint> messages, Dictionary<Uid, UInt128> known, MessageDigester digester, CancellationToken cancellationToken)
    {
        List<MessageFingerprint> unread = [.. messages.Where(m => !known.ContainsKey(m.Uid))];
        if (unread.Count > 0)
        {
            foreach (var (uid, digest) in await digester(unread, cancellationToken))
                known[uid] = digest;
        }

        return known;
    }

    private void Match(in MessageFingerprint source, in MessageFingerprint target)
    {
        openSources.Remove(source.Uid);
        openTargets.Remove(target.Uid);
        matches.Add((source, target));
    }
}

/// <summary>Reads messages and digests the octets after their headers.</summary>
internal delegate Task<IReadOnlyDictionary<Uid, UInt128>> MessageDigester(
    IReadOnlyList<MessageFingerprint> messages, CancellationToken cancellationToken);
