namespace Imapsync.Servers.Tests;

/// <summary>The machine's time, but waits before a new try are over a hundred times as soon. What guards against hanging keeps its patience.</summary>
internal sealed class HastyTime : TimeProvider
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(20);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, dueTime > TimeSpan.Zero && dueTime <= LongestWait ? dueTime / 100 : dueTime, period);
}
