using System.Runtime.InteropServices;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>A run that is asked to stop, and a job that is started twice.</summary>
public sealed class InterruptionTests
{
    private static readonly MailboxPlan Plan = new() { Messages = 3000, AwkwardNames = true };

    [Theory]
    [InlineData(PosixSignal.SIGINT, 130)]
    [InlineData(PosixSignal.SIGTERM, 143)]
    public async Task A_signal_in_the_middle_finishes_saves_and_reports(PosixSignal signal, int status)
    {
        await using var lab = await BackupLab.StartAsync(Plan);
        await using var process = lab.Start();
        lab.Line.CallAfterFromServer(2_000_000, () => process.Signal(signal));
        var stopped = RunOutcome.Read(await process.WaitAsync(), lab.ReportFile);

        Assert.True(stopped.Status == status, stopped.ToString());
        Assert.Equal("cancelled", stopped.Outcome);
        Assert.InRange(stopped.Total("copied"), 1, 2999);
        Assert.Empty(MaildirReader.TemporaryFiles(lab.TargetDirectory));

        var next = await lab.SucceedAsync();

        // The messages that the stopped run copied are not copied again.
        Assert.Equal(stopped.Total("copied"), next.Total("already_present"));
        next.AddsUp();
        await lab.TargetEqualsSourceAsync();
    }

    [Theory]
    [InlineData(PosixSignal.SIGTERM, 1, 143)]
    [InlineData(PosixSignal.SIGINT, 2, 130)]
    public async Task On_a_line_that_is_dead_a_run_ends_saves_and_reports_when_it_is_told_to(PosixSignal signal, int times, int status)
    {
        await using var lab = await BackupLab.StartAsync(Plan);

        // The connection stalls for longer than the test waits, so only the signal can end the run.
        lab.Line.Rules = new FaultRules { StallAfterFromServer = 1_000_000 };
        var stalled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lab.Line.CallAfterFromServer(1_000_000, stalled.SetResult);
        await using var process = lab.Start();
        await stalled.Task.WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System, TestContext.Current.CancellationToken);
        process.Signal(signal);
        if (times == 2)
        {
            await process.SeesErrorAsync("Once more to drop it");
            process.Signal(signal);
        }

        var stopped = RunOutcome.Read(await process.WaitAsync(), lab.ReportFile);
        Assert.True(stopped.Status == status, stopped.ToString());
        Assert.Equal("cancelled", stopped.Outcome);
        stopped.AddsUp();
        Assert.Empty(MaildirReader.TemporaryFiles(lab.TargetDirectory));

        lab.Line.Rules = new FaultRules();
        await lab.SucceedAsync();
        await lab.TargetEqualsSourceAsync();
    }

    [Fact]
    public async Task Of_two_runs_at_once_the_second_ends_with_status_10()
    {
        await using var lab = await BackupLab.StartAsync(Plan);

        // The first run hangs in the middle of its work and holds its lock.
        lab.Line.Rules = new FaultRules { StallAfterFromServer = 1_000_000 };
        var stalled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lab.Line.CallAfterFromServer(1_000_000, stalled.SetResult);
        await using var first = lab.Start();
        await stalled.Task.WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System, TestContext.Current.CancellationToken);
        lab.Line.Rules = new FaultRules();

        var second = await lab.RunAsync();
        Assert.True(second.Status == 10, second.ToString());

        first.Kill();
        await first.WaitAsync();
        await lab.SucceedAsync();
        await lab.TargetEqualsSourceAsync();
    }
}
