using System.Globalization;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.History;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Reading;

namespace Imapsync.CommandLine.Pages;

/// <summary>The history of jobs as one HTML page. It contains no script and loads nothing, and all untrusted text is encoded.</summary>
internal static class ReportPage
{
    private const int MaxFolders = 30, MaxRuns = 30, MaxSenders = 20, MaxMarks = 60;

    private static readonly TimeSpan Lately = TimeSpan.FromDays(30);

    /// <summary>Returns the page as HTML.</summary>
    /// <param name="badRows">The errors in rows of account lists from which no job could be created.</param>
    public static string Write(IReadOnlyList<JobStory> jobs, IReadOnlyList<string> badRows, TimeProvider time)
    {
        var page = new Html();
        var zone = time.LocalTimeZone;
        page.Raw("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
            .Raw("<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"referrer\" content=\"no-referrer\">")
            // This policy ensures that even injected markup could load and run nothing.
            .Raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">")
            .Raw("<link rel=\"icon\" href=\"data:,\"><title>imapsync report</title><style>").Raw(PageStyle.Css).Raw("</style></head><body><main>\n")
            .Raw("<header><h1>Mailboxes</h1><p class=\"dim\">").Text($"{Quantities.Count(jobs.Count, "job")} on {Environment.MachineName}, as of {Time(time.GetUtcNow(), zone)}").Raw("</p></header>\n");
        WriteBadRows(page, badRows);
        if (jobs.Count > 1)
            WriteOverview(page, jobs, zone);
        foreach (var job in jobs)
            WriteJob(page, job, zone);
        return page.Raw("</main></body></html>\n").ToString();
    }

    private static void WriteBadRows(Html page, IReadOnlyList<string> badRows)
    {
        if (badRows.Count == 0)
            return;
        page.Raw("<section><h2>Rows that make no job</h2>");
        foreach (var row in badRows)
            page.Raw("<p class=\"remark\">").Foreign(row).Raw("</p>");
        page.Raw("</section>\n");
    }

    private static void WriteOverview(Html page, IReadOnlyList<JobStory> jobs, TimeZoneInfo zone)
    {
        page.Raw("<section><div class=\"scroll\"><table><thead><tr><th>Job</th><th>State</th><th>Last run</th><th>Last success</th><th class=\"n\">Messages</th><th class=\"n\">Copied</th></tr></thead><tbody>\n");
        foreach (var job in jobs)
        {
            page.Raw($"<tr><td><a href=\"#{Anchor(job)}\">").Text(job.Name).Raw("</a></td><td>");
            WriteBadge(page, job);
            page.Raw("</td>").Element("td", job.Standing.Last is { } last ? Time(last.Ended ?? last.Began, zone) : "never")
                .Element("td", job.Standing.LastSuccess?.Ended is { } success ? Time(success, zone) : "never")
                .Element("td", job.Counted is [.., var counted] ? Quantities.Count(counted.Totals.SourceMessages) : "–", "n")
                .Element("td", Quantities.Octets(job.CopiedBytes), "n").Raw("</tr>\n");
        }

        page.Raw("</tbody></table></div></section>\n");
    }

