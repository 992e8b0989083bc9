using System.Collections.Concurrent;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.History;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Commands;

/// <summary>Runs jobs, shows their progress and reports their results.</summary>
/// <param name="ReportPath">The path of the report; null for none.</param>
internal sealed record JobRunning(bool DryRun, string? ReportPath, bool IsJson, int Parallel)
{
    /// <summary>With more jobs than this, the end of the run does not say where each job's mail is, since that would fill the screen.</summary>
    private const int MostPlaces = 5;

    /// <summary>How long the end of a run waits for the telemetry collector, normally and after a stop.</summary>
    private static readonly TimeSpan TelemetryPatience = TimeSpan.FromSeconds(5), TelemetryPatienceWhenStopped = TimeSpan.FromSeconds(2);

    /// <summary>Whether to copy missing messages again; see <see cref="RunOptions.Heal"/>.</summary>
    public bool Heal { get; init; }

    public LogSettings Log { get; init; } = new(null, null);

    /// <summary>The path of the file for Prometheus metrics; null for the path in the job file.</summary>
    public string? MetricsPath { get; init; }

    /// <summary>Returns the recipients to notify when the jobs can't be read.</summary>
    public Func<IReadOnlyList<Notice>> NoticesOfMistakes { get; init; } = () => [];

    /// <summary>The path of the report as CSV; null for none.</summary>
    public string? ReportCsvPath { get; init; }

    /// <summary>Runs the jobs.</summary>
    /// <param name="load">Reads the jobs and asks for passwords, once the rest of the command line is known to be valid.</param>
    /// <returns>The exit status.</returns>
    public Task<int> RunAsync(
        Func<HostContext, CancellationToken, Task<JobFile>> load, HostContext surroundings, CancellationToken cancellationToken) =>
        Log.RunAsync(surroundings, logged => StopSignals.GuardAsync(logged.Time, (signals, stop) => RunAsync(c => load(logged, c), logged, signals, stop), cancellationToken));

    private async Task<int> RunAsync(
        Func<CancellationToken, Task<JobFile>> load, HostContext surroundings, StopSignals signals, CancellationToken stop)
    {
        if (!await ReportFile.MayBeWrittenAsync(ReportPath, surroundings.Error) || !await ReportFile.MayBeWrittenAsync(ReportCsvPath, surroundings.Error, "--report-csv"))
        {
            await TellMistakeAsync(surroundings, signals, [$"the report {ReportPath ?? ReportCsvPath} can't be written"]);
            return ExitStatus.Usage;
        }

        JobFile file;
        try
        {
            file = await load(stop);
        }
        catch (ConfigurationException e)
        {
            await TellMistakeAsync(surroundings, signals, [.. e.Errors.Select(error => error.ToString())]);
            throw;
        }

        // A dry run sends no notifications.
        var notices = new RunNotices(surroundings, DryRun ? new JobFile([], []) : file, signals, r => ExitStatus.Of(r, signals.InterruptedStatus));
        var events = surroundings.ShowEvents(IsJson, file.Jobs.Length);
        notices.Say = events.Say;
        await notices.BeginAsync(CancellationToken.None);
        var telemetry = DryRun ? null : TelemetryExport.Start(surroundings.Environment, text => notices.Say(text));
        var now = surroundings.Time.GetUtcNow();
        // When the file was read, the bad CSV rows were printed for people. Programs get these errors here, as events.
        foreach (var row in IsJson ? RowReport.Events(file, now) : [])
            events.Show(row);
        IReadOnlyList<JobReport> reports = [.. RowReport.Reports(file, now), .. await RunJobsAsync(file, notices, events, surroundings, signals, stop)];

        // Write report files and begin to send notifications before showing the summary, because a terminal
        // or pipe that nobody reads may block.
        var late = new ConcurrentQueue<string>();
        using var errors = new StringWriter();
        notices.Say = late.Enqueue;
        var status = ExitStatus.Worst(reports.Select(r => ExitStatus.Of(r, signals.InterruptedStatus)));
        status = ExitStatus.Worst([status, await ReportFile.TryWriteAsync(ReportCsvPath, file => ReportCsv.WriteAsync(file, reports, signals.InterruptedStatus), errors)]);
        // Write the JSON report after the CSV report. It contains the exit status, which changes if the CSV report can't be written.
        status = ExitStatus.Worst([status, await ReportFile.TryWriteAsync(ReportPath, ReportJson.Of(reports, status), DocumentJson.Default.ReportJson, errors)]);
        // Metrics, telemetry and notifications run on a thread-pool thread. After an abort the wait for them is
        // limited, because a disk may hang.
        var telling = DryRun ? Task.CompletedTask : Task.Run(() => TellAsync(file, notices, telemetry, reports, status, surroundings, late.Enqueue, stop), CancellationToken.None);
        var complaints = errors.ToString();
        var showing = Task.Run(() => ShowEndAsync(events, complaints, file.Jobs, reports, surroundings), CancellationToken.None);
        await UnlessAbortedAsync(showing, TimeSpan.FromSeconds(1));
        await UnlessAbortedAsync(telling, TimeSpan.FromSeconds(2));
        await UnlessAbortedAsync(Task.Run(() => SayAll(late, surroundings.Error), CancellationToken.None), TimeSpan.FromSeconds(1));
        return status;

        Task UnlessAbortedAsync(Task task, TimeSpan patience) => Task.WhenAny(task, JobQueue.AfterAbortAsync(patience, surroundings.Time, signals.Abort)).Unwrap();
    }

