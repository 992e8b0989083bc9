using Imapsync.CommandLine.Output;
using Imapsync.Engine.Copying;
using Imapsync.Engine.Durability;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Commands;

/// <summary>Runs jobs, shows how they get on and tells what became of them.</summary>
/// <param name="ReportPath">Where the report goes; null for none.</param>
internal sealed record JobRunning(bool DryRun, string? ReportPath, bool IsJson, int Parallel)
{
    /// <param name="load">Reads the jobs and asks for passwords, after everything else on the command line was found good.</param>
    /// <returns>The exit status.</returns>
    public async Task<int> RunAsync(
        Func<CancellationToken, Task<IReadOnlyList<JobDefinition>>> load, Surroundings surroundings, CancellationToken cancellationToken)
    {
        using var signals = new StopSignals(surroundings.Time);
        signals.Register();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(signals.Stop, cancellationToken);
        if (ReportPath is { } path && !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))))
        {
            await surroundings.Error.WriteLineAsync(TerminalText.Escape($"--report {path}: there is no such directory; create it first"));
            return ExitStatus.Usage;
        }

        IReadOnlyList<JobReport> reports;
        try
        {
            var jobs = await load(stop.Token);
            await using var output = OutputFor(IsJson, surroundings);
            signals.OnStop = () => output.Say("Stopping: what is in hand is finished and saved. Once more to drop it.");
            reports = await new JobQueue(surroundings.RunJob, surroundings.Time, output.Show)
                .RunAsync(jobs, Parallel, new RunOptions(DryRun), stop.Token, signals.Abort);
        }
        catch (OperationCanceledException)
        {
            // At the password prompt: nothing was begun.
            return signals.InterruptedStatus;
        }

        var status = ExitStatus.Worst(reports.Select(r => ExitStatus.Of(r, signals.InterruptedStatus)));
        status = ExitStatus.Worst([status, await WriteReportAsync(reports, surroundings)]);
        var summary = Task.Run(
            () =>
            {
                foreach (var line in Summary.Lines(reports, DryRun, ReportPath is not null))
                    surroundings.Error.WriteLine(line);
            },
            CancellationToken.None);
        // A pipe that nobody empties must not keep a run that is to end.
        await Task.WhenAny(summary, JobQueue.AfterAbortAsync(TimeSpan.FromSeconds(1), surroundings.Time, signals.Abort));
        return status;
    }

    private static IProgressOutput OutputFor(bool isJson, Surroundings surroundings) =>
        isJson ? new JsonLines(surroundings.Out, surroundings.Error, surroundings.Time)
        : surroundings.IsLive ? new LiveDisplay(surroundings.Error, surroundings.Time)
        : new PlainLines(surroundings.Error, surroundings.Time);

    private async Task<int> WriteReportAsync(IReadOnlyList<JobReport> reports, Surroundings surroundings)
    {
        if (ReportPath is null)
            return ExitStatus.Ok;
        try
        {
            // Not to be cancelled: an interrupted run has to tell what it did.
            await ReportFile.WriteAsync(ReportPath, reports, CancellationToken.None);
            return ExitStatus.Ok;
        }
        catch (Exception e) when (FileTrouble.Is(e))
        {
            await surroundings.Error.WriteLineAsync(TerminalText.Escape($"the report {ReportPath} could not be written: {FileTrouble.Explain(e)}"));
            return ExitStatus.Failed;
        }
    }
}
