using Imapsync.Engine.Stores.Limits;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Limits;

public sealed class TokenBucketTests
{
    private readonly ManualClock clock = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void What_is_taken_beyond_the_burst_is_waited_for()
    {
        var bucket = new TokenBucket(100, clock);
        Assert.True(bucket.TakeAsync(25, Token).IsCompletedSuccessfully);
        var taking = bucket.TakeAsync(50, Token);
        clock.Advance(TimeSpan.FromSeconds(0.49));
        Assert.False(taking.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(0.02));
        Assert.True(taking.IsCompletedSuccessfully);
    }

    [Fact]
    public void Takers_wait_behind_one_another()
    {
        var bucket = new TokenBucket(1, clock);
        Task[] takers = [.. Enumerable.Range(0, 4).Select(_ => bucket.TakeAsync(1, Token))];
        for (var second = 0; second < takers.Length; second++)
        {
            Assert.Equal(second + 1, takers.Count(t => t.IsCompletedSuccessfully));
            clock.Advance(TimeSpan.FromSeconds(1));
        }
    }

    [Fact]
    public void A_quiet_hour_saves_up_no_more_than_a_quarter_of_a_second()
    {
        var bucket = new TokenBucket(1000, clock);
        clock.Advance(TimeSpan.FromHours(1));
        Assert.True(bucket.TakeAsync(250, Token).IsCompletedSuccessfully);
        Assert.False(bucket.TakeAsync(1, Token).IsCompleted);
    }

    [Fact]
    public async Task A_wait_can_be_cancelled()
    {
        using var cancelling = new CancellationTokenSource();
        var taking = new TokenBucket(1, clock).TakeAsync(1_000_000_000_000, cancelling.Token);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => taking);
    }
}
