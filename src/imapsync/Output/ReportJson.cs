using System.Text.Json.Serialization;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>The JSON document of <c>--report</c>. It is documented in docs/command-line.md and must stay compatible.</summary>
/// <param name="Version">Changes when a member is removed or gets another meaning, but not when one is added.</param>
/// <param name="ExitStatus">The exit status of the whole run.</param>
/// <param name="Totals">The sums over all jobs.</param>
internal sealed record ReportJson(int Version, int ExitStatus, TotalsJson Totals, IReadOnlyList<JobReportJson> Jobs)
{
    /// <summary>The notifications that failed, with the reasons; omitted when there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? NotificationFailures { get; init; }

    public static ReportJson Of(IReadOnlyList<JobReport> reports, int exitStatus) =>
        new(1, exitStatus, TotalsJson.Sum([.. reports.Select(TotalsJson.Of)]), [.. reports.Select(JobReportJson.Of)]);
}

internal sealed record JobReportJson(
    string Name, string Outcome, DateTimeOffset Started, DateTimeOffset Finished, TotalsJson Totals,
    IReadOnlyList<FolderJson> Folders, IReadOnlyList<ProblemJson> Problems, IReadOnlyList<string> Notes,
    double WaitedSeconds, IReadOnlyList<WaitJson> Waits)
{
    /// <summary>Whether the run was a dry run, so that the counts say what a run would do; omitted if false.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool DryRun { get; init; }

    public static JobReportJson Of(JobReport report) => new(
        report.Name,
        WordOf(report.Outcome),
        report.Started.ToUniversalTime(), report.Finished.ToUniversalTime(), TotalsJson.Of(report),
        [.. report.Folders.Select(FolderJson.Of)], [.. report.Problems.Select(ProblemJson.Of)], report.Notes,
        report.Waited.TotalSeconds, [.. report.Waits.Select(WaitJson.Of)])
    {
        DryRun = report.IsDryRun,
    };

    public static string WordOf(JobOutcome outcome) => outcome switch
    {
        JobOutcome.Ok => "ok",
        JobOutcome.Incomplete => "incomplete",
        JobOutcome.Cancelled => "cancelled",
        _ => "failed",
    };
}

internal sealed record TotalsJson(
    int Folders, long SourceMessages, long Copied, long AlreadyPresent, long Adopted, long Skipped, long Failed,
    long FlagsUpdated, long Deleted, long Bytes)
{
    public static TotalsJson Of(JobReport r) => new(
        r.Folders.Length, r.Totals.SourceMessages, r.Totals.Copied, r.Totals.AlreadyPresent, r.Totals.Adopted, r.Totals.Skipped,
        r.Totals.Failed, r.Totals.FlagsUpdated, r.Totals.Deleted, r.Totals.Bytes);

    public static TotalsJson Sum(IReadOnlyList<TotalsJson> all) => new(
        all.Sum(t => t.Folders), all.Sum(t => t.SourceMessages), all.Sum(t => t.Copied), all.Sum(t => t.AlreadyPresent), all.Sum(t => t.Adopted), all.Sum(t => t.Skipped),
        all.Sum(t => t.Failed), all.Sum(t => t.FlagsUpdated), all.Sum(t => t.Deleted), all.Sum(t => t.Bytes));
}

internal sealed record FolderJson(
    string Source, string Target, long SourceMessages, long Copied, long AlreadyPresent, long Adopted, long Skipped, long Failed,
    long FlagsUpdated, long Deleted, long Bytes)
{
    public static FolderJson Of(FolderReport f) => new(
        f.Source.ToString(), f.Target.ToString(), f.Counts.SourceMessages, f.Counts.Copied, f.Counts.AlreadyPresent, f.Counts.Adopted,
        f.Counts.Skipped, f.Counts.Failed, f.Counts.FlagsUpdated, f.Counts.Deleted, f.Counts.Bytes);
}

internal sealed record WaitJson(string Reason, double Seconds, DateTimeOffset Until)
{
    public static WaitJson Of(Wait w) => new(w.Reason, w.Delay.TotalSeconds, w.Until.ToUniversalTime());
}

/// <param name="Folder">The folder; null when the problem concerns the whole store. The UID is null when it concerns the whole folder.</param>
internal sealed record ProblemJson(string Scope, string? Folder, uint? Uid, string Reason, string Text, EnvelopeJson? Envelope)
{
    public static ProblemJson Of(Problem p) =>
        new(p.Scope.ToString().ToLowerInvariant(), p.Folder?.ToString(), p.Uid, p.Reason, p.Text, EnvelopeJson.Of(p.Envelope));
}

/// <summary>The message's decoded header fields; each is null when the header does not contain it.</summary>
internal sealed record EnvelopeJson(string? From, string? Subject, DateTimeOffset? Date)
{
    public static EnvelopeJson? Of(Envelope? e) => e is null ? null : new(e.From, e.Subject, e.Date);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(ReportJson))]
[JsonSerializable(typeof(CheckJson))]
[JsonSerializable(typeof(MappingJson))]
[JsonSerializable(typeof(SnapshotsJson))]
[JsonSerializable(typeof(ProvidersJson))]
internal sealed partial class DocumentJson : JsonSerializerContext;
