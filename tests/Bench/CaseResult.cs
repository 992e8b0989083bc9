namespace Imapsync.Bench;

/// <summary>How many messages a contender changed on their way, how many it left behind, and which.</summary>
internal sealed record Faithfulness(string Contender, int Messages, int Altered, int Lost, IReadOnlyList<string> Names);

/// <summary>What came of one case.</summary>
internal sealed class CaseResult(string name)
{
    public const string FloorName = "floor";

    private readonly Dictionary<string, List<Measurement>> runs = [];

    public string Name => name;

    /// <summary>What the numbers are of, and what was counted besides time.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>What became of messages, where that is the question.</summary>
    public List<Faithfulness> Faithfulness { get; } = [];

    /// <summary>Each contender's runs, in the order they were first made.</summary>
    public IReadOnlyDictionary<string, List<Measurement>> Runs => runs;

    public void Add(string contender, Measurement measurement)
    {
        if (!runs.TryGetValue(contender, out var list))
            runs.Add(contender, list = []);
        list.Add(measurement);
    }

    /// <summary>NaN where the contender has no run.</summary>
    public double Median(string contender, Func<Measurement, double> quantity)
    {
        if (!runs.TryGetValue(contender, out var list))
            return double.NaN;
        var ordered = list.Select(quantity).Order().ToList();
        var middle = ordered.Count / 2;
        return ordered.Count % 2 == 1 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2;
    }

    public double Minimum(string contender) => runs[contender].Min(m => m.WallSeconds);
}
