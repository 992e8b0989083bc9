using System.Globalization;
using System.Text;

namespace Imapsync.Bench.Contenders;

/// <summary>This project's published program, with default settings unless stated otherwise.</summary>
/// <param name="directory">The directory for its job files.</param>
/// <param name="parallel">The number of jobs to run at once; null for the default.</param>
internal sealed record ImapsyncContender(string program, string directory, int? parallel = null) : IContender
{
    public string Name { get; init; } = "imapsync";

    /// <summary>Lines to add to the job file's <c>source:</c> section, after those that describe the source.</summary>
    public IReadOnlyList<string> SourceSettings { get; init; } = [];

    public bool Can(Transfer transfer) => true;

    public async Task<Measurement> RunAsync(IReadOnlyList<Transfer> transfers)
    {
        var text = new StringBuilder("jobs:\n");
        foreach (var transfer in transfers)
        {
            text.Append(CultureInfo.InvariantCulture, $"  - name: {transfer.Name}\n    state: {transfer.StateDirectory}\n    source:\n");
            foreach (var line in transfer.Source.JobLines.Concat(SourceSettings))
                text.Append(CultureInfo.InvariantCulture, $"      {line}\n");
            text.Append("    target:\n");
            foreach (var line in transfer.Target.JobLines)
                text.Append(CultureInfo.InvariantCulture, $"      {line}\n");
        }

        var file = Path.Combine(directory, $"job-{transfers[0].Name}.yaml");
        await File.WriteAllTextAsync(file, text.ToString());
        return await Measurement.OfProcessAsync(directory, program, ["run", file, .. parallel is { } n ? ["--parallel", $"{n}"] : Array.Empty<string>()]);
    }
}
