using Imapsync.Engine.Watching;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Watching;

public sealed class RemovedLatelyTests
{
    private readonly TwoClocks time = new();

    [Fact]
    public void What_was_removed_counts_for_a_whole_day_whenever_in_a_step_it_was()
    {
        var random = new Random(5);
        var removed = new RemovedLately(time);
        var all = new List<(TimeSpan At, long Count)>();
        for (var now = TimeSpan.Zero; now < TimeSpan.FromDays(5);)
        {
            var step = TimeSpan.FromSeconds(random.Next(3600));
            time.Advance(step);
            now += step;
            var lately = all.Where(r => now - r.At <= TimeSpan.FromDays(1)).Sum(r => r.Count);
            var atMost = all.Where(r => now - r.At <= TimeSpan.FromDays(1) + TimeSpan.FromMinutes(10)).Sum(r => r.Count);
            Assert.InRange(removed.Count, lately, atMost);
            all.Add((now, random.Next(3)));
            removed.Add(all[^1].Count);
        }
    }

    [Fact]
    public void A_clock_that_is_set_lets_nothing_be_forgotten()
    {
        var removed = new RemovedLately(time);
        removed.Add(7);
        time.Skew = TimeSpan.FromDays(30);
        Assert.Equal(7, removed.Count);
        time.Skew = -TimeSpan.FromDays(30);
        removed.Add(1);
        time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(8, removed.Count);
        time.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal(0, removed.Count);
    }

    /// <summary>A time provider whose wall clock can be set independently of its timestamps.</summary>
    private sealed class TwoClocks : TimeProvider
    {
        private readonly ManualClock clock = new();

        public TimeSpan Skew { get; set; }

        public override long TimestampFrequency => clock.TimestampFrequency;

        public void Advance(TimeSpan time) => clock.Advance(time);

        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow() + Skew;

        public override long GetTimestamp() => clock.GetTimestamp();
    }
}
