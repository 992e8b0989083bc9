using System.Globalization;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine;

/// <summary>
/// Reports rows of an account list from which no job could be created. The file and line number serve as a row's name, because the row may
/// have no valid name.
/// </summary>
internal static class RowReport
{
    /// <summary>Returns the row's file and line: <c>accounts.csv:17</c>.</summary>
    public static string NameOf(BadRow row) => string.Create(CultureInfo.InvariantCulture, $"{row.Row.Table.Name}:{row.Row.Line}");

    /// <summary>Returns the errors in the rows, one line for each.</summary>
    public static IReadOnlyList<string> Lines(JobFile file) => [.. file.BadRows.SelectMany(r => r.Errors).Select(e => e.ToString())];

    /// <summary>
    /// Returns a report for each bad row, like that of a job that was not begun, for outputs that list one job per account.
    /// </summary>
    public static IReadOnlyList<JobReport> Reports(JobFile file, DateTimeOffset now) =>
    [
        .. file.BadRows.Select(row => new JobReport(
            NameOf(row), JobOutcome.Failed, now, now, new FolderCounts(), [],
            [.. row.Errors.Select(e => new Problem(FailureScope.Store, null, null, Reasons.Configuration, e.Message))], [])
        {
            Stop = StopReason.Configuration,
            IsNotBegun = true,
        }),
    ];

    /// <summary>Prints the rows' errors for people, before the jobs of the other rows begin.</summary>
    public static async Task TellAsync(JobFile file, HostContext surroundings)
    {
        foreach (var line in Lines(file))
            await surroundings.Error.WriteLineAsync(TerminalText.Escape(line));
    }

    /// <summary>Returns an event for each row, for programs that read the events.</summary>
    public static IEnumerable<JobEvent> Events(JobFile file, DateTimeOffset now) => Reports(file, now).Select(r => new JobFinished(r.Name, r));
}
