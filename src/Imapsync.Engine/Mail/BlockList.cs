namespace Imapsync.Engine.Mail;

/// <summary>
/// A list that may hold millions of small values. It is stored in blocks, so that growing never copies the whole list. A list of a few
/// values takes little memory.
/// </summary>
internal sealed class BlockList<T>
    where T : struct
{
    private const int BlockBits = 11;
    private const int BlockRows = 1 << BlockBits;
    private const int FirstRows = 8;

    private readonly List<T[]> blocks = [];

    public int Count { get; private set; }

    public ref T this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            return ref blocks[index >> BlockBits][index & (BlockRows - 1)];
        }
    }

    public void Add(T value)
    {
        var at = Count & (BlockRows - 1);
        if (at == 0)
            blocks.Add(new T[blocks.Count == 0 ? FirstRows : BlockRows]);
        var block = blocks[^1];
        if (at == block.Length)
        {
            Array.Resize(ref block, Math.Min(BlockRows, at * 4));
            blocks[^1] = block;
        }

        block[at] = value;
        Count++;
    }

    /// <summary>Removes the values from position <paramref name="count"/> on.</summary>
    public void Cut(int count)
    {
        Count = count;
        var needed = (count + BlockRows - 1) >> BlockBits;
        blocks.RemoveRange(needed, blocks.Count - needed);
    }

    public void Sort(Comparison<T> comparison)
    {
        var all = new T[Count];
        for (var i = 0; i < all.Length; i++)
            all[i] = this[i];
        Array.Sort(all, comparison);
        for (var i = 0; i < all.Length; i++)
            this[i] = all[i];
    }
}
