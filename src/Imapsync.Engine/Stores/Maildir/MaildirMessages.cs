using System.Collections;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>Messages of one folder. Each takes 12 octets besides its name, which is stored in one of two tables.</summary>
/// <param name="listed">The names in the uidlist.</param>
/// <param name="remembered">The names that the uidlist lacks.</param>
internal sealed class MaildirMessages(NameTable listed, NameTable remembered) : IReadOnlyList<MaildirMessage>
{
    private const uint InNew = 1;
    private const uint Remembered = 2;

    private readonly BlockList<Row> rows = new();
    private readonly List<InfoPart> infos = [];
    private readonly Dictionary<InfoPart, uint> numbers = new(ReferenceEqualityComparer.Instance);

    public int Count => rows.Count;

    public MaildirMessage this[int index]
    {
        get
        {
            var row = rows[index];
            var table = (row.Marks & Remembered) != 0 ? remembered : listed;
            return new MaildirMessage(row.Uid, table.NameAt(row.Slot), infos[(int)(row.Marks >> 2)], (row.Marks & InNew) != 0);
        }
    }

    public uint UidAt(int index) => rows[index].Uid;

    /// <summary>Returns the info part of a message's name without composing the name.</summary>
    public InfoPart InfoAt(int index) => infos[(int)(rows[index].Marks >> 2)];

    /// <summary>Returns the positions of the messages with these UIDs, in the order of the UIDs; null for all.</summary>
    public IEnumerable<int> Positions(UidSet? uids)
    {
        if (uids is null)
            return Enumerable.Range(0, Count);
        return uids.Ranges.SelectMany(r => Between(r.First, r.Last));

        IEnumerable<int> Between(uint first, uint last)
        {
            for (var at = MaildirIndex.PositionOf(this, first); at < Count && UidAt(at) <= last; at++)
                yield return at;
        }
    }

    /// <summary>Adds a message; false where neither table has the name.</summary>
    public bool TryAdd(ReadOnlySpan<char> uniqueName, InfoPart info, bool inNew)
    {
        var isRemembered = remembered.TryFind(uniqueName, out var slot);
        if (!isRemembered && !listed.TryFind(uniqueName, out slot))
            return false;
        rows.Add(new Row((isRemembered ? remembered : listed).UidAt(slot), slot, MarksOf(info, inNew, isRemembered)));
        return true;
    }

    /// <summary>Adds a message, perhaps with another UID than the tables have for its name.</summary>
    public void Add(MaildirMessage message)
    {
        var isRemembered = remembered.TryFind(message.UniqueName, out var slot);
        if (isRemembered || listed.TryFind(message.UniqueName, out slot))
            rows.Add(new Row(message.Uid, slot, MarksOf(message.Info, message.InNew, isRemembered)));
    }

    public void AddFrom(MaildirMessages other, int index)
    {
        var row = other.rows[index];
        rows.Add(row with { Marks = (row.Marks & (InNew | Remembered)) | (NumberOf(other.infos[(int)(row.Marks >> 2)]) << 2) });
    }

    public void SortByUid() => rows.Sort((a, b) => a.Uid.CompareTo(b.Uid));

    public IEnumerator<MaildirMessage> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private uint MarksOf(InfoPart info, bool inNew, bool isRemembered) => (NumberOf(info) << 2) | (inNew ? InNew : 0) | (isRemembered ? Remembered : 0);

    private uint NumberOf(InfoPart info)
    {
        if (!numbers.TryGetValue(info, out var number))
        {
            number = (uint)infos.Count;
            numbers.Add(info, number);
            infos.Add(info);
        }

        return number;
    }

    private readonly record struct Row(uint Uid, int Slot, uint Marks);
}
