using System.Globalization;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine;

/// <summary>How a row of an account list that makes no job is told. It has no name that is sure to be right, so its place in the list is its name.</summary>
internal static class RowReport
{
    /// <summary>The row's file and line, <c>accounts.csv:17</c>.</summary>
    public static string NameOf(BadRow row) => string.Create(CultureInfo.InvariantCulture, $"{row.Row.Table.Name}:{row.Row.Line}");

    /// <summary>What is wrong with the rows, a line for each mistake.</summary>
    public static IReadOnlyList<string> Lines(JobFile file) => [.. file.BadRows.SelectMany(r => r.Errors).Select(e => e.ToString())];

    /// <summary>Returns the rows as reports of jobs that were not begun, for what lists a job for each account.</summary>
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

    /// <summary>Tells people of the rows before the others are worked on.</summary>
    public static async Task TellAsync(JobFile file, HostContext surroundings)
    {
        foreach (var line in Lines(file))
            await surroundings.Error.WriteLineAsync(TerminalText.Escape(line));
    }

    /// <summary>Returns the events that tell programs of the rows.</summary>
    public static IEnumerable<JobEvent> Events(JobFile file, DateTimeOffset now) => Reports(file, now).Select(r => new JobFinished(r.Name, r));
}
