namespace Imapsync.Bench;

/// <summary>How many messages a compared program (contender) altered in transit, how many it lost, and which ones.</summary>
internal sealed record Faithfulness(string Contender, int Messages, int Altered, int Lost, IReadOnlyList<string> Names);

/// <summary>The result of one case.</summary>
internal sealed class CaseResult(string name)
{
    public const string FloorName = "floor";

    private readonly Dictionary<string, List<Measurement>> runs = [];

    public string Name => name;

    /// <summary>Remarks about the measurement, and quantities counted in addition to time.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>How faithfully each contender copied messages; empty for cases that do not check it.</summary>
    public List<Faithfulness> Faithfulness { get; } = [];

    /// <summary>The runs of each contender; the contenders are in the order of their first runs.</summary>
    public IReadOnlyDictionary<string, List<Measurement>> Runs => runs;

    public void Add(string contender, Measurement measurement)
    {
        if (!runs.TryGetValue(contender, out var list))
            runs.Add(contender, list = []);
        list.Add(measurement);
    }

    /// <summary>The median of a quantity over a contender's runs; NaN if it has none.</summary>
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
