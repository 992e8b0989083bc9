namespace Imapsync.Servers.Tests;

/// <summary>
/// The system's clock, but waits of up to 20 s, as before a retry, are a hundredth as long. Longer timeouts, which guard against hanging,
/// stay as they are.
/// </summary>
internal sealed class HastyTime : TimeProvider
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(20);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, dueTime > TimeSpan.Zero && dueTime <= LongestWait ? dueTime / 100 : dueTime, period);
}
