using System.Text;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Local;

/// <summary>
/// Unique names with their UIDs, at about 45 octets each, because a folder may have a million. The text between a name's numbers is stored
/// once, as a pattern. Names are never removed. Only one task may use a table at a time.
/// </summary>
internal sealed class NameTable
{
    /// <summary>The most patterns that are stored. Names of random letters would otherwise need one pattern each.</summary>
    private const int MaxPatterns = 2048;
    private const int MaxPatternLength = 512;
    private const int ChunkBits = 16;
    private const int MaxDigits = 18;
    private const int MaxNumbers = 64;

    /// <summary>Stands for a number in a pattern. It occurs in no name.</summary>
    private const char Number = '\0';

    private readonly List<byte[]> chunks = [];
    private readonly BlockList<(uint Position, uint Uid)> rows = new();
    private readonly char[] shapes = new char[MaxPatternLength];
    private readonly ulong[] numbers = new ulong[MaxNumbers];
    private readonly List<string> patterns = [""];
    private readonly Dictionary<string, int> patternNumbers = [];
    private readonly List<string> withSlash = [];
    private int[] buckets = new int[16];
    private int usedBytes = 1 << ChunkBits;
    private byte[] scratch = new byte[1024];

    public int Count => rows.Count;

    /// <summary>The names in the table that contain a slash. No file name contains one, so these are keys made by this program.</summary>
    public IReadOnlyList<string> WithSlash => withSlash;

    public bool ContainsName(ReadOnlySpan<char> name) => TryFind(name, out _);

    public bool TryGetUid(ReadOnlySpan<char> name, out uint uid)
    {
        var isThere = TryFind(name, out var slot);
        uid = isThere ? UidAt(slot) : 0;
        return isThere;
    }

    /// <param name="slot">The name's position, which never changes.</param>
    public bool TryFind(ReadOnlySpan<char> name, out int slot)
    {
        slot = -1;
        return Count > 0 && TryPack(name, adds: false, out var length) && TryFind(scratch.AsSpan(0, length), out slot, out _);
    }

    public string NameAt(int slot) => Unpack(OctetsAt(slot));

    public uint UidAt(int slot) => rows[slot].Uid;

    /// <summary>Adds a name, or changes its UID.</summary>
    public void Set(ReadOnlySpan<char> name, uint uid)
    {
        _ = TryPack(name, adds: true, out var length);
        if (TryFind(scratch.AsSpan(0, length), out var slot, out var bucket))
        {
            rows[slot].Uid = uid;
            return;
        }

        if (name.Contains('/'))
            withSlash.Add(name.ToString());
        rows.Add((Store(scratch.AsSpan(0, length)), uid));
        buckets[bucket] = Count;
        if (Count > buckets.Length / 4 * 3)
            Grow();
    }

    /// <summary>
    /// Packs a name into octets: its pattern's index and its numbers, or 0 and the name itself. The same name always gives the same octets.
    /// </summary>
    /// <param name="adds">Whether a missing pattern is added to the table.</param>
    /// <returns>False if the table lacks the name's pattern and therefore the name.</returns>
    private bool TryPack(ReadOnlySpan<char> name, bool adds, out int length)
    {
        length = 0;
        var number = 0;
        if (TrySplit(name, out var shape, out var count) && !patternNumbers.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(shape, out number)
            && patterns.Count < MaxPatterns)
        {
            if (!adds)
                return false;
            number = patterns.Count;
            patterns.Add(shape.ToString());
            patternNumbers.Add(patterns[^1], number);
        }

        var needed = 10 * (count + 1) + Encoding.UTF8.GetMaxByteCount(name.Length);
        if (scratch.Length < needed)
            scratch = new byte[needed];
        Write((ulong)number, ref length);
        if (number == 0)
            length += Encoding.UTF8.GetBytes(name, scratch.AsSpan(length));
        for (var i = 0; number != 0 && i < count; i++)
            Write(numbers[i], ref length);
        return true;
    }

