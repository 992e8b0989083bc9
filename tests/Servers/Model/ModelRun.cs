using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Stores;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Model;

/// <summary>How one run ended.</summary>
/// <param name="Counts">The run's counters; null if the process was killed before it could report.</param>
internal sealed record RunEnd(bool WasOk, string Text, FolderCounts? Counts = null);

/// <summary>Thrown for a run that did not end by itself.</summary>
internal sealed class HangException(string message) : Exception(message);

/// <summary>Runs a round's job, in this process or in a separate one, to its end or until it is killed.</summary>
internal sealed class ModelRun(JobDefinition job)
{
    /// <summary>The time after which a run counts as hanging; far longer than any run takes.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    public async Task<RunEnd> InProcessAsync(TimeProvider time, CancellationToken stop, CancellationToken abort)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(abort);
        var run = new JobRunner(time, StoreRegistry.Opener).RunAsync(job, new RunOptions(), _ => { }, stop, giveUp.Token);
        try
        {
            var report = await run.WaitAsync(Patience, TimeProvider.System, CancellationToken.None);
            var isWhole = report.Folders.All(f => f.Counts.Copied + f.Counts.AlreadyPresent + f.Counts.Skipped + f.Counts.Failed == f.Counts.SourceMessages);
            Assert.True(isWhole, $"the counts do not add up: {report.Totals}");
            return new RunEnd(report.Outcome == JobOutcome.Ok, Text(report), report.Totals);
        }
        catch (TimeoutException)
        {
            await giveUp.CancelAsync();
            throw new HangException($"the run had not ended after {Patience}");
        }
    }

    /// <param name="whenToKill">Called with the action that kills the process.</param>
    public static async Task<RunEnd> AsProcessAsync(string home, string jobFile, Dictionary<string, string> environment, Action<Action> whenToKill)
    {
        await using var process = ImapsyncProcess.Start(home, ["run", jobFile], environment);
        whenToKill(process.Kill);
        try
        {
            var result = await process.WaitAsync();
            return new RunEnd(result.Status == 0, $"process, exit status {result.Status}: {result.Error.Trim()}");
        }
        catch (TimeoutException e)
        {
            throw new HangException(e.Message);
        }
    }

    private static string Text(JobReport report) =>
        $"{report.Outcome} {report.Stop}, copied {report.Totals.Copied}, present {report.Totals.AlreadyPresent}, failed {report.Totals.Failed}, "
        + $"flags {report.Totals.FlagsUpdated}, deleted {report.Totals.Deleted}"
        + string.Concat(report.Problems.Select(p => $"\n      {p.Scope} {p.Folder} {p.Reason}: {p.Text}"))
        + string.Concat(report.Notes.Select(n => $"\n      note {n}"));
}
