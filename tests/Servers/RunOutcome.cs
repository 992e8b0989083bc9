using System.Text.Json;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>A run's exit status, its output, and its <c>--report</c>.</summary>
public sealed class RunOutcome
{
    private readonly ImapsyncResult result;
    private readonly JsonElement? job;

    private RunOutcome(ImapsyncResult result, JsonElement? job)
    {
        this.result = result;
        this.job = job;
    }

    public int Status => result.Status;

    public string Output => result.Output;

    public string Error => result.Error;

    public long PeakResidentKiB => result.PeakResidentKiB;

    public bool HasReport => job is not null;

    /// <summary>The report's only job.</summary>
    public JsonElement Job => job ?? throw new InvalidOperationException("no report was written\n" + result);

    public string Outcome => Job.GetProperty("outcome").GetString()!;

    /// <summary>The reason and text of each problem.</summary>
    public IReadOnlyList<string> Problems =>
        [.. Job.GetProperty("problems").EnumerateArray().Select(p => $"{p.GetProperty("reason").GetString()}: {p.GetProperty("text").GetString()}")];

    public static RunOutcome Read(ImapsyncResult result, string reportFile)
    {
        if (!File.Exists(reportFile))
            return new RunOutcome(result, null);
        using var document = JsonDocument.Parse(File.ReadAllText(reportFile));
        return new RunOutcome(result, document.RootElement.GetProperty("jobs")[0].Clone());
    }

    /// <summary>A total by its name in the report.</summary>
    public long Total(string counter) => Job.GetProperty("totals").GetProperty(counter).GetInt64();

    /// <summary>The whole report and everything the run printed, to search for words.</summary>
    public string Everything => $"{result}\n{(job is { } j ? j.GetRawText() : "")}";

    /// <summary>Asserts that every message of the source is accounted for.</summary>
    public void AddsUp()
    {
        var sum = Total("copied") + Total("already_present") + Total("skipped") + Total("failed");
        Assert.True(sum == Total("source_messages"), $"{sum} of {Total("source_messages")} accounted for\n{Everything}");
    }

    public override string ToString() => Everything;
}
