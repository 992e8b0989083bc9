using Imapsync.Imap;

namespace Imapsync.Engine.State;

/// <summary>Numbers the distinct flag sets of a folder pair's messages in order of first use. Number 0 is the empty set.</summary>
internal sealed class FlagTable
{
    private readonly List<FlagSet> sets = [FlagSet.Empty];
    private readonly Dictionary<FlagSet, int> numbers = new() { [FlagSet.Empty] = 0 };

    public int Count => sets.Count;

    public FlagSet this[int number] => sets[number];

    public bool TryGetNumber(FlagSet flags, out int number) => numbers.TryGetValue(flags, out number);

    public int Add(FlagSet flags)
    {
        numbers.TryAdd(flags, sets.Count);
        sets.Add(flags);
        return sets.Count - 1;
    }
}
