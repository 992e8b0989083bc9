namespace Imapsync.Servers.Tests.World;

/// <summary>A night's clock: so many days from today, and a minute on it is over in a second.</summary>
internal sealed class WorldTime(int days) : TimeProvider
{
    private const int Faster = 60;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddDays(days);

    public override long GetTimestamp() => System.GetTimestamp() * Faster;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        System.CreateTimer(callback, state, Shortened(dueTime), Shortened(period));

    private static TimeSpan Shortened(TimeSpan time) => time > TimeSpan.Zero ? time / Faster : time;
}
