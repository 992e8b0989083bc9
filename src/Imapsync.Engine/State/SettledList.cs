using System.Runtime.InteropServices;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.State;

/// <summary>
/// The records of a folder pair's messages in ascending order of source UID, 20 octets each, stored in blocks. Appending takes constant
/// time, any other change moves at most one block, and growing never copies existing blocks.
/// </summary>
internal sealed class SettledList
{
    /// <summary>The number of entries per block. A block of 20 KiB is cheap to move and far below the large object heap's threshold.</summary>
    private const int BlockCapacity = 1024;

    private readonly List<Block> blocks = [];
    private int version;

    public int Count { get; private set; }

    public bool TryGet(Uid source, out Entry entry)
    {
        if (TryFind(source.Value, out var block, out var at))
        {
            entry = blocks[block].Entries[at];
            return true;
        }

        entry = default;
        return false;
    }

    /// <summary>Adds or replaces an entry. Returns true, with the previous entry, if there was one.</summary>
    public bool Set(Entry entry, out Entry before)
    {
        if (TryFind(entry.Source, out var index, out var at))
        {
            ref var place = ref blocks[index].Entries[at];
            before = place;
            place = entry;
            return true;
        }

        before = default;
        version++;
        Count++;
        if (index == blocks.Count || (index == blocks.Count - 1 && at == BlockCapacity))
            blocks.Add(new Block([entry]));
        else
            Insert(index, at, entry);
        return false;
    }

    public bool Remove(Uid source, out Entry removed)
    {
        if (!TryFind(source.Value, out var index, out var at))
        {
            removed = default;
            return false;
        }

        removed = blocks[index].Entries[at];
        blocks[index].RemoveAt(at);
        if (blocks[index].Count == 0)
            blocks.RemoveAt(index);
        version++;
        Count--;
        return true;
    }

    public void Clear()
    {
        blocks.Clear();
        version++;
        Count = 0;
    }

    /// <summary>
    /// Enumerates all entries in ascending order. Entries may be changed during the enumeration; the position is then searched again, so that no entry is
    /// missed.
    /// </summary>
    public IEnumerable<Entry> Enumerate()
    {
        var seen = version;
        for (int block = 0, at = 0; block < blocks.Count;)
        {
            if (at >= blocks[block].Count)
            {
                (block, at) = (block + 1, 0);
                continue;
            }

            var entry = blocks[block].Entries[at++];
            yield return entry;
            if (seen == version)
                continue;
            seen = version;
            if (TryFind(entry.Source, out block, out at))
                at++;
        }
    }

    private void Insert(int index, int at, Entry entry)
    {
        var block = blocks[index];
        if (block.Count == BlockCapacity)
        {
            blocks.Insert(index + 1, block.Split());
            if (at > block.Count)
                (block, at) = (blocks[index + 1], at - block.Count);
        }

        block.Insert(at, entry);
    }

    /// <summary>Finds an entry. Returns false with the position for inserting it if there is none.</summary>
    private bool TryFind(uint source, out int block, out int at)
    {
        // The newest messages are looked up most often, so the last block is tried first.
        block = blocks.Count - 1;
        at = 0;
        if (block < 0)
        {
            block = 0;
            return false;
        }

        if (source < blocks[block].First)
            block = BlockOf(source);
        at = blocks[block].IndexOf(source);
        if (at >= 0)
            return true;
        at = ~at;
        return false;
    }

    private int BlockOf(uint source)
    {
        int low = 0, high = blocks.Count - 1;
        while (low < high)
        {
            var middle = low + ((high - low + 1) / 2);
            if (blocks[middle].First <= source)
                low = middle;
            else
                high = middle - 1;
        }

        return low;
    }

    /// <summary>
    /// The record of one message in 20 octets. <c>packed</c> holds the number of its flag set, its <see cref="Settlement"/>, and a bit that
    /// says whether the remaining two values are a <see cref="MessageChecksum"/> or a <see cref="Sighting"/>. Their length is stored plus
    /// one; 0 means that there is neither of the two.
    /// </summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly struct Entry(uint source, uint target, Settlement settlement, int flags, MessageChecksum? checksum = null, Sighting? seen = null)
    {
        private const int FlagBits = 28;
        private const uint SeenBit = 1u << FlagBits;

        private readonly uint packed = ((uint)settlement << (FlagBits + 1)) | (checksum is null && seen is not null ? SeenBit : 0) | (uint)flags;
        private readonly uint crc = checksum?.Crc ?? seen?.Header ?? 0;
        private readonly uint lengthAndOne = checksum is { } known ? known.Length + 1 : seen is { } look ? look.Size + 1 : 0;

        public uint Source { get; } = source;

        public uint Target { get; } = target;

        public Settlement Settlement => (Settlement)(packed >> (FlagBits + 1));

        public int Flags => (int)(packed & (SeenBit - 1));

        public MessageChecksum? Checksum => lengthAndOne == 0 || (packed & SeenBit) != 0 ? null : new MessageChecksum(crc, lengthAndOne - 1);

        public Sighting? Seen => (packed & SeenBit) == 0 ? null : new Sighting(lengthAndOne - 1, crc);
    }

    private sealed class Block
    {
        public Block(ReadOnlySpan<Entry> entries)
        {
            // Most folders are small, so a block begins with a small array.
            Entries = new Entry[Math.Max(8, entries.Length)];
            entries.CopyTo(Entries);
            Count = entries.Length;
        }

        public Entry[] Entries { get; private set; }

        public int Count { get; private set; }

        public uint First => Entries[0].Source;

        public int IndexOf(uint source)
        {
            if (Entries[Count - 1].Source < source)
                return ~Count;
            int low = 0, high = Count - 1;
            while (low <= high)
            {
                var middle = (low + high) / 2;
                var there = Entries[middle].Source;
                if (there == source)
                    return middle;
                if (there < source)
                    low = middle + 1;
                else
                    high = middle - 1;
            }

            return ~low;
        }

        public void Insert(int at, Entry entry)
        {
            if (Count == Entries.Length)
            {
                var grown = Entries;
                Array.Resize(ref grown, Math.Min(BlockCapacity, Count * 2));
                Entries = grown;
            }

            Array.Copy(Entries, at, Entries, at + 1, Count - at);
            Entries[at] = entry;
            Count++;
        }

        public void RemoveAt(int at)
        {
            Count--;
            Array.Copy(Entries, at + 1, Entries, at, Count - at);
        }

        /// <summary>Keeps the lower half of the entries and returns the upper half as a new block.</summary>
        public Block Split()
        {
            var half = Count / 2;
            var upper = new Block(Entries.AsSpan(half, Count - half));
            Count = half;
            return upper;
        }
    }
}
