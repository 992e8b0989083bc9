using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Working;

namespace Imapsync.Fleet.Tests.Working;

/// <summary>
/// A worker measures an attempt's lease by two clocks of its own machine: a steady one and the time of day. It stops the attempt when
/// either clock says that the lease has expired, whatever the database does.
/// </summary>
public sealed class AccountAtWorkTests
{
    private static readonly TimeSpan HoldFor = TimeSpan.FromSeconds(17);

    private readonly SetClocks clocks = new();

    [Fact]
    public void It_holds_as_long_as_it_was_renewed_counted_from_when_that_was_sent()
    {
        using var run = Begin();
        clocks.Advance(TimeSpan.FromSeconds(10));
        var (sent, sentAt) = (clocks.GetTimestamp(), clocks.GetUtcNow());
        // The database's answer to the renewal takes six seconds to arrive. The lease counts from when the renewal was sent.
        clocks.Advance(TimeSpan.FromSeconds(6));
        run.Renew(sent, sentAt);
        clocks.Advance(TimeSpan.FromSeconds(10));
        run.Require();
        clocks.Advance(TimeSpan.FromSeconds(1));
        Assert.Throws<OperationCanceledException>(run.Require);
        Assert.True(run.Abort.IsCancellationRequested);
        Assert.Equal(EndReason.Lost, run.Reason);
        // A renewal that arrives after the lease was lost changes nothing.
        run.Renew(clocks.GetTimestamp(), clocks.GetUtcNow());
        Assert.False(run.IsHeld);
        Assert.Throws<OperationCanceledException>(run.Require);
    }

    [Fact]
    public void A_machine_that_was_suspended_and_whose_steady_clock_stood_still_is_found_out_by_the_other()
    {
        using var run = Begin();
        clocks.SetWall(TimeSpan.FromSeconds(45));
        Assert.Throws<OperationCanceledException>(run.Require);
    }

    [Fact]
    public void A_lost_lease_counts_for_more_than_what_was_asked_before()
    {
        using var run = Begin();
        run.End(EndReason.Pause);
        run.End(EndReason.Drain);
        Assert.Equal(EndReason.Pause, run.Reason);
        run.End(EndReason.Lost);
        Assert.Equal(EndReason.Lost, run.Reason);
        run.End(EndReason.Cancel);
        Assert.Equal(EndReason.Lost, run.Reason);
    }

    private AccountAtWork Begin() =>
        new(new StartedAccount(1, 1, 1, "a", "", "", 1, 1, 0, Wanted.Run), HoldFor, clocks.GetTimestamp(), clocks.GetUtcNow(), clocks);

    private sealed class SetClocks : TimeProvider
    {
        private TimeSpan steady = TimeSpan.FromDays(1);
        private DateTimeOffset wall = new(2026, 11, 28, 0, 0, 0, TimeSpan.Zero);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => (steady, wall) = (steady + by, wall + by);

        public void SetWall(TimeSpan by) => wall += by;

        public override long GetTimestamp() => steady.Ticks;

        public override DateTimeOffset GetUtcNow() => wall;
    }
}
