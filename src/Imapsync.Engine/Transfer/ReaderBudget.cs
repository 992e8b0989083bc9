namespace Imapsync.Engine.Transfer;

/// <summary>
/// How many more of a source's folders could be open than are: those that are left may be read over several connections.
/// Less than none where workers have all that the source allows, or more.
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
