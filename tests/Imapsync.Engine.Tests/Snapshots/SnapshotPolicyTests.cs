using Imapsync.Engine.Jobs;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Snapshots;

public sealed class SnapshotPolicyTests
{
    [Fact]
    public void What_is_forgotten_night_by_night_is_what_would_be_forgotten_at_the_end()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 20; round++)
        {
            var policy = new SnapshotPolicy(random.Next(9), random.Next(6), random.Next(14), random.Next(4));
            var now = new DateTimeOffset(2024, 12, 1, 2, 0, 0, TimeSpan.FromHours(1)).AddDays(random.Next(60));
            List<DateTimeOffset> kept = [], all = [];
            for (var night = 0; night < 700; night++)
            {
                // On some nights the machine is off, so the next run is several days later.
                now = now.AddDays(random.Next(10) == 0 ? 1 + random.Next(12) : 1).AddMinutes(random.Next(30));
                all.Add(now);
                kept = [.. policy.Keep([.. kept, now]).Order()];
                Assert.True(kept.SequenceEqual(policy.Keep(all).Order()), $"seed {seed}, round {round}, night {night}, {policy}");
                Assert.InRange(kept.Count, Math.Min(1, policy.Daily + policy.Weekly + policy.Monthly + policy.Yearly), policy.Daily + policy.Weekly + policy.Monthly + policy.Yearly);
                Assert.True(kept.Count == 0 || kept[^1] == now);
            }

            Assert.True(all.TakeLast(policy.Daily).All(kept.Contains), $"seed {seed}, round {round}, {policy}");
        }
    }

    [Theory]
    [InlineData(7, 4, "2026-03-01T23:59", "2026-03-02T00:00", true)]
    [InlineData(7, 4, "2026-03-02T00:00", "2026-03-02T23:59", false)]
    [InlineData(0, 4, "2026-03-02T00:00", "2026-03-08T23:59", false)]
    [InlineData(0, 4, "2026-03-08T23:59", "2026-03-09T00:00", true)]
    [InlineData(0, 0, "2026-03-08T23:59", "2026-03-31T00:00", false)]
    [InlineData(0, 0, "2026-03-31T23:59", "2026-04-01T00:00", true)]
    public void One_is_due_where_it_is_the_first_of_its_day_or_else_of_its_week_or_month(int daily, int weekly, string newest, string now, bool isDue)
    {
        var policy = new SnapshotPolicy(daily, weekly, Monthly: 12, Yearly: 0);
        Assert.Equal(isDue, policy.IsDue(DateTimeOffset.Parse(newest + "Z", null), DateTimeOffset.Parse(now + "Z", null)));
        Assert.True(policy.IsDue(null, DateTimeOffset.Parse(now + "Z", null)));
    }
}
