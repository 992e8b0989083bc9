namespace Imapsync.Servers.Tests.Model;

/// <summary>
/// A clock on which a minute passes in a second, so that waits before a retry and stalled connections cost little. If the test machine is
/// too busy to go on for some seconds, minutes pass on this clock, and the job may take the connection for stalled. This is one more fault
/// that it must survive.
/// </summary>
/// <param name="days">How many days the clock is ahead of the system's.</param>
internal sealed class ModelTime(int days = 0) : TimeProvider
{
    private const int Faster = 60;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddDays(days);

    public override long GetTimestamp() => System.GetTimestamp() * Faster;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        System.CreateTimer(callback, state, Shortened(dueTime), Shortened(period));

    private static TimeSpan Shortened(TimeSpan time) => time > TimeSpan.Zero ? time / Faster : time;
}
