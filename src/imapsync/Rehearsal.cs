using Imapsync.CommandLine.Output;
using Imapsync.Engine.Copying;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine;

/// <summary>
/// A run with nothing new that nobody asked for, while the job file is read: what a run needs is then loaded and compiled, by a core
/// that would be idle. A nightly run is mostly start; docs/performance.md tells what this takes away. Nothing waits for it or depends on it.
/// </summary>
internal static class Rehearsal
{
    /// <summary>Goes on beside the caller. With one core it would only be in the way.</summary>
    public static void Begin()
    {
        if (Environment.ProcessorCount > 1)
            _ = Task.Run(RunAsync);
    }

    internal static async Task<IReadOnlyList<JobReport>> RunAsync()
    {
        var time = TimeProvider.System;
        await using var output = new PlainLines(TextWriter.Null, time);
        var queue = new JobQueue(RehearsedJob.Runner(time).RunAsync, time, output.Show);
        var reports = await queue.RunAsync([RehearsedJob.Definition], 1, new RunOptions(), CancellationToken.None, CancellationToken.None);
        foreach (var line in Summary.Lines(reports, isDryRun: false, hasReportFile: false))
            await TextWriter.Null.WriteLineAsync(line);
        return reports;
    }
}