    private static void WriteJob(Html page, JobStory job, TimeZoneInfo zone)
    {
        page.Raw($"<section id=\"{Anchor(job)}\"><h2>").Text(job.Name).Raw(" ");
        WriteBadge(page, job);
        page.Raw("</h2><p class=\"dim way\">").Foreign(job.Source).Raw(" → ").Foreign(job.Target).Raw("</p>\n");
        foreach (var remark in job.Remarks)
            page.Raw("<p class=\"remark\">").Foreign(remark).Raw("</p>");
        if (job.Entries.Count == 0)
        {
            page.Raw("<p>Nothing is known of this job: it was never run, or its state is elsewhere.</p></section>\n");
            return;
        }

        WriteFacts(page, job, zone);
        if (job.Runs.Count > 0)
            Charts.Marks(page.Raw("<p class=\"label\">The last runs, a low mark for one after which something was not in place</p>"), "The last runs", [.. job.Entries.Where(e => e.Kind == HistoryKind.Run && e != job.Standing.Running).TakeLast(MaxMarks).Select(e => e.IsSuccess)]);
        // When all runs are from one day, the labels show times instead of dates.
        Func<DateTimeOffset, string> date = job.Runs.Count > 0 && Day(job.Runs[0].Began, zone) == Day(job.Runs[^1].Began, zone) ? t => Time(t, zone) : t => Day(t, zone);
        page.Raw("<div class=\"charts\">");
        if (job.Counted.Count > 1)
            Charts.Line(page, "Messages in the source", [.. job.Counted.Select(e => (e.Began, (double)e.Totals.SourceMessages))], v => Quantities.Count((long)v), date);
        if (job.Runs.Count > 1)
        {
            var sum = 0.0;
            Charts.Line(page, "Octets copied, all together", [.. job.Runs.Select(e => (e.Began, sum += e.Totals.Bytes + e.LeftOut.Bytes))], Quantities.Octets, date);
            Charts.Bars(page, "Octets copied, when", [.. job.Runs.Select(e => (e.Began, (double)(e.Totals.Bytes + e.LeftOut.Bytes)))], Quantities.Octets, date);
        }

        page.Raw("</div>\n");
        if (job.Failed is { } failed)
            ProblemList.Write(page, failed, job.Standing.IsLastGood, zone);
        WriteFolders(page, job);
        if (job.Census is { } census)
            CensusTables.Write(page, census, MaxFolders, MaxSenders);
        WriteRuns(page, job, zone);
        page.Raw("</section>\n");
    }

    private static void WriteFacts(Html page, JobStory job, TimeZoneInfo zone)
    {
        page.Raw("<dl class=\"facts\">");
        Fact("Last run", job.Standing.Last is { } last ? StatusText.Outcome(last) : "never", job.Standing.Last is { } at ? Time(at.Ended ?? at.Began, zone) : "");
        if (job.Standing is { IsLastGood: false })
            Fact("Last success", job.Standing.LastSuccess?.Ended is { } success ? Time(success, zone) : "never", "");
        if (job.Standing.Running is { } running)
            Fact("Running since", Time(running.Began, zone), "");
        if (job.Counted is [.., var counted])
        {
            Fact("In the source", Quantities.Count(counted.Totals.SourceMessages, "message"), $"in {Quantities.Count(counted.FolderCount, "folder")}");
            if (job.Growth(Lately) is { } growth)
                Fact($"Since {Day(growth.Since, zone)}", $"{(growth.Messages < 0 ? "−" : "+")}{Quantities.Count(Math.Abs(growth.Messages), "message")}", "");
        }

        Fact("Copied so far", Quantities.Count(job.CopiedMessages, "message"), Quantities.Octets(job.CopiedBytes));
        if (job.Census is { } census)
            Fact("In the target", $"{Quantities.Count(census.Messages, "message")}{(census.IsWhole ? "" : " and more")}", Quantities.Octets(census.Bytes));
        if (job.Entries.LastOrDefault(e => e.Kind == HistoryKind.Verify && e.Ended is not null) is { } verified)
            Fact("Last verification", verified.IsSuccess ? "no difference" : $"{Quantities.Count(verified.Totals.Failed)} different", Time(verified.Ended!.Value, zone));
        page.Raw("</dl>\n");

        void Fact(string name, string words, string more)
        {
            page.Raw("<div>").Element("dt", name).Element("dd", words);
            if (more.Length > 0)
                page.Element("dd", more, "dim");
            page.Raw("</div>");
        }
    }

