namespace Imapsync.Servers.Tests.Model;

/// <summary>
/// A clock that runs sixty times as fast, so that waits and stalls cost little. On a busy machine the job may take a working connection for
/// stalled, which it must survive.
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