    /// <summary>Splits a name into its shape and its numbers. A number with leading zeros or too many digits counts as text.</summary>
    /// <param name="shape">The name with <see cref="Number"/> in place of each number.</param>
    /// <returns>False if the name contains no number or too many.</returns>
    private bool TrySplit(ReadOnlySpan<char> name, out ReadOnlySpan<char> shape, out int count)
    {
        var length = 0;
        shape = default;
        count = 0;
        if (name.Length > MaxPatternLength)
            return false;
        for (var at = 0; at < name.Length;)
        {
            var begin = at;
            var value = 0UL;
            for (; at < name.Length && char.IsAsciiDigit(name[at]); at++)
                value = unchecked((value * 10) + (ulong)(name[at] - '0'));
            var digits = at - begin;
            if (digits > 0 && digits <= MaxDigits && (digits == 1 || name[begin] != '0'))
            {
                if (count == MaxNumbers)
                    return false;
                numbers[count++] = value;
                shapes[length++] = Number;
                continue;
            }

            at = Math.Max(at, begin + 1);
            if (name[begin] == Number)
                return false;
            name[begin..at].CopyTo(shapes.AsSpan(length));
            length += at - begin;
        }

        shape = shapes.AsSpan(0, length);
        return count > 0;
    }

    private void Write(ulong value, ref int length)
    {
        for (; value > 0x7F; value >>= 7)
            scratch[length++] = (byte)(value | 0x80);
        scratch[length++] = (byte)value;
    }

    private static ulong Read(ref ReadOnlySpan<byte> octets)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var octet = octets[0];
            octets = octets[1..];
            value |= (ulong)(octet & 0x7F) << shift;
            if (octet <= 0x7F)
                return value;
        }
    }

    private string Unpack(ReadOnlySpan<byte> octets)
    {
        var pattern = patterns[(int)Read(ref octets)];
        if (pattern.Length == 0)
            return Encoding.UTF8.GetString(octets);
        var name = new StringBuilder(pattern.Length + (octets.Length * 3));
        foreach (var c in pattern)
        {
            if (c == Number)
                name.Append(Read(ref octets));
            else
                name.Append(c);
        }

        return name.ToString();
    }

    private ReadOnlySpan<byte> OctetsAt(int slot)
    {
        var position = rows[slot].Position;
        ReadOnlySpan<byte> octets = chunks[(int)(position >> ChunkBits)].AsSpan((int)(position & ((1 << ChunkBits) - 1)));
        var length = (int)Read(ref octets);
        return octets[..length];
    }

    private uint Store(ReadOnlySpan<byte> octets)
    {
        // The packed name is preceded by its length, which usually takes one octet.
        var room = octets.Length + 3;
        if (usedBytes + room > 1 << ChunkBits)
        {
            chunks.Add(new byte[chunks.Count == 0 ? Math.Max(1024, room) : 1 << ChunkBits]);
            usedBytes = 0;
        }
        else if (usedBytes + room > chunks[^1].Length)
        {
            var grown = chunks[^1];
            Array.Resize(ref grown, Math.Min(1 << ChunkBits, Math.Max(grown.Length * 4, usedBytes + room)));
            chunks[^1] = grown;
        }

        var position = ((uint)(chunks.Count - 1) << ChunkBits) | (uint)usedBytes;
        var chunk = chunks[^1];
        for (var length = (uint)octets.Length; ; length >>= 7)
        {
            chunk[usedBytes++] = (byte)(length > 0x7F ? length | 0x80 : length);
            if (length <= 0x7F)
                break;
        }

        octets.CopyTo(chunk.AsSpan(usedBytes));
        usedBytes += octets.Length;
        return position;
    }

    /// <param name="bucket">The bucket of the hash table that holds the name, or would hold it.</param>
    private bool TryFind(ReadOnlySpan<byte> octets, out int slot, out int bucket)
    {
        for (bucket = HashOf(octets) & (buckets.Length - 1); buckets[bucket] != 0; bucket = (bucket + 1) & (buckets.Length - 1))
        {
            slot = buckets[bucket] - 1;
            if (OctetsAt(slot).SequenceEqual(octets))
                return true;
        }

        slot = -1;
        return false;
    }

    private void Grow()
    {
        buckets = new int[buckets.Length * 2];
        for (var slot = 0; slot < Count; slot++)
        {
            var bucket = HashOf(OctetsAt(slot)) & (buckets.Length - 1);
            while (buckets[bucket] != 0)
                bucket = (bucket + 1) & (buckets.Length - 1);
            buckets[bucket] = slot + 1;
        }
    }

    private static int HashOf(ReadOnlySpan<byte> octets)
    {
        var hash = new HashCode();
        hash.AddBytes(octets);
        return hash.ToHashCode();
    }
}
