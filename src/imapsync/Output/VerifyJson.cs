using System.Text.Json.Serialization;
using Imapsync.Engine.Configuration.Secrets;
using Imapsync.Engine.Verifying;

namespace Imapsync.CommandLine.Output;

/// <summary>One line of <c>verify --output json</c>. It is documented in docs/command-line.md and must stay compatible.</summary>
internal sealed record FindingJson(
    string Event, string Job, string Kind, string? Source, uint? SourceUid, string Target, uint? TargetUid, string Text, bool Information)
{
    public static FindingJson Of(Finding f) => new(
        "finding", f.Job, VerifyOutput.Word(f.Kind), f.Source?.ToString(), f.SourceUid.IsNone ? null : f.SourceUid.Value,
        f.Target.ToString(), f.TargetUid.IsNone ? null : f.TargetUid.Value, f.Text, f.IsInformation);
}

/// <summary>The last line of <c>verify --output json</c>.</summary>
/// <param name="Totals">The sum over all jobs.</param>
internal sealed record VerifySummaryJson(string Event, VerifyTotalsJson Totals, IReadOnlyList<VerifiedJobJson> Jobs);

/// <summary>The JSON document of <c>verify --report</c>.</summary>
/// <param name="Totals">The sum over all jobs.</param>
internal sealed record VerifyReportJson(VerifyTotalsJson Totals, IReadOnlyList<VerifiedJobJson> Jobs);

/// <param name="Findings">The first ten thousand findings; omitted when they were already printed.</param>
internal sealed record VerifiedJobJson(
    string Name, string Outcome, DateTimeOffset Started, DateTimeOffset Finished, VerifyTotalsJson Totals,
    IReadOnlyList<ProblemJson> Problems, IReadOnlyList<string> Notes,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<FindingJson>? Findings)
{
    public static VerifiedJobJson Of(VerifyReport report, bool withFindings)
    {
        var job = JobReportJson.Of(report.Job);
        return new VerifiedJobJson(
            job.Name, job.Outcome, job.Started, job.Finished, VerifyTotalsJson.Of(report.Counts), job.Problems, job.Notes,
            withFindings ? [.. report.Findings.Select(FindingJson.Of)] : null);
    }
}

/// <param name="Differences">The number of findings other than purely informational ones.</param>
internal sealed record VerifyTotalsJson(
    int Folders, long Messages, long Read, long Missing, long Extra, long Different, long Flags, long Date, long Unreadable, long Differences)
{
    public static VerifyTotalsJson Of(VerifyCounts c) => new(
        c.Folders, c.Messages, c.Read, c[FindingKind.Missing], c[FindingKind.Extra], c[FindingKind.Octets], c[FindingKind.Flags],
        c[FindingKind.Date], c[FindingKind.Unreadable], c.Differences);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(FindingJson))]
[JsonSerializable(typeof(VerifySummaryJson))]
[JsonSerializable(typeof(VerifyReportJson))]
internal sealed partial class VerifyJson : JsonSerializerContext;
