using System.IO.Pipelines;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Matching;

/// <summary>
/// Finds, before anything is copied, messages that the target has already although no checkpoint records them. This happens in the first run
/// between two folders, when the checkpoint was lost, and when an append was interrupted before its outcome was recorded.
/// </summary>
internal sealed class MessageRecognition(IMessageFolder source, IMessageFolder target)
{
    /// <summary>
    /// Up to this many messages are compared by their headers, whatever sizes and dates the source lists: sizes can be wrong, and a restored message
    /// can have another date.
    /// </summary>
    public const int FewMessages = 1000;

    /// <summary>The size and header digest of each recognised target message, by its UID.</summary>
    public Dictionary<Uid, Sighting> Seen { get; } = [];

    /// <summary>
    /// UIDs of messages of the source and of vanished messages' copies that may be the same, but could not be compared because one of them could not
    /// be read. Where not even a header could be read, they have the same size or date.
    /// </summary>
    public IReadOnlyList<(Uid Source, Uid Target)> Uncompared { get; private set; } = [];

    /// <param name="about">Messages about to be copied, listed with date and size.</param>
    /// <param name="from">
    /// The lowest target UID to examine: 1 for messages never compared with the target before, otherwise the last known UIDNEXT of the
    /// target.
    /// </param>
    /// <param name="claimed">Target UIDs that are recorded as copies of other messages. They are not examined.</param>
    /// <param name="below">Target UIDs below <paramref name="from"/> to examine as well.</param>
    /// <param name="ownFrom">
    /// From this UID on, the target may hold copies that an interrupted run appended and did not record. If all examined messages are such,
    /// only headers of source messages with the same size or date are read. Null if no run has copied to the target.
    /// </param>
    /// <param name="vanished">Target UIDs of copies of vanished messages, to find <see cref="Uncompared"/> among.</param>
    /// <returns>Source and target messages that are the same, with their flags on either side.</returns>
    public async Task<IReadOnlyList<(MessageInfo Source, MessageInfo Target)>> RecognizeAsync(
        IReadOnlyList<MessageInfo> about, Uid from, IReadOnlySet<Uid> claimed, CancellationToken cancellationToken,
        IReadOnlySet<Uid>? below = null, Uid? ownFrom = null, IReadOnlySet<Uid>? vanished = null)
    {
        var looked = UidSet.Range(from, new Uid(uint.MaxValue));
        foreach (var uid in below ?? new HashSet<Uid>())
            looked.Add(uid);
        var candidates = new Dictionary<Uid, MessageInfo>();
        await foreach (var message in target.ListAsync(new ListRequest(looked, WithDateAndSize: true), cancellationToken))
        {
            if (looked.Contains(message.Uid) && !claimed.Contains(message.Uid))
                candidates.Add(message.Uid, message);
        }

        if (candidates.Count == 0)
            return [];
        var isOwnOnly = from.Value > 1 || (ownFrom is { } mark && candidates.Keys.All(u => u >= mark));
        var sources = isOwnOnly && about.Count > FewMessages ? LikelyAmong(about, candidates.Values) : about;
        var here = await IdentifyAsync(source, sources.ToDictionary(m => m.Uid), cancellationToken);
        var there = await IdentifyAsync(target, candidates, cancellationToken);
        var matcher = new MessageMatcher(
            here,
            there,
            (messages, c) => DigestAsync(source, messages, c),
            (messages, c) => DigestAsync(target, messages, c));
        var matches = await matcher.MatchAsync(cancellationToken);
        foreach (var (_, match) in matches)
        {
            if (match.Sighting is { } seen)
                Seen[match.Uid] = seen;
        }

        var doubtful = candidates.Values.Where(c => vanished?.Contains(c.Uid) == true).ToList();
        if (doubtful.Count > 0)
        {
            Uncompared = [.. matcher.Uncompared.Select(p => (p.Source.Uid, p.Target.Uid)).Where(p => vanished!.Contains(p.Item2))
                .Concat(LikelyPairs(Except(sources, here), doubtful)).Concat(LikelyPairs(sources, Except(doubtful, there)))];
        }

        return [.. matches.Select(m => (m.Source.Info, m.Target.Info))];
    }

