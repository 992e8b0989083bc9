using System.CommandLine;
using System.Text;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Checking;
using Imapsync.CommandLine.Pages;
using Imapsync.Engine.Files;
using Imapsync.Engine.History;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Reading;

namespace Imapsync.CommandLine.Commands;

/// <summary>
/// <c>imapsync report</c>: shows the history of jobs as text or as an HTML page. It connects to no server and changes nothing but the file it
/// writes.
/// </summary>
internal static class ReportCommand
{
    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("report", "Tell what became of jobs over time, from what their runs left behind: as text, or as a page for a browser.",
            ("imapsync report jobs.yaml", "Each job's runs, folders and failures."),
            ("imapsync report jobs.yaml --html /var/www/backup/mail.html", "The same as a page, with charts."),
            ("imapsync report jobs.yaml alice --html alice.html --no-scan", "One job, without looking into its backup."));
        var arguments = new JobFileArguments(command, hasOutput: false);
        var html = new Option<string>("--html") { Description = "Write a page to this file in place of text: one file, without scripts, that loads nothing.", HelpName = "FILE" };
        var noScan = new Option<bool>("--no-scan") { Description = "Do not look into Maildir and mbox backups for their biggest folders, senders and years." };
        command.Add(html);
        command.Add(noScan);
        command.SetAction((parsed, cancellationToken) => StopSignals.GuardAsync(
            surroundings.Time, (_, stop) => RunAsync(parsed, arguments, surroundings, parsed.GetValue(html), !parsed.GetValue(noScan), stop), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        ParseResult parsed, JobFileArguments arguments, HostContext surroundings, string? html, bool scans, CancellationToken stop)
    {
        try
        {
            if (html is not null)
                OutputFile.RequireWritable(html);
            var file = arguments.ReadPlaces(parsed, surroundings, stop);
            await RowReport.TellAsync(file, surroundings);
            var jobs = new List<JobStory>();
            foreach (var job in file.Jobs)
                jobs.Add(await ReadAsync(job, surroundings, scans, stop));
            if (html is not null)
                await OutputFile.WriteAsync(html, page => page.WriteAsync(new UTF8Encoding(false).GetBytes(ReportPage.Write(jobs, RowReport.Lines(file), surroundings.Time)), stop).AsTask());
            else
                jobs.ForEach(job => ReportText.Print(job, surroundings.Time, surroundings.Text));
            return ExitStatus.Of(file.BadRows);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            await surroundings.Error.WriteLineAsync(TerminalText.Escape($"{(html is null ? "the report could not be written" : $"--html {html}")}: {FileErrors.Explain(e)}"));
            return ExitStatus.Failed;
        }
    }

    private static async Task<JobStory> ReadAsync(JobDefinition job, HostContext surroundings, bool scans, CancellationToken stop)
    {
        var remarks = new List<string>();
        IReadOnlyList<HistoryEntry> entries = [];
        try
        {
            entries = await new JobHistory(job.StateDirectory, surroundings.Time).ReadAsync(stop);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            remarks.Add($"the history can't be read: {FileErrors.Explain(e)}");
        }

        var census = scans && job.Target.Place is not null && LocalTarget.DirectoryToFill(job.Target) is null ? await TakeCensusAsync(job, surroundings, remarks, stop) : null;
        var standing = JobStanding.Of(entries, surroundings.Time.GetUtcNow(), maxAge: null, JobStanding.IsAlive);
        return new JobStory(job.Name, job.Source.Display, job.Target.Display, entries, standing, census, remarks);
    }

    private static async Task<MailCensus?> TakeCensusAsync(JobDefinition job, HostContext surroundings, List<string> remarks, CancellationToken stop)
    {
        try
        {
            await using var store = await surroundings.OpenStore.OpenAsync(job.Target, new StoreContext(surroundings.Time, _ => { }), stop);
            return await MailCensus.TakeAsync(store, stop);
        }
        catch (Exception e) when (e is MailException || FileErrors.Is(e))
        {
            remarks.Add($"the target was not looked into: {e.Message}");
            return null;
        }
    }
}
