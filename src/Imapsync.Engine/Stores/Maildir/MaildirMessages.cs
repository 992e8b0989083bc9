using System.Collections;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>Messages of one folder, 12 octets each besides their names, which are in tables.</summary>
/// <param name="listed">The names that the uidlist knows.</param>
/// <param name="remembered">Those that it does not.</param>
internal sealed class MaildirMessages(NameTable listed, NameTable remembered) : IReadOnlyList<MaildirMessage>
{
    private const int BlockBits = 12;
    private const int BlockRows = 1 << BlockBits;
    private const uint InNew = 1;
    private const uint Remembered = 2;

    private readonly List<Row[]> blocks = [];
    private readonly List<InfoPart> infos = [];
    private readonly Dictionary<InfoPart, uint> numbers = new(ReferenceEqualityComparer.Instance);

    public int Count { get; private set; }

    public MaildirMessage this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            var row = RowAt(index);
            var table = (row.Marks & Remembered) != 0 ? remembered : listed;
            return new MaildirMessage(row.Uid, table.NameAt(row.Slot), infos[(int)(row.Marks >> 2)], (row.Marks & InNew) != 0);
        }
    }

    public uint UidAt(int index) => RowAt(index).Uid;

    /// <summary>False where no table has the name.</summary>
    public bool TryAdd(ReadOnlySpan<char> uniqueName, InfoPart info, bool inNew)
    {
        var isRemembered = remembered.TryFind(uniqueName, out var slot);
        if (!isRemembered && !listed.TryFind(uniqueName, out slot))
            return false;
        Add(new Row((isRemembered ? remembered : listed).UidAt(slot), slot, MarksOf(info, inNew, isRemembered)));
        return true;
    }

    /// <summary>One of these messages, perhaps with another UID than its name has.</summary>
    public void Add(MaildirMessage message)
    {
        var isRemembered = remembered.TryFind(message.UniqueName, out var slot);
        if (isRemembered || listed.TryFind(message.UniqueName, out slot))
            Add(new Row(message.Uid, slot, MarksOf(message.Info, message.InNew, isRemembered)));
    }

    public void AddFrom(MaildirMessages other, int index)
    {
        var row = other.RowAt(index);
        Add(row with { Marks = (row.Marks & (InNew | Remembered)) | (NumberOf(other.infos[(int)(row.Marks >> 2)]) << 2) });
    }

    public void SortByUid()
    {
        var rows = new Row[Count];
        for (var i = 0; i < Count; i++)
            rows[i] = RowAt(i);
        Array.Sort(rows, (a, b) => a.Uid.CompareTo(b.Uid));
        for (var i = 0; i < Count; i++)
            blocks[i >> BlockBits][i & (BlockRows - 1)] = rows[i];
    }

    public IEnumerator<MaildirMessage> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private Row RowAt(int index) => blocks[index >> BlockBits][index & (BlockRows - 1)];

    private void Add(Row row)
    {
        var at = Count & (BlockRows - 1);
        if (at == 0)
            blocks.Add(new Row[blocks.Count == 0 ? 16 : BlockRows]);
        var block = blocks[^1];
        if (at == block.Length)
        {
            Array.Resize(ref block, Math.Min(BlockRows, at * 4));
            blocks[^1] = block;
        }

        block[at] = row;
        Count++;
    }

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
