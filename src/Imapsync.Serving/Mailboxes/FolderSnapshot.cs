using System.Buffers;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Serving.Mailboxes;

/// <summary>
/// A folder's messages at the time of its selection, by number and by UID; each takes 31 octets of memory. Messages added later appear at
/// the next SELECT. A lost message is noticed when it is read.
/// </summary>
internal sealed class FolderSnapshot
{
    private const int DescribedTogether = 500;
    private static readonly SearchValues<char> NoAtom = SearchValues.Create("(){%*\"\\]");
    private readonly IMessageFolder? folder;
    private readonly uint[] uids;
    private readonly FlagSet[] flags;
    private long[] ticks = [];
    private long[] sizes = [];
    private short[] offsets = [];
    private bool[] isDescribed = [];

    private FolderSnapshot(IMessageFolder? folder, uint[] uids, FlagSet[] flags, UidValidity fallback)
    {
        (this.folder, this.uids, this.flags) = (folder, uids, flags);
        // The store reports no UIDVALIDITY as soon as a single UID is valid for this session only.
        var validity = folder is null ? new UidValidity(1) : folder.Status.UidValidity;
        // An empty folder has given out no UID that could change its meaning, so any fixed UIDVALIDITY is correct.
        Validity = !validity.IsNone ? validity : uids.Length == 0 ? new UidValidity(1) : fallback;
        var next = folder is null || folder.Status.UidNext.IsNone ? 1 : folder.Status.UidNext.Value;
        UidNext = new Uid(Math.Max(next, uids.Length == 0 ? 1 : uids[^1] + 1));
    }

    public int Count => uids.Length;

    public UidValidity Validity { get; }

    public Uid UidNext { get; }

    public uint LastUid => Count == 0 ? 0 : uids[^1];

    /// <param name="folder">Null for a folder that does not exist and is presented as empty.</param>
    /// <param name="fallback">The UIDVALIDITY for a folder that has none; it differs each time the server starts.</param>
    public static async Task<FolderSnapshot> TakeAsync(IMessageFolder? folder, UidValidity fallback, int maxMessages, CancellationToken cancellationToken)
    {
        var listed = new List<uint>();
        var listedFlags = new List<FlagSet>();
        var told = new Dictionary<FlagSet, FlagSet>();
        if (folder is not null)
        {
            await foreach (var message in folder.ListAsync(new ListRequest(), cancellationToken))
            {
                if (listed.Count == maxMessages)
                    throw new Wire.RefusalException($"the folder has more than {maxMessages} messages", "LIMIT");
                listed.Add(message.Uid.Value);
                if (!told.TryGetValue(message.Flags, out var set))
                    told.Add(message.Flags, set = FlagSet.Create(message.Flags.System, message.Flags.Keywords.Where(IsAtom)));
                listedFlags.Add(set);
            }
        }

        return new FolderSnapshot(folder, [.. listed], [.. listedFlags], fallback);
    }

    public uint UidAt(int index) => uids[index];

    public FlagSet FlagsAt(int index) => flags[index];

    /// <summary>The index of a UID, or the complement of the index at which the UID would be inserted.</summary>
    public int IndexOf(uint uid) => Array.BinarySearch(uids, uid);

    /// <summary>The index of the first message without \Seen, or -1.</summary>
    public int FirstUnseen => Array.FindIndex(flags, f => !f.System.HasFlag(MessageFlags.Seen));

    public int Unseen => flags.Count(f => !f.System.HasFlag(MessageFlags.Seen));

    public IEnumerable<string> Keywords => flags.Distinct().SelectMany(f => f.Keywords).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase);

    /// <summary>The indexes of the messages in a client's set, ascending.</summary>
    public IEnumerable<int> Indexes(Wire.SequenceSet set, bool byUid)
    {
        foreach (var (first, last) in set.Resolve(byUid ? LastUid : (uint)Count))
        {
            var (from, to) = byUid ? (AtOrBehind(first), AtOrBehind(last)) : ((int)Math.Min(first - 1, (uint)Count), (int)Math.Min(last - 1, (uint)Count));
            if (byUid && !(to < Count && uids[to] == last))
                to--;
            for (var i = from; i <= to && i < Count; i++)
                yield return i;
        }
    }

    /// <summary>Date and size, available after <see cref="DescribeAsync"/>; null if the message is gone or can't be read.</summary>
    public MessageInfo? InfoAt(int index) =>
        sizes.Length > 0 && sizes[index] >= 0
            ? new MessageInfo(new Uid(uids[index]), flags[index], new DateTimeOffset(ticks[index], TimeSpan.FromMinutes(offsets[index])), sizes[index])
            : null;

    /// <summary>Reads the dates and sizes of the next several messages at once.</summary>
    /// <param name="upcoming">Indexes in ascending order. Up to 500 of them are read together.</param>
    /// <param name="from">The position in <paramref name="upcoming"/> to begin at.</param>
    public async Task DescribeAsync(IReadOnlyList<int> upcoming, int from, CancellationToken cancellationToken)
    {
        if (isDescribed.Length == 0 && Count > 0)
        {
            (ticks, sizes, offsets, isDescribed) = (new long[Count], new long[Count], new short[Count], new bool[Count]);
            Array.Fill(sizes, -1);
        }

        if (folder is null || isDescribed[upcoming[from]])
            return;
        var wanted = new UidSet();
        for (var i = from; i < upcoming.Count && i < from + DescribedTogether; i++)
        {
            if (!isDescribed[upcoming[i]])
                wanted.Add(new Uid(uids[upcoming[i]]));
            isDescribed[upcoming[i]] = true;
        }

        await foreach (var message in folder.ListAsync(new ListRequest(wanted, WithDateAndSize: true), cancellationToken))
        {
            var at = IndexOf(message.Uid.Value);
            if (at >= 0)
                (ticks[at], sizes[at], offsets[at]) = (message.InternalDate.Ticks, message.Size, (short)message.InternalDate.Offset.TotalMinutes);
        }
    }

    /// <summary>
    /// Whether a keyword is a valid flag-keyword (RFC 9051 §9). The backup may contain invalid keywords,
    /// which must not be sent to a client.
    /// </summary>
    private static bool IsAtom(string keyword) => keyword.Length > 0 && keyword.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0 && keyword.AsSpan().IndexOfAny(NoAtom) < 0;

    private int AtOrBehind(uint uid)
    {
        var at = IndexOf(uid);
        return at < 0 ? ~at : at;
    }
}
