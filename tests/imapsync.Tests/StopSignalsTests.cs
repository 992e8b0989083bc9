using System.Runtime.InteropServices;
using Imapsync.Engine.Copying;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Tests;

public sealed class StopSignalsTests
{
    [Theory]
    [InlineData(PosixSignal.SIGINT, 130)]
    [InlineData(PosixSignal.SIGTERM, 143)]
    public void The_first_signal_stops_the_second_aborts_the_third_is_not_ours(PosixSignal first, int status)
    {
        using var signals = new StopSignals();
        var told = 0;
        signals.OnStop = () => told++;

        Assert.True(signals.Receive(first));
        Assert.True(signals.Stop.IsCancellationRequested);
        Assert.False(signals.Abort.IsCancellationRequested);

        Assert.True(signals.Receive(PosixSignal.SIGINT));
        Assert.True(signals.Abort.IsCancellationRequested);
        Assert.Equal(1, told);
        Assert.Equal(status, signals.InterruptedStatus);

        Assert.False(signals.Receive(PosixSignal.SIGTERM));
    }

    [Fact]
    public async Task Jobs_that_a_stop_kept_from_starting_have_a_report()
    {
        using var stop = new CancellationTokenSource();
        var jobs = new[] { "a", "b" }.Select(n => new JobDefinition(n, new Engine.Mail.MboxEndpoint("/s"), new Engine.Mail.MboxEndpoint("/t")) { StateDirectory = "/x" }).ToList();
        var queue = new JobQueue(
            async (job, _, _, _, _) =>
            {
                await stop.CancelAsync();
                return Reports.Of(job.Name);
            },
            TimeProvider.System,
            _ => { });
        var reports = await queue.RunAsync(jobs, 1, new RunOptions(), stop.Token, CancellationToken.None);
        Assert.Equal([("a", JobOutcome.Ok), ("b", JobOutcome.Cancelled)], reports.Select(r => (r.Name, r.Outcome)));
    }
}
