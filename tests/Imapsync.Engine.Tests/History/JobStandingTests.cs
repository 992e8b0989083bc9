using Imapsync.Engine.History;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Tests.History;

public sealed class JobStandingTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 5, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_job_that_never_ran_is_too_old()
    {
        var standing = Of(null);
        Assert.True(standing.IsOld);
        Assert.False(standing.IsLastGood);
        Assert.Null(standing.Age);
    }

    [Theory]
    [InlineData(1, 26, false)]
    [InlineData(26, 26, false)]
    [InlineData(27, 26, true)]
    public void A_success_counts_for_as_long_as_it_was_said(int hoursAgo, int maxAge, bool isOld)
    {
        var standing = Of(maxAge, Run(hoursAgo, JobOutcome.Ok));
        Assert.Equal(isOld, standing.IsOld);
        Assert.True(standing.IsLastGood);
        Assert.Equal(TimeSpan.FromHours(hoursAgo), standing.Age);
    }

    [Theory]
    [InlineData(JobOutcome.Incomplete)]
    [InlineData(JobOutcome.Failed)]
    [InlineData(JobOutcome.Cancelled)]
    [InlineData(null)]
    public void What_is_no_success_does_not_make_a_job_younger(JobOutcome? outcome)
    {
        var standing = Of(26, Run(30, JobOutcome.Ok), outcome is { } end ? Run(1, end) : Killed(1));
        Assert.True(standing.IsOld);
        Assert.False(standing.IsLastGood);
        Assert.Equal(TimeSpan.FromHours(30), standing.Age);
    }

    [Fact]
    public void Looking_is_no_run() => Assert.True(Of(26, Run(1, JobOutcome.Ok) with { Kind = HistoryKind.Verify }, Run(1, JobOutcome.Ok) with { Kind = HistoryKind.Check }).IsOld);

    [Fact]
    public void A_run_that_goes_on_is_not_judged_and_one_that_was_killed_is()
    {
        var running = JobStanding.Of([Run(3, JobOutcome.Ok), Killed(1)], Now, null, _ => true);
        Assert.True(running.IsLastGood);
        Assert.NotNull(running.Running);
        Assert.False(Of(null, Run(3, JobOutcome.Ok), Killed(1)).IsLastGood);
    }

    [Fact]
    public void A_success_from_before_the_clock_went_back_counts_for_nothing()
    {
        var standing = Of(26, Run(-5, JobOutcome.Ok));
        Assert.True(standing.IsOld);
        Assert.False(standing.IsLastGood);
        Assert.True(standing.HasClockGoneBack);

        // A success whose recorded time is not in the future does count.
        Assert.False(Of(26, Run(2, JobOutcome.Ok), Run(-5, JobOutcome.Ok)).IsOld);
        Assert.True(Of(26, Run(30, JobOutcome.Ok), Run(-5, JobOutcome.Ok)).IsOld);

        // A clock that was set back by seconds only is tolerated, so a success 20 seconds in the future counts.
        var ahead = new HistoryEntry("x", HistoryKind.Run, Now) { Ended = Now + TimeSpan.FromSeconds(20), Outcome = JobOutcome.Ok };
        Assert.False(Of(26, ahead).IsOld);
        Assert.Equal(TimeSpan.Zero, Of(26, ahead).Age);
    }

    [Theory]
    [InlineData(JobOutcome.Ok, false, false)]
    [InlineData(JobOutcome.Incomplete, true, true)]
    [InlineData(JobOutcome.Failed, true, true)]
    [InlineData(JobOutcome.Cancelled, false, true)]
    [InlineData(null, false, true)]
    public void What_failed_and_what_is_unfinished_goes_by_the_last_run(JobOutcome? outcome, bool isFailed, bool isUnfinished)
    {
        foreach (var before in new[] { Run(30, JobOutcome.Ok), Run(30, JobOutcome.Failed), Killed(30) })
        {
            var standing = Of(null, before, outcome is { } end ? Run(1, end) : Killed(1));
            Assert.Equal((isFailed, isUnfinished), (standing.IsLastFailed, standing.IsUnfinished));
        }

        var never = Of(null);
        Assert.Equal((false, true), (never.IsLastFailed, never.IsUnfinished));
        Assert.True(JobStanding.Of([Run(3, JobOutcome.Ok), Killed(1)], Now, null, _ => true).IsUnfinished);
    }

    [Fact]
    public void A_run_that_found_the_job_locked_counts_until_the_one_that_had_it_has_ended()
    {
        var locked = Run(5, JobOutcome.Failed) with { Stop = StopReason.Locked };
        var going = new HistoryEntry("long", HistoryKind.Run, Now.AddHours(-9));
        Assert.Equal(locked, Of(null, Run(20, JobOutcome.Ok), going, locked).Last);
        Assert.True(Of(null, going with { Ended = Now.AddHours(-1), Outcome = JobOutcome.Ok }, locked).IsLastGood);
        Assert.True(Of(null, going with { Ended = Now.AddHours(-1), Outcome = JobOutcome.Incomplete }, locked) is { IsLastFailed: true, Last.Id: "long" });
        // All other runs have ended, so it is unknown which run held the lock. Then the run that found the job locked counts as the last
        // one.
        Assert.Equal(locked, Of(null, Run(20, JobOutcome.Ok), locked).Last);
    }

    [Fact]
    public void This_process_is_alive_and_one_of_another_machine_is_not_known_to_be()
    {
        var entry = new HistoryEntry("x", HistoryKind.Run, TimeProvider.System.GetUtcNow()) { Process = new HistoryProcess(Environment.ProcessId, Environment.MachineName) };
        Assert.True(JobStanding.IsAlive(entry));
        Assert.False(JobStanding.IsAlive(entry with { Process = new HistoryProcess(Environment.ProcessId, "elsewhere") }));
        Assert.False(JobStanding.IsAlive(entry with { Process = new HistoryProcess(int.MaxValue, Environment.MachineName) }));

        // The entry began long before the process that has this ID now, so the ID was reused and the entry's process is gone.
        Assert.False(JobStanding.IsAlive(entry with { Began = Now.AddYears(-20) }));
    }

    private static JobStanding Of(int? maxAgeHours, params HistoryEntry[] entries) =>
        JobStanding.Of(entries, Now, maxAgeHours is { } hours ? TimeSpan.FromHours(hours) : null, _ => false);

    private static HistoryEntry Run(int hoursAgo, JobOutcome outcome) =>
        new($"{hoursAgo}{outcome}", HistoryKind.Run, Now.AddHours(-hoursAgo - 1)) { Ended = Now.AddHours(-hoursAgo), Outcome = outcome };

    private static HistoryEntry Killed(int hoursAgo) => new($"{hoursAgo}", HistoryKind.Run, Now.AddHours(-hoursAgo));
}