    private static void WriteFolders(Html page, JobStory job)
    {
        if (job.Counted is not [.., var last] || last.Folders.IsEmpty)
            return;
        var shown = last.Folders.OrderByDescending(f => f.Counts.SourceMessages).Take(MaxFolders).ToList();
        var most = Math.Max(1, shown[0].Counts.SourceMessages);
        var past = job.Counted.TakeLast(MaxMarks).ToList();
        page.Raw("<h3>Folders</h3><div class=\"scroll\"><table><thead><tr><th>Folder</th><th class=\"n\">Messages</th><th class=\"share\"></th><th>Trend</th><th class=\"n\">Not in place</th><th class=\"n\">Copied last</th></tr></thead><tbody>\n");
        foreach (var folder in shown)
        {
            page.Raw("<tr><td class=\"name\">").Foreign(folder.Source.ToString()).Raw("</td>").Element("td", Quantities.Count(folder.Counts.SourceMessages), "n");
            CensusTables.WriteShare(page, folder.Counts.SourceMessages, most);
            page.Raw("<td>");
            Charts.Spark(page, [.. past.Select(e => e.Folders.FirstOrDefault(f => f.Source.Equals(folder.Source))).OfType<FolderReport>().Select(f => (double)f.Counts.SourceMessages)]);
            page.Raw("</td>").Element("td", folder.Counts.Failed > 0 ? Quantities.Count(folder.Counts.Failed) : "–", folder.Counts.Failed > 0 ? "n bad" : "n")
                .Element("td", folder.Counts.Copied > 0 ? $"{Quantities.Count(folder.Counts.Copied)} ({Quantities.Octets(folder.Counts.Bytes)})" : "–", "n").Raw("</tr>\n");
        }

        page.Raw("</tbody></table></div>\n");
        if (last.FolderCount > shown.Count)
            page.Element("p", $"and {Quantities.Count(last.FolderCount - shown.Count, "folder")} more", "dim");
    }

    private static void WriteRuns(Html page, JobStory job, TimeZoneInfo zone)
    {
        page.Raw("<h3>What was done</h3><div class=\"scroll\"><table><thead><tr><th>When</th><th>What</th><th>Outcome</th><th class=\"n\">Copied</th><th class=\"n\">Octets</th><th class=\"n\">Took</th></tr></thead><tbody>\n");
        foreach (var entry in job.Entries.Reverse().Take(MaxRuns))
        {
            var outcome = entry == job.Standing.Running ? "running" : StatusText.Outcome(entry);
            page.Raw("<tr>").Element("td", Time(entry.Began, zone)).Element("td", entry.Kind.ToString().ToLowerInvariant())
                .Element("td", outcome + (entry.ProblemCount > 0 ? $", {Quantities.Count(entry.ProblemCount, "problem")}" : ""), entry.IsSuccess || entry == job.Standing.Running ? null : "bad")
                .Element("td", entry.Totals.Copied > 0 ? Quantities.Count(entry.Totals.Copied) : "–", "n").Element("td", entry.Totals.Bytes > 0 ? Quantities.Octets(entry.Totals.Bytes) : "–", "n")
                .Element("td", entry.Ended is { } ended ? Quantities.Duration(ended - entry.Began) : "–", "n").Raw("</tr>\n");
        }

        page.Raw("</tbody></table></div>\n");
        var left = job.Entries.Sum(e => e.LeftOut.Count) + Math.Max(0, job.Entries.Count - MaxRuns);
        if (left > 0)
            page.Element("p", $"and {Quantities.Count(left)} before", "dim");
    }

    private static void WriteBadge(Html page, JobStory job) =>
        page.Element("span", job.State, job.Standing.IsOld ? "badge old" : job.Standing.IsLastGood ? "badge ok" : "badge warn");

    /// <summary>Returns an anchor for a job. A job's name contains only letters, digits and a few characters that can't end an attribute.</summary>
    private static string Anchor(JobStory job) => "job-" + Html.Encode(job.Name);

    private static string Time(DateTimeOffset time, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(time, zone).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    private static string Day(DateTimeOffset time, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(time, zone).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