    private async Task ShowEndAsync(EventFeed events, string errors, IReadOnlyList<JobDefinition> jobs, IReadOnlyList<JobReport> reports, HostContext surroundings)
    {
        await events.CompleteAsync();
        await events.DisposeAsync();
        if (errors.Length > 0)
            await surroundings.Error.WriteAsync(errors);
        foreach (var line in Summary.Lines(reports, DryRun, ReportPath is not null, events.HasJustTold, surroundings.HasColour))
            await surroundings.Aside.WriteLineAsync(line);
        if (surroundings.IsQuiet)
        {
            foreach (var line in Summary.Lines(reports, DryRun, ReportPath is not null, events.HasJustTold, surroundings.HasColour, onlyProblems: true))
                await (surroundings.Screen ?? surroundings.Error).WriteLineAsync(line);
            return;
        }

        // A log already contains the locations of the jobs' mail. Only a live table on the terminal has not shown them.
        if (!surroundings.IsLive || DryRun || reports.Count > MostPlaces)
            return;
        foreach (var report in reports.Where(r => r.Outcome is JobOutcome.Ok && r.Totals.Copied > 0))
            await surroundings.Error.WriteLineAsync(TerminalText.Escape($"The mail of {report.Name} is in {jobs.First(j => j.Name == report.Name).Target.Display}"));
    }

    private static void SayAll(ConcurrentQueue<string> words, TextWriter error)
    {
        while (words.TryDequeue(out var word))
            error.WriteLine(TerminalText.Escape(word));
    }

    private async Task TellAsync(
        JobFile file, RunNotices notices, TelemetryExport? telemetry, IReadOnlyList<JobReport> reports, int status, HostContext surroundings, Action<string> say, CancellationToken stop)
    {
        await Task.WhenAll(
            Task.Run(() => WriteMetricsAsync(file, surroundings, say), CancellationToken.None),
            telemetry?.EndAsync(() => StandingsAsync(file, surroundings), stop.IsCancellationRequested ? TelemetryPatienceWhenStopped : TelemetryPatience, surroundings.Time) ?? Task.CompletedTask,
            notices.EndAsync(reports, status));
        // The report was written before the notifications were sent, so that a slow one can't delay the report. Write it again with the
        // failed notifications, but only to an ordinary file, because a pipe or device can't be written twice.
        if (notices.Failures is { Count: > 0 } failures && ReportPath is not null && Engine.Files.OutputFile.WouldReplace(ReportPath))
        {
            using var errors = new StringWriter();
            await ReportFile.TryWriteAsync(ReportPath, ReportJson.Of(reports, status) with { NotificationFailures = failures }, DocumentJson.Default.ReportJson, errors);
            if (errors.ToString().Trim() is { Length: > 0 } error)
                say(error);
        }
    }

    private async Task WriteMetricsAsync(JobFile file, HostContext surroundings, Action<string> say)
    {
        if ((MetricsPath ?? file.MetricsFile) is { } metrics)
            await MetricsText.TryWriteAsync(metrics, await StandingsAsync(file, surroundings), say);
    }

    private static Task<IReadOnlyList<NamedStanding>> StandingsAsync(JobFile file, HostContext surroundings) =>
        NamedStanding.ReadAsync(file.Places, maxAge: null, surroundings.Time, CancellationToken.None);

    private async Task TellMistakeAsync(HostContext surroundings, StopSignals signals, IReadOnlyList<string> mistakes)
    {
        if (!DryRun)
            await RunNotices.TellMistakeAsync(surroundings, NoticesOfMistakes(), mistakes, signals);
    }

    private async Task<IReadOnlyList<JobReport>> RunJobsAsync(
        JobFile file, RunNotices notices, EventFeed events, HostContext surroundings, StopSignals signals, CancellationToken stop)
    {
        if (!surroundings.IsQuiet)
            signals.OnStop = () => events.Say("Stopping: what is in hand is finished and saved. Once more to drop it.");
        var histories = file.Jobs.ToDictionary(j => j.Name, j => new HistoryKeeping(surroundings, j, HistoryKind.Run, !DryRun, events.Say), StringComparer.Ordinal);
        var queue = new JobQueue(surroundings.RunJob, surroundings.Time, events.Show)
        {
            OnBegin = async job =>
            {
                await notices.BeginAsync(job);
                await histories[job.Name].BeginAsync();
            },
            OnEnd = async (job, report) =>
            {
                await histories[job.Name].EndAsync(begun => begun.End(report, ExitStatus.Of(report, signals.InterruptedStatus)));
                await notices.EndAsync(job, report);
                if (!DryRun && (report.Outcome is JobOutcome.Ok or JobOutcome.Incomplete))
                    await IndexKeeping.UpdateAsync(job, surroundings, events.Say, stop);
            },
        };
        return await queue.RunAsync(file.Jobs, Parallel, new RunOptions(DryRun, Heal), stop, signals.Abort);
    }
}
