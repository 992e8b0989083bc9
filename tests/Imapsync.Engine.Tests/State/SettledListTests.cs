using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.State;

[Collection(nameof(MeasuresMemory))]
public sealed class SettledListTests
{
    [Fact]
    public void It_is_a_sorted_dictionary()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        var list = new SettledList();
        var model = new SortedDictionary<uint, uint>();
        for (var step = 0; step < 60_000; step++)
        {
            var source = (uint)random.Next(1, step < 30_000 ? 20_000 : 4_000);
            if (random.Next(step < 40_000 ? 5 : 2) == 0)
            {
                Assert.True(model.Remove(source) == list.Remove(new Uid(source), out _), $"seed {seed}, step {step}");
            }
            else
            {
                var known = model.TryGetValue(source, out var target);
                model[source] = (uint)step;
                Assert.True(known == list.Set(new SettledList.Entry(source, (uint)step, Settlement.Vanished, 3), out var before), $"seed {seed}, step {step}");
                Assert.True(target == before.Target, $"seed {seed}, step {step}");
            }
        }

        Assert.True(model.Count == list.Count, $"seed {seed}");
        Assert.True(model.Select(m => (m.Key, m.Value)).SequenceEqual(list.Enumerate().Select(e => (e.Source, e.Target))), $"seed {seed}");
        Assert.All(model, m => Assert.True(list.TryGet(new Uid(m.Key), out var e) && e.Target == m.Value && e.Settlement == Settlement.Vanished && e.Flags == 3));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_million_messages_take_less_than_52_MB_in_either_order(bool descending)
    {
        const uint Count = 1_000_000;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var list = new SettledList();
        for (var n = 1u; n <= Count; n++)
        {
            var source = descending ? Count + 1 - n : n;
            list.Set(new SettledList.Entry(source, source, Settlement.Copied, 0, new MessageChecksum(source, source)), out _);
        }

        var used = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.Equal((int)Count, list.Count);
        // An entry takes 20 octets. Half-empty blocks raise the measured value, and memory freed elsewhere lowers it.
        Assert.InRange(used, Count * 10, 52 * 1024 * 1024);
    }
}

/// <summary>Memory is measured for the whole process, so no other test may run at the same time.</summary>
[CollectionDefinition(nameof(MeasuresMemory), DisableParallelization = true)]
public sealed class MeasuresMemory;
