using System.Runtime.InteropServices;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.CommandLine.Tests;

public sealed class StopSignalsTests
{
    [Theory]
    [InlineData(PosixSignal.SIGINT, 130)]
    [InlineData(PosixSignal.SIGTERM, 143)]
    public void The_first_signal_stops_the_second_aborts_the_third_is_not_ours(PosixSignal first, int status)
    {
        using var signals = new StopSignals(TimeProvider.System);
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

    [Theory]
    [InlineData(PosixSignal.SIGTERM, true)]
    [InlineData(PosixSignal.SIGINT, false)]
    public void After_SIGTERM_everything_is_dropped_when_what_is_in_hand_takes_too_long(PosixSignal signal, bool isDropped)
    {
        var clock = new ManualClock();
        using var signals = new StopSignals(clock);
        signals.Receive(signal);
        clock.Advance(StopSignals.Grace - TimeSpan.FromMilliseconds(1));
        Assert.False(signals.Abort.IsCancellationRequested);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(isDropped, signals.Abort.IsCancellationRequested);
        // The program must end within ten seconds after SIGTERM. Its own time limits leave one of these seconds unused.
        Assert.True(StopSignals.Grace + JobQueue.LastPatience <= TimeSpan.FromSeconds(9));
    }

    [Fact]
    public void Two_signals_at_the_same_instant_are_two()
    {
        using var signals = new StopSignals(TimeProvider.System);
        Parallel.For(0, 2, _ => Assert.True(signals.Receive(PosixSignal.SIGINT)));
        Assert.True(signals.Stop.IsCancellationRequested && signals.Abort.IsCancellationRequested);
        Assert.Equal(130, signals.InterruptedStatus);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_job_that_does_not_end_when_it_is_told_to_drop_everything_is_left_and_reported(bool holdsItsThread)
    {
        var clock = new ManualClock();
        using var abort = new CancellationTokenSource();
        var never = new TaskCompletionSource<JobReport>();
        var queue = new JobQueue((_, _, _, _, _) => holdsItsThread ? Task.FromResult(never.Task.GetAwaiter().GetResult()) : never.Task, clock, _ => { });
        var job = new JobDefinition("a", new Engine.Mail.MboxEndpoint("/s"), new Engine.Mail.MboxEndpoint("/t")) { StateDirectory = "/x" };
        var running = queue.RunAsync([job], 1, new RunOptions(), CancellationToken.None, abort.Token);
        await abort.CancelAsync();
        while (!running.IsCompleted)
        {
            clock.Advance(JobQueue.LastPatience);
            await Task.Yield();
        }

        var report = Assert.Single(await running);
        Assert.Equal((JobOutcome.Cancelled, "abandoned"), (report.Outcome, Assert.Single(report.Problems).Reason));
        never.SetCanceled();
    }

    [Fact]
    public async Task A_run_that_is_over_leaves_nothing_behind_until_an_abort()
    {
        using var abort = new CancellationTokenSource();
        var runs = new List<WeakReference>();
        for (var i = 0; i < 10; i++)
            runs.Add(await RunAsync());
        // Objects of a finished run may take a moment to be released.
        for (var i = 0; i < 100 && runs.Exists(r => r.IsAlive); i++)
        {
            await Task.Yield();
            GC.Collect();
        }

        Assert.InRange(runs.Count(r => r.IsAlive), 0, 1);
        Assert.False(abort.IsCancellationRequested);

        async Task<WeakReference> RunAsync()
        {
            var job = new JobDefinition("a", new Engine.Mail.MboxEndpoint("/s"), new Engine.Mail.MboxEndpoint("/t")) { StateDirectory = "/x" };
            await new JobQueue((j, _, _, _, _) => Task.FromResult(Reports.Of(j.Name)), TimeProvider.System, _ => { }).RunAsync([job], 1, new RunOptions(), CancellationToken.None, abort.Token);
            return new WeakReference(job);
        }
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
