using Imapsync.Engine.Discovery;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Discovery;

/// <summary>The order of SRV records according to RFC 2782.</summary>
public sealed class ServiceRecordOrderTests
{
    [Fact]
    public void Among_equals_the_weight_is_the_share_of_times_one_is_first()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        ServiceRecord[] records = [new(5, 10, "ten", 993, false), new(5, 90, "ninety", 993, false), new(5, 0, "none", 993, false)];
        var first = Enumerable.Range(0, 10_000).Select(_ => ServiceRecords.Order(records, random)[0].Host).CountBy(h => h).ToDictionary();
        // Of 10,000 orders, 9,000 should begin with this record; the standard deviation is 30, so no seed deviates this far by chance.
        Assert.True(first["ninety"] is > 8_600 and < 9_400, $"{first["ninety"]} (seed {seed})");
        Assert.True(first["ten"] is > 700 and < 1_300, $"{first["ten"]} (seed {seed})");
    }

    [Fact]
    public void Every_record_is_in_the_order_once_and_priorities_ascend()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 500; round++)
        {
            var records = Enumerable.Range(0, random.Next(1, 12)).Select(i => new ServiceRecord(random.Next(3), random.Next(3) * 100, $"h{i}", 993, random.Next(2) == 0)).ToList();
            var order = ServiceRecords.Order(records, random);
            Assert.True(order.ToHashSet().SetEquals(records) && order.Count == records.Count, $"seed {seed}");
            Assert.True(order.Zip(order.Skip(1)).All(p => p.First.Priority < p.Second.Priority || (p.First.Priority == p.Second.Priority && (!p.First.UsesStartTls || p.Second.UsesStartTls))), $"seed {seed}");
        }
    }
}