    /// <summary>
    /// Returns those of the source messages that have the same size or date as some target message to examine. A copy keeps at least one of
    /// the two, so only the headers of these messages are worth reading.
    /// </summary>
    private static List<MessageInfo> LikelyAmong(IReadOnlyList<MessageInfo> about, IReadOnlyCollection<MessageInfo> candidates)
    {
        var sizes = candidates.Select(c => c.Size).ToHashSet();
        var dates = candidates.Select(c => c.InternalDate.ToUnixTimeSeconds()).ToHashSet();
        return [.. about.Where(m => m.Size <= 0 || sizes.Contains(m.Size) || dates.Contains(m.InternalDate.ToUnixTimeSeconds()))];
    }

    private static List<MessageInfo> Except(IEnumerable<MessageInfo> messages, IReadOnlyCollection<MessageFingerprint> identified)
    {
        var uids = identified.Select(i => i.Uid).ToHashSet();
        return [.. messages.Where(m => !uids.Contains(m.Uid))];
    }

    private static IEnumerable<(Uid Source, Uid Target)> LikelyPairs(IEnumerable<MessageInfo> sources, IEnumerable<MessageInfo> targets) =>
        from target in targets
        from source in sources
        where source.Size == target.Size || source.InternalDate.ToUnixTimeSeconds() == target.InternalDate.ToUnixTimeSeconds()
        select (source.Uid, target.Uid);

    /// <summary>
    /// Reads the headers of messages and returns the messages' fingerprints. Messages that were deleted in the meantime are left out.
    /// </summary>
    /// <param name="messages">The messages by UID, as listed.</param>
    public static async Task<List<MessageFingerprint>> IdentifyAsync(
        IMessageFolder folder, Dictionary<Uid, MessageInfo> messages, CancellationToken cancellationToken)
    {
        var identities = new List<MessageFingerprint>(messages.Count);
        await foreach (var header in folder.ReadHeadersAsync(new UidSet(messages.Keys), cancellationToken))
        {
            if (messages.TryGetValue(header.Uid, out var info))
                identities.Add(MessageFingerprint.Of(info, header.Octets.Span));
        }

        return identities;
    }

    private static async Task<IReadOnlyDictionary<Uid, UInt128>> DigestAsync(
        IMessageFolder folder, IReadOnlyList<MessageFingerprint> messages, CancellationToken cancellationToken)
    {
        var digests = new Dictionary<Uid, UInt128>();
        // The listed size is ignored, since it may be wrong; the octets that the store delivers decide.
        await foreach (var message in folder.ReadAsync([.. messages.Select(m => m.Info with { Size = -1 }).OrderBy(m => m.Uid)], cancellationToken))
        {
            if (message.Failure is null)
                digests[message.Uid] = await DigestBodyAsync(message.Body, cancellationToken);
        }

        return digests;
    }

    private static async Task<UInt128> DigestBodyAsync(PipeReader message, CancellationToken cancellationToken)
    {
        using var hash = new LineEndBlindHash();
        var header = new HeaderEnd(inHeader: true);
        while (true)
        {
            var read = await message.ReadAsync(cancellationToken);
            foreach (var segment in read.Buffer)
                hash.Append(header.Skip(segment.Span));
            message.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return hash.Finish();
        }
    }

    /// <summary>Skips everything up to and including the first empty line, in segments of any size.</summary>
    private struct HeaderEnd(bool inHeader)
    {
        private bool inHeader = inHeader;
        private bool lineIsEmpty = true;

        public ReadOnlySpan<byte> Skip(ReadOnlySpan<byte> octets)
        {
            for (var i = 0; inHeader && i < octets.Length; i++)
            {
                if (octets[i] == '\n')
                {
                    inHeader = !lineIsEmpty;
                    lineIsEmpty = true;
                    if (!inHeader)
                        return octets[(i + 1)..];
                }
                else if (octets[i] != '\r')
                {
                    lineIsEmpty = false;
                }
            }

            return inHeader ? default : octets;
        }
    }
}
