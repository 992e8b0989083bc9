using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.History;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Commands;

/// <summary>Runs jobs, shows how they get on and tells what became of them.</summary>
/// <param name="ReportPath">Where the report goes; null for none.</param>
internal sealed record JobRunning(bool DryRun, string? ReportPath, bool IsJson, int Parallel)
{
    /// <summary>See <see cref="RunOptions.Heal"/>.</summary>
    public bool Heal { get; init; }

    public LogSettings Log { get; init; } = new(null, null);

    /// <summary>Where the figures for Prometheus go, in place of what the job file says.</summary>
    public string? MetricsPath { get; init; }

    /// <summary>Who is to be told where the jobs can't even be read.</summary>
    public Func<IReadOnlyList<Notice>> NoticesOfMistakes { get; init; } = () => [];

    /// <summary>Where the report goes as CSV; null for none.</summary>
    public string? ReportCsvPath { get; init; }

    /// <param name="load">Reads the jobs and asks for passwords, after everything else on the command line was found good.</param>
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

        // A dry run is nobody's news.
        var notices = new RunNotices(surroundings, DryRun ? new JobFile([], []) : file, signals, r => ExitStatus.Of(r, signals.InterruptedStatus));
        await notices.BeginAsync(CancellationToken.None);
        var (reports, isTold) = await RunAllAsync(file, notices, surroundings, signals, stop);
        var status = ExitStatus.Worst(reports.Select(r => ExitStatus.Of(r, signals.InterruptedStatus)));
        status = ExitStatus.Worst([status, await ReportFile.TryWriteAsync(ReportPath, ReportJson.Of(reports), DocumentJson.Default.ReportJson, surroundings.Error)]);
        status = ExitStatus.Worst([status, await ReportFile.TryWriteAsync(ReportCsvPath, file => ReportCsv.WriteAsync(file, reports, signals.InterruptedStatus), surroundings.Error)]);
        var summary = Task.Run(
            () =>
            {
                foreach (var line in Summary.Lines(reports, DryRun, ReportPath is not null, isTold, surroundings.HasColour))
                    surroundings.Error.WriteLine(line);
            },
            CancellationToken.None);
        // A pipe that nobody empties must not keep a run that is to end.
        await Task.WhenAny(summary, JobQueue.AfterAbortAsync(TimeSpan.FromSeconds(1), surroundings.Time, signals.Abort));
        // Nor must a disk that does not answer.
        if (!DryRun)
            await Task.WhenAny(Task.Run(() => TellAsync(file, notices, reports, status, surroundings), CancellationToken.None), JobQueue.AfterAbortAsync(TimeSpan.FromSeconds(2), surroundings.Time, signals.Abort)).Unwrap();
        return status;
    }

    private async Task TellAsync(JobFile file, RunNotices notices, IReadOnlyList<JobReport> reports, int status, HostContext surroundings)
    {
        if ((MetricsPath ?? file.MetricsFile) is { } metrics)
        {
            var standings = await NamedStanding.ReadAsync(file.Places, maxAge: null, surroundings.Time, CancellationToken.None);
            await MetricsText.TryWriteAsync(metrics, standings, text => surroundings.Error.WriteLine(TerminalText.Escape(text)));
        }

        await notices.EndAsync(reports, status);
        // Written already, so that no notification that hangs can keep it back; what is no ordinary file is not written twice.
        if (notices.Failures is { Count: > 0 } failures && ReportPath is not null && Engine.Files.OutputFile.WouldReplace(ReportPath))
            await ReportFile.TryWriteAsync(ReportPath, ReportJson.Of(reports) with { NotificationFailures = failures }, DocumentJson.Default.ReportJson, surroundings.Error);
    }

    private async Task TellMistakeAsync(HostContext surroundings, StopSignals signals, IReadOnlyList<string> mistakes)
    {
        if (!DryRun)
            await RunNotices.TellMistakeAsync(surroundings, NoticesOfMistakes(), mistakes, signals);
    }

    private async Task<(IReadOnlyList<JobReport> Reports, Func<string, int, bool> IsTold)> RunAllAsync(
        JobFile file, RunNotices notices, HostContext surroundings, StopSignals signals, CancellationToken stop)
    {
        await using var events = surroundings.ShowEvents(IsJson, file.Jobs.Length);
        signals.OnStop = () => events.Say("Stopping: what is in hand is finished and saved. Once more to drop it.");
        var sayPlainly = notices.Say;
        notices.Say = events.Say;
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
            },
        };
        var reports = await queue.RunAsync(file.Jobs, Parallel, new RunOptions(DryRun, Heal), stop, signals.Abort);
        notices.Say = sayPlainly;
        // All that is to be read is shown, unless nobody reads and the run is to end.
        await Task.WhenAny(events.CompleteAsync(), JobQueue.AfterAbortAsync(TimeSpan.FromSeconds(1), surroundings.Time, signals.Abort));
        return (reports, events.HasJustTold);
    }
}
