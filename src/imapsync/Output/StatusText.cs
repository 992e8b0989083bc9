using System.Globalization;
using System.Text.Json.Serialization;
using Imapsync.Engine.History;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>Formats the status of jobs as text.</summary>
internal static class StatusText
{
    public static IEnumerable<string> Lines(IReadOnlyList<NamedStanding> jobs, TimeProvider time)
    {
        var width = jobs.Select(j => j.Name.Length).DefaultIfEmpty(0).Max();
        var zone = time.LocalTimeZone;
        foreach (var (name, standing, trouble) in jobs)
        {
            List<string> parts = [];
            if (trouble is not null)
                parts.Add($"UNKNOWN, the history can't be read: {trouble}");
            else if (standing.Last is { } last)
                parts.Add($"{Outcome(last)} · {Time(last.Ended ?? last.Began, zone)}");
            else
                parts.Add("never run");
            if (standing.Running is { } running)
                parts.Add($"running since {Time(running.Began, zone)}");
            if (standing is { Last: not null, IsLastGood: false })
                parts.Add(standing.LastSuccess is { Ended: { } ended } ? $"last success {Time(ended, zone)}" : "no success as yet");
            if (standing.Age is { } age && standing.IsOld)
                parts.Add($"TOO OLD, {Quantities.Duration(age)} without a success");
            if (standing.HasClockGoneBack)
                parts.Add("a run ended later than it is now: the clock has gone back, and that run does not count");
            yield return $"{name.PadRight(width)}  {string.Join(" · ", parts)}";
            foreach (var problem in standing.Last?.Problems.Take(3) ?? [])
                yield return $"  {JobText.Problem(problem)}";
        }
    }

    /// <summary>Formats the status for Nagios: a summary line, and one line for each job with a problem.</summary>
    /// <param name="badRows">The number of rows of account lists from which no job could be created.</param>
    public static IEnumerable<string> Nagios(IReadOnlyList<NamedStanding> jobs, int badRows, DateTimeOffset now)
    {
        var (old, bad) = (jobs.Where(j => j.Standing.IsOld).ToList(), jobs.Where(j => !j.Standing.IsOld && !j.Standing.IsLastGood).ToList());
        var (word, told) = old.Count > 0 ? ("CRITICAL", old) : bad.Count > 0 ? ("WARNING", bad) : (badRows > 0 ? "WARNING" : "OK", jobs);
        var text = told == jobs
            ? $"{Quantities.Count(jobs.Count, "job")} all in place"
            : string.Join(", ", told.Select(j => $"{j.Name}: {(word == "CRITICAL" ? Since(j) : j.Standing.Last is { } last ? Outcome(last) : "never run")}"));
        if (badRows > 0)
            text += $", rows that make no job: {badRows}";
        // In Nagios' output format, performance data follows the vertical bar.
        var ages = string.Join(' ', jobs.Select(j => string.Create(CultureInfo.InvariantCulture, $"'{j.Name}'={j.Standing.Age?.TotalSeconds:0}{(j.Standing.Age is null ? "U" : "s")}")));
        yield return $"IMAPSYNC {word} - {text.Replace('|', '/')} | {ages}";
        foreach (var job in old.Concat(bad).Where(j => j.Standing.Last is not null || j.Trouble is not null))
            yield return $"{job.Name}: {job.Trouble ?? string.Join("; ", job.Standing.Last!.Problems.Take(3).Select(JobText.Problem).Prepend(Outcome(job.Standing.Last)))}".Replace('|', '/');
    }

    /// <summary>Converts a history entry to a report, from which texts are formatted.</summary>
    public static JobReport Report(string job, HistoryEntry entry) => new(
        job, entry.Outcome, entry.Began, entry.Ended ?? entry.Began, entry.Totals, entry.Folders, entry.Problems, [])
    { Stop = entry.Stop };

    public static string Outcome(HistoryEntry entry) => entry switch
    {
        { Ended: null } => "KILLED, it has no end",
        { IsSuccess: true, Kind: HistoryKind.Verify } => "no difference",
        { IsSuccess: true, Kind: HistoryKind.Check } => "ok",
        _ => JobText.Outcome(Report("", entry)),
    };

    public static string Time(DateTimeOffset time, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(time, zone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private static string Since(NamedStanding job) => job.Standing.Age is { } age ? $"no success for {Quantities.Duration(age)}" : job.Trouble is null ? "no success ever" : "unknown";
}

/// <summary>The JSON document of <c>status --output json</c>. It is documented in docs/monitoring.md and must stay compatible.</summary>
/// <param name="BadRows">The errors in rows of account lists from which no job could be created.</param>
internal sealed record StatusJson(IReadOnlyList<StatusJobJson> Jobs, IReadOnlyList<string> BadRows);

/// <param name="State"><c>ok</c>; <c>bad</c> if the last run failed; <c>old</c> if there is no success, or none within --max-age.</param>
/// <param name="Error">Why the history could not be read; null if it could.</param>
internal sealed record StatusJobJson(
    string Name, string State, bool Running, DateTimeOffset? LastSuccess, double? AgeSeconds, bool ClockWentBack, StatusRunJson? LastRun, string? Error)
{
    public static StatusJobJson Of(NamedStanding job)
    {
        var standing = job.Standing;
        return new StatusJobJson(
            job.Name, standing.IsOld ? "old" : standing.IsLastGood ? "ok" : "bad", standing.Running is not null, standing.LastSuccess?.Ended,
            standing.Age?.TotalSeconds, standing.HasClockGoneBack, standing.Last is { } last ? StatusRunJson.Of(job.Name, last) : null, job.Trouble);
    }
}

/// <param name="Outcome">The outcome as in the report, or <c>killed</c>.</param>
/// <param name="Finished">Null for a killed run, which also has no exit status, totals or problems.</param>
internal sealed record StatusRunJson(
    string Outcome, DateTimeOffset Started, DateTimeOffset? Finished, int? ExitStatus, TotalsJson? Totals, int ProblemCount, IReadOnlyList<ProblemJson> Problems)
{
    public static StatusRunJson Of(string job, HistoryEntry entry)
    {
        var report = JobReportJson.Of(StatusText.Report(job, entry));
        return entry.Ended is null
            ? new StatusRunJson("killed", entry.Began, null, null, null, 0, [])
            : new StatusRunJson(
                report.Outcome, entry.Began, entry.Ended, entry.ExitStatus, report.Totals with { Folders = entry.FolderCount }, entry.ProblemCount, report.Problems);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(StatusJson))]
internal sealed partial class StatusJsonContext : JsonSerializerContext;
