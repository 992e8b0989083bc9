using BenchmarkDotNet.Attributes;
using Imapsync.Imap;

namespace Imapsync.Bench.Micro;

/// <summary>Measures sets of a folder's UIDs with gaps, as many years of deletions leave them.</summary>
public class UidSetBenchmarks
{
    private const int Uids = 100_000;

    private static readonly Uid[] Ascending = [.. Enumerable.Range(1, Uids).Select(n => new Uid((uint)(n + (n / 7))))];

    private static readonly UidSet Set = Build(Ascending);

    private static readonly string Text = string.Join(',', Set.ToWire());

    [Benchmark(OperationsPerInvoke = Uids)]
    public UidSet Add() => Build(Ascending);

    [Benchmark(OperationsPerInvoke = Uids)]
    public int Contains()
    {
        var found = 0;
        foreach (var uid in Ascending)
            found += Set.Contains(uid) ? 1 : 0;
        return found;
    }

    [Benchmark(OperationsPerInvoke = Uids)]
    public int ToWire() => Set.ToWire(8000).Sum(piece => piece.Length);

    [Benchmark(OperationsPerInvoke = Uids)]
    public bool Parse() => UidSet.TryParse(Text, out _);

    private static UidSet Build(IEnumerable<Uid> uids)
    {
        var set = new UidSet();
        foreach (var uid in uids)
            set.Add(uid);
        return set;
    }
}
