namespace Imapsync.Servers.Tests;

/// <summary>
/// The system's clock, except that the waits before a retry are shortened more than a hundredfold. Timeouts that guard against hanging keep their length.
/// </summary>
internal sealed class HastyTime : TimeProvider
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(20);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, dueTime > TimeSpan.Zero && dueTime <= LongestWait ? dueTime / 100 : dueTime, period);
}
