namespace Imapsync.Engine.Transfer;

/// <summary>
/// Counts how many more folders of a source could be open at once, so that a folder may be read over several connections. The count is 0 or negative
/// while the workers already use all the folders that the source permits, or more.
/// </summary>
internal sealed class ReaderBudget
{
    private int count;

    public void Add(int more) => Interlocked.Add(ref count, more);

    public bool TryTake()
    {
        if (Interlocked.Decrement(ref count) >= 0)
            return true;
        Interlocked.Increment(ref count);
        return false;
    }
}
