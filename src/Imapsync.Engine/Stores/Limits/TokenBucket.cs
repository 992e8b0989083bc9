namespace Imapsync.Engine.Stores.Limits;

/// <summary>
/// Lets so many of something through in a second. What is taken is taken at once, also more than there is; the taker then
/// waits until it is paid back, and whoever comes next waits behind it. After a quiet time a fraction of a second's worth
/// goes without waiting.
/// </summary>
/// <param name="perSecond">More than 0.</param>
internal sealed class TokenBucket(double perSecond, TimeProvider time)
{
    /// <summary>How much time's worth may be saved up. Less would leave a line idle between two waits.</summary>
    private const double BurstSeconds = 0.25;

    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly Lock gate = new();
    private readonly double full = Math.Max(1, perSecond * BurstSeconds);
    private double level = Math.Max(1, perSecond * BurstSeconds);
    private long filledAt = time.GetTimestamp();

    public double PerSecond => perSecond;

    public Task TakeAsync(double count, CancellationToken cancellationToken)
    {
        double debt;
        lock (gate)
        {
            var now = time.GetTimestamp();
            level = Math.Min(full, level + (time.GetElapsedTime(filledAt, now).TotalSeconds * perSecond)) - count;
            filledAt = now;
            debt = -level;
        }

        if (debt <= 0)
            return Task.CompletedTask;
        var seconds = debt / perSecond;
        return Task.Delay(seconds < LongestWait.TotalSeconds ? TimeSpan.FromSeconds(seconds) : LongestWait, time, cancellationToken);
    }
}
