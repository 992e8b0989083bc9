namespace Imapsync.Engine.Tests.Copying;

/// <summary>A clock that stands still, but leaps to the end of every wait. It suits code that has one wait at a time.</summary>
internal sealed class LeapingTime : TimeProvider
{
    /// <summary>Whether the clock leaps to the end of a wait of this length. Otherwise the wait never ends.</summary>
    public Predicate<TimeSpan> LeapsOver { get; set; } = _ => true;

    private readonly Lock gate = new();
    private DateTimeOffset now = new(2026, 1, 31, 2, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
            return now;
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (!LeapsOver(dueTime))
            return System.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        lock (gate)
            now += dueTime > TimeSpan.Zero ? dueTime : TimeSpan.Zero;
        return System.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? TimeSpan.Zero : dueTime, period);
    }
}
