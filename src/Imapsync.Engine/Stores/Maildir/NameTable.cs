using System.Text;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>
/// Unique names with their UIDs, some 45 octets each: a folder may have a million. Programs make names of numbers between a few words that are
/// always the same, so what stands between the numbers is held once; a name of another kind is held as it is. Nothing is ever taken out. For
/// one task at a time.
/// </summary>
internal sealed class NameTable
{
    /// <summary>So many kinds of names are told apart; whoever makes names of random letters would need one for each.</summary>
    private const int MaxPatterns = 2048;
    private const int MaxPatternLength = 512;
    private const int ChunkBits = 16;
    private const int BlockBits = 12;
    private const int BlockRows = 1 << BlockBits;
    private const int MaxDigits = 18;

    /// <summary>Stands for a number in a pattern, and in no name.</summary>
    private const char Number = '\0';

    private readonly List<byte[]> chunks = [];
    private readonly List<(uint Position, uint Uid)[]> blocks = [];
    private readonly List<string> patterns = [""];
    private readonly Dictionary<string, int> patternNumbers = [];
    private readonly List<string> withSlash = [];
    private int[] buckets = new int[16];
    private int usedBytes = 1 << ChunkBits;
    private byte[] scratch = new byte[1024];

    public int Count { get; private set; }

    /// <summary>Names that have a slash in them, which no file's has.</summary>
    public IReadOnlyList<string> WithSlash => withSlash;

    public bool ContainsName(ReadOnlySpan<char> name) => TryFind(name, out _);

    public bool TryGetUid(ReadOnlySpan<char> name, out uint uid)
    {
        var isThere = TryFind(name, out var slot);
        uid = isThere ? UidAt(slot) : 0;
        return isThere;
    }

    /// <param name="slot">Where it stands, for good.</param>
    public bool TryFind(ReadOnlySpan<char> name, out int slot)
    {
        slot = -1;
        return TryPack(name, adds: false, out var length) && TryFind(scratch.AsSpan(0, length), out slot, out _);
    }

    public string NameAt(int slot) => Unpack(OctetsAt(slot));

    public uint UidAt(int slot) => blocks[slot >> BlockBits][slot & (BlockRows - 1)].Uid;

    /// <summary>Adds a name, or gives it another UID.</summary>
    public void Set(ReadOnlySpan<char> name, uint uid)
    {
        _ = TryPack(name, adds: true, out var length);
        if (TryFind(scratch.AsSpan(0, length), out var slot, out var bucket))
        {
            blocks[slot >> BlockBits][slot & (BlockRows - 1)].Uid = uid;
            return;
        }

        if (name.Contains('/'))
            withSlash.Add(name.ToString());
        var at = Count & (BlockRows - 1);
        if (at == 0)
            blocks.Add(new (uint Position, uint Uid)[blocks.Count == 0 ? 16 : BlockRows]);
        var block = blocks[^1];
        if (at == block.Length)
        {
            Array.Resize(ref block, Math.Min(BlockRows, at * 4));
            blocks[^1] = block;
        }

        block[at] = (Store(scratch.AsSpan(0, length)), uid);
        buckets[bucket] = ++Count;
        if (Count > buckets.Length / 4 * 3)
            Grow();
    }

    /// <summary>A pattern's number and then the numbers in it; or 0 and the name. The same name is the same octets each time.</summary>
    /// <returns>False where a name of this kind was never added.</returns>
    private bool TryPack(ReadOnlySpan<char> name, bool adds, out int length)
    {
        length = 0;
        Span<char> pattern = stackalloc char[MaxPatternLength];
        Span<ulong> numbers = stackalloc ulong[MaxPatternLength];
        var (patternLength, count) = (0, 0);
        for (var at = 0; at < name.Length && name.Length <= MaxPatternLength;)
        {
            var digits = name[at..].IndexOfAnyExceptInRange('0', '9');
            digits = digits < 0 ? name.Length - at : digits;
            if (digits == 0 || digits > MaxDigits || (name[at] == '0' && digits > 1))
            {
                var taken = Math.Max(1, digits);
                name.Slice(at, taken).CopyTo(pattern[patternLength..]);
                (patternLength, at) = (patternLength + taken, at + taken);
                continue;
            }

            numbers[count++] = ulong.Parse(name.Slice(at, digits), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture);
            pattern[patternLength++] = Number;
            at += digits;
        }

        var number = 0;
        if (count > 0 && !name.Contains(Number) && !patternNumbers.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(pattern[..patternLength], out number)
            && patterns.Count < MaxPatterns)
        {
            if (!adds)
                return false;
            number = patterns.Count;
            patterns.Add(pattern[..patternLength].ToString());
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
        var position = blocks[slot >> BlockBits][slot & (BlockRows - 1)].Position;
        ReadOnlySpan<byte> octets = chunks[(int)(position >> ChunkBits)].AsSpan((int)(position & ((1 << ChunkBits) - 1)));
        var length = (int)Read(ref octets);
        return octets[..length];
    }

    private uint Store(ReadOnlySpan<byte> octets)
    {
        // Its length in front, in one octet as a rule.
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

    /// <param name="bucket">Where it is, or where it would be put.</param>
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
