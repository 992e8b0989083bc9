using Imapsync.Imap;

namespace Imapsync.Engine.Matching;

/// <summary>
/// Finds which messages of the source are at the target already, where no checkpoint can say so. Each message is matched
/// once: n copies at the source need n copies at the target. In doubt two messages are compared whole, and what is not
/// proved equal is not matched: a second copy can be deleted by its owner, a lost message by nobody.
/// </summary>
/// <param name="sources">Messages about to be copied.</param>
/// <param name="targets">Messages at the target that no checkpoint accounts for.</param>
/// <param name="digestSource">Digests of what follows the header; what can't be read is left out.</param>
/// <param name="digestTarget">The same at the target.</param>
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

    public async Task<IReadOnlyList<(MessageFingerprint Source, MessageFingerprint Target)>> MatchAsync(CancellationToken cancellationToken)
    {
        // The same header octets and size. With a Message-ID and no rival this is proof enough.
        await MatchByDigestAsync(MatchGroups(m => (m.Header, m.Info.Size), isProof: (s, _) => s.HasCore, _ => true), cancellationToken);

        // The same header octets and another size: either line ends were changed, or it is another message, such as a part of this one.
        await MatchByDigestAsync(MatchGroups(m => m.Header, isProof: (_, _) => false, _ => true), cancellationToken);

        // A server or tool rewrote the header (Received or X-TUID added, white space refolded) and kept the date and the body.
        var doubtful = MatchGroups(m => (m.Core, m.Info.InternalDate.ToUnixTimeSeconds()), IsRewritten, m => m.HasCore);
        await MatchByDigestAsync(doubtful, cancellationToken);

        // Neither header nor date survived, or there is no Message-ID and a field was added: the body has to be the same.
        await MatchByDigestAsync(MatchGroups(m => m.Core, isProof: (_, _) => false, _ => true), cancellationToken);
        return matches;
    }

    private static bool IsRewritten(MessageFingerprint source, MessageFingerprint target) =>
        source.Header != target.Header && source.BodyBytes is { } length && length == target.BodyBytes;

    /// <summary>Matches groups of one against one that are proof enough; returns the members of all other groups that both sides have.</summary>
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

    /// <summary>A message is read once, however many of its features leave it in doubt.</summary>
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

/// <summary>Reads messages and digests what follows their headers.</summary>
internal delegate Task<IReadOnlyDictionary<Uid, UInt128>> MessageDigester(
    IReadOnlyList<MessageFingerprint> messages, CancellationToken cancellationToken);
