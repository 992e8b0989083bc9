using Imapsync.CommandLine.Output;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Commands;

/// <summary>Runs jobs, shows how they get on and tells what became of them.</summary>
/// <param name="ReportPath">Where the report goes; null for none.</param>
internal sealed record JobRunning(bool DryRun, string? ReportPath, bool IsJson, int Parallel)
{
    /// <summary>See <see cref="RunOptions.Heal"/>.</summary>
    public bool Heal { get; init; }

    /// <summary>Where the report goes as CSV; null for none.</summary>
    public string? ReportCsvPath { get; init; }

    /// <param name="load">Reads the jobs and asks for passwords, after everything else on the command line was found good.</param>
    /// <returns>The exit status.</returns>
    public Task<int> RunAsync(
        Func<CancellationToken, Task<IReadOnlyList<JobDefinition>>> load, HostContext surroundings, CancellationToken cancellationToken) =>
        StopSignals.GuardAsync(surroundings.Time, (signals, stop) => RunAsync(load, surroundings, signals, stop), cancellationToken);

    private async Task<int> RunAsync(
        Func<CancellationToken, Task<IReadOnlyList<JobDefinition>>> load, HostContext surroundings, StopSignals signals, CancellationToken stop)
    {
        if (!await ReportFile.MayBeWrittenAsync(ReportPath, surroundings.Error) || !await ReportFile.MayBeWrittenAsync(ReportCsvPath, surroundings.Error, "--report-csv"))
            return ExitStatus.Usage;
        var (reports, isTold) = await RunAllAsync(await load(stop), surroundings, signals, stop);
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
        return status;
    }

    private async Task<(IReadOnlyList<JobReport> Reports, Func<string, int, bool> IsTold)> RunAllAsync(
        IReadOnlyList<JobDefinition> jobs, HostContext surroundings, StopSignals signals, CancellationToken stop)
    {
        await using var output = OutputFor(IsJson, surroundings, jobs.Count);
        signals.OnStop = () => output.Say("Stopping: what is in hand is finished and saved. Once more to drop it.");
        var reports = await new JobQueue(surroundings.RunJob, surroundings.Time, output.Show).RunAsync(jobs, Parallel, new RunOptions(DryRun, Heal), stop, signals.Abort);
        return (reports, output.HasJustTold);
    }

    private static IProgressOutput OutputFor(bool isJson, HostContext surroundings, int jobs) =>
        isJson ? new JsonLines(surroundings.Out, surroundings.Error, surroundings.Time)
        : surroundings.IsLive && !surroundings.Trace.IsOnScreen ? new LiveDisplay(surroundings.Error, surroundings.Time, jobs)
        : new PlainLines(surroundings.Error, surroundings.Time);
}
