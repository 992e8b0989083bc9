using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Imapsync.Engine.Progress;
using Imapsync.Notifying;

namespace Imapsync.CommandLine.Output;

/// <summary>Composes the notifications about a run. Their texts are escaped and contain no secrets.</summary>
internal static class NewsText
{
    private const int MaxProblems = 20;

    /// <summary>Composes the notification that a run, or one of its jobs, has started.</summary>
    public static News OfStart(string? job, IReadOnlyList<string> jobs, DateTimeOffset now)
    {
        var headline = $"imapsync: {job ?? Names(jobs)}: begun";
        return Compose(NewsKind.Start, job, headline, [headline], new NewsJson("start", Environment.MachineName, now, 0, headline, null, []));
    }

    /// <summary>Composes the notification that a run or job has ended.</summary>
    /// <param name="job">The job's name; null for all jobs of a run.</param>
    /// <param name="statusOf">Returns a job's exit status.</param>
    /// <param name="more">Additional lines for the text.</param>
    public static News OfEnd(string? job, IReadOnlyList<JobReport> reports, int status, Func<JobReport, int> statusOf, IReadOnlyList<string> more, DateTimeOffset now)
    {
        var bad = reports.Where(r => r.Outcome != JobOutcome.Ok).ToList();
        var kind = status == ExitStatus.Ok ? NewsKind.Success : NewsKind.Failure;
        var headline = (reports, bad) switch
        {
            ([var one], _) => $"imapsync: {one.Name}: {JobText.Outcome(one)}",
            (_, []) when kind == NewsKind.Success => $"imapsync: {Quantities.Count(reports.Count, "job")} all in place",
            (_, []) => "imapsync: FAILED",
            _ => $"imapsync: {bad.Count} of {Quantities.Count(reports.Count, "job")} not in place: {Names([.. bad.Select(r => r.Name)])}",
        };
        var lines = Summary.Lines(reports, isDryRun: false, hasReportFile: false).Concat(more).ToList();
        var jobs = reports.Select(r => NewsJobJson.Of(r, statusOf(r), MaxProblems)).ToList();
        return Compose(kind, job, headline, [.. lines, "", $"exit status {status}, on {Environment.MachineName}"], new NewsJson(Word(kind), Environment.MachineName, now, status, headline, null, jobs), status);
    }

    /// <summary>Composes the notification that a run ended before any job started.</summary>
    public static News OfMistake(IReadOnlyList<string> mistakes, DateTimeOffset now)
    {
        var headline = "imapsync: NOT RUN, nothing was done";
        List<string> lines = [headline, .. mistakes.Take(MaxProblems).Select(TerminalText.Escape)];
        return Compose(
            NewsKind.Failure, null, headline, [.. lines, "", $"exit status {ExitStatus.Usage}, on {Environment.MachineName}"],
            new NewsJson("failure", Environment.MachineName, now, ExitStatus.Usage, headline, null, []), ExitStatus.Usage);
    }

    private static string Word(NewsKind kind) => kind == NewsKind.Success ? "success" : "failure";

    private static string Names(IReadOnlyList<string> jobs) =>
        string.Join(", ", jobs.Take(5)) + (jobs.Count > 5 ? $" and {jobs.Count - 5} more" : "");

    private static News Compose(NewsKind kind, string? job, string headline, IReadOnlyList<string> lines, NewsJson json, int status = 0)
    {
        headline = TerminalText.Escape(headline);
        var text = new StringBuilder();
        foreach (var line in lines)
            text.Append(line).Append('\n');
        var document = JsonSerializer.SerializeToUtf8Bytes(json with { Summary = headline, Text = text.ToString() }, NewsJsonContext.Default.NewsJson);
        return new News(kind, job, headline, text.ToString(), document, status);
    }
}

/// <summary>
/// The JSON document for webhooks and commands. It is documented in docs/monitoring.md and must stay compatible. Chat programs show its
/// <c>text</c>.
/// </summary>
internal sealed record NewsJson(string Event, string Host, DateTimeOffset Time, int ExitStatus, string Summary, string? Text, IReadOnlyList<NewsJobJson> Jobs);

/// <param name="ProblemCount">The number of all problems; <paramref name="Problems"/> contains only the first ones.</param>
internal sealed record NewsJobJson(
    string Name, string Outcome, int ExitStatus, DateTimeOffset Started, DateTimeOffset Finished, TotalsJson Totals, int ProblemCount, IReadOnlyList<ProblemJson> Problems)
{
    public static NewsJobJson Of(JobReport report, int status, int maxProblems)
    {
        var job = JobReportJson.Of(report);
        return new NewsJobJson(job.Name, job.Outcome, status, job.Started, job.Finished, job.Totals, job.Problems.Count, [.. job.Problems.Take(maxProblems)]);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(NewsJson))]
internal sealed partial class NewsJsonContext : JsonSerializerContext;
