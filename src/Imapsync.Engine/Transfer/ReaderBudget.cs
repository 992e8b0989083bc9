namespace Imapsync.Engine.Transfer;

/// <summary>
/// Counts how many more folders of a source could be open at once, to read one folder over several connections. It is 0 or negative if the
/// workers use all that the source permits, or more.
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
