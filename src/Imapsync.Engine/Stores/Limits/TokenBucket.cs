namespace Imapsync.Engine.Stores.Limits;

/// <summary>
/// Limits a rate to a number of units per second. A request is granted even if it exceeds the tokens in the bucket; the caller then waits until the
/// missing tokens have accrued, and later callers wait behind it. After an idle time, a fraction of a second's tokens can be used without waiting.
/// </summary>
/// <param name="perSecond">The rate; more than 0.</param>
internal sealed class TokenBucket(double perSecond, TimeProvider time)
{
    /// <summary>
    /// The most tokens that can accrue: as many as the rate yields in this many seconds. With a lower limit, tokens that accrue while
    /// octets are being transferred would be lost, and a connection would be idle more than the rate demands.
    /// </summary>
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
