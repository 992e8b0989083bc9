using System.Globalization;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Tables;

namespace Imapsync.CommandLine.Output;

/// <summary>Writes <c>--report-csv</c>, with one row per job. The format is documented in docs/command-line.md and must stay compatible.</summary>
internal static class ReportCsv
{
    private static readonly string[] Columns =
    [
        "name", "outcome", "exit_status", "folders", "source_messages", "copied", "already_present", "adopted", "skipped", "failed",
        "flags_updated", "deleted", "bytes", "seconds", "problem",
    ];

    /// <param name="interrupted">See <see cref="ExitStatus.Of(JobReport, int)"/>.</param>
    public static async Task WriteAsync(Stream file, IReadOnlyList<JobReport> reports, int interrupted)
    {
        await using var csv = new CsvWriter(file);
        await csv.WriteAsync(Columns);
        foreach (var report in reports)
        {
            var t = report.Totals;
            await csv.WriteAsync(
            [
                CsvWriter.Inert(report.Name), JobReportJson.WordOf(report.Outcome), .. Numbers(ExitStatus.Of(report, interrupted), report.Folders.Length, t.SourceMessages, t.Copied, t.AlreadyPresent, t.Adopted, t.Skipped, t.Failed, t.FlagsUpdated, t.Deleted, t.Bytes),
                (report.Finished - report.Started).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture),
                CsvWriter.Inert(report.Problems.IsEmpty ? "" : JobText.Problem(report.Problems[0])),
            ]);
        }
    }

    private static IEnumerable<string> Numbers(params long[] numbers) => numbers.Select(n => n.ToString(CultureInfo.InvariantCulture));
}
