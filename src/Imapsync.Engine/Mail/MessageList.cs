using System.Collections;
using System.Runtime.InteropServices;
using Imapsync.Imap;

namespace Imapsync.Engine.Mail;

/// <summary>
/// A listing of a folder. It takes 24 octets for each message, since a folder may have a million. There are few distinct sets of flags, so each is
/// stored once and messages refer to it by number.
/// </summary>
internal sealed class MessageList : IReadOnlyList<MessageInfo>
{
    private const long UnknownSize = (1L << 48) - 1;

    /// <summary>The most distinct sets of flags that are stored. No user has so many; a server that sends more would otherwise exhaust the memory.</summary>
    public const int MaxFlagSets = 100_000;

    private readonly BlockList<Row> rows = new();
    private readonly List<FlagSet> flags = [FlagSet.Empty];
    private readonly Dictionary<FlagSet, int> numbers = new() { [FlagSet.Empty] = 0 };

    public int Count => rows.Count;

    /// <summary>How many messages are listed here without their keywords, because there are too many distinct sets of flags.</summary>
    public int WithoutKeywords { get; private set; }

    public MessageInfo this[int index]
    {
        get
        {
            ref var row = ref rows[index];
            var size = ((long)row.SizeHigh << 32) | row.SizeLow;
            return new MessageInfo(new Uid(row.Uid), flags[row.Flags], new DateTimeOffset(row.Ticks, TimeSpan.FromMinutes(row.OffsetMinutes)), size == UnknownSize ? -1 : size);
        }

        set => rows[index] = RowOf(value);
    }

    public void Add(MessageInfo message) => rows.Add(RowOf(message));

    public void AddRange(IEnumerable<MessageInfo> messages)
    {
        foreach (var message in messages)
            Add(message);
    }

    /// <summary>Removes the messages for which the predicate returns true; the order of the others stays.</summary>
    public void RemoveAll(Predicate<MessageInfo> isMeant)
    {
        var kept = 0;
        for (var i = 0; i < Count; i++)
        {
            if (!isMeant(this[i]))
                rows[kept++] = rows[i];
        }

        rows.Cut(kept);
    }

    /// <summary>Sorts the messages by UID, each of which must occur once. It takes almost no time if they are sorted already.</summary>
    public void SortByUid()
    {
        var isSorted = true;
        for (var i = 1; i < Count && isSorted; i++)
            isSorted = rows[i - 1].Uid <= rows[i].Uid;
        if (!isSorted)
            rows.Sort((a, b) => a.Uid.CompareTo(b.Uid));
    }

    public IEnumerator<MessageInfo> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private Row RowOf(in MessageInfo message)
    {
        var kept = message.Flags;
        if (!numbers.TryGetValue(kept, out var number) && flags.Count >= MaxFlagSets && !kept.Keywords.IsEmpty)
        {
            WithoutKeywords++;
            kept = FlagSet.Create(kept.System);
        }

        if (number == 0 && !numbers.TryGetValue(kept, out number))
        {
            number = flags.Count;
            numbers.Add(kept, number);
            flags.Add(kept);
        }

        var size = message.Size is < 0 or > UnknownSize ? UnknownSize : message.Size;
        return new Row
        {
            Uid = message.Uid.Value,
            Flags = number,
            Ticks = message.InternalDate.Ticks,
            SizeLow = (uint)size,
            SizeHigh = (ushort)(size >> 32),
            OffsetMinutes = (short)(message.InternalDate.Offset.Ticks / TimeSpan.TicksPerMinute),
        };
    }

    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    private struct Row
    {
        public long Ticks;
        public uint Uid;
        public int Flags;
        public uint SizeLow;
        public ushort SizeHigh;
        public short OffsetMinutes;
    }
}
