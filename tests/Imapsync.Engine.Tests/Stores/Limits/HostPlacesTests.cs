using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Limits;

namespace Imapsync.Engine.Tests.Stores.Limits;

/// <summary>
/// Jobs share connections to hosts. A host's limit is never exceeded, no job waits for ever, and jobs return lent connections.
/// </summary>
public sealed class HostPlacesTests
{
    private readonly HostPlaces places = new();
    private readonly List<string> waits = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_is_let_in_with_a_connection_for_each_side_or_waits_and_is_told_why()
    {
        var first = await EnterAsync("old", "new");
        var second = EnterAsync("old", "new");
        Assert.False(second.IsCompleted);
        Assert.Equal(["all connections to new are in use (1 of 1); other jobs have them"], waits);
        // Jobs behind the waiting one: the third needs another host and may start; the fourth needs the same host and may not.
        using var third = await EnterAsync("else", null);
        var fourth = EnterAsync(null, "new");
        first.Dispose();
        using (await second)
            Assert.False(fourth.IsCompleted);
        using (await fourth)
            Assert.Equal(2, waits.Count);
    }

    [Fact]
    public async Task A_job_with_both_sides_on_one_host_takes_two_connections_of_it_at_once()
    {
        using var first = await EnterAsync("two", "two");
        var second = EnterAsync("two", null);
        Assert.False(second.IsCompleted);
        first.Dispose();
        (await second).Dispose();
        var failure = await Assert.ThrowsAsync<MailException>(() => EnterAsync("new", "new"));
        Assert.Equal(("'connections' of new is 1, and a job between two accounts there needs 2", FailureKind.Configuration), (failure.Message, failure.Kind));
    }

    [Fact]
    public async Task Who_gives_up_waiting_leaves_the_queue_to_others()
    {
        var first = await EnterAsync("new", null);
        using var giveUp = new CancellationTokenSource();
        var second = places.EnterAsync(Limits("new"), null, waits.Add, giveUp.Token);
        var third = EnterAsync("new", null);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        first.Dispose();
        (await third).Dispose();
    }

    [Fact]
    public async Task What_is_to_spare_is_lent_evenly_and_wanted_back_for_who_comes()
    {
        using var rich = await EnterAsync("four", null);
        using var poor = await EnterAsync("four", null);
        var (asked, offered) = (0, 0);
        rich.Source!.OnWanted = () => asked++;
        poor.Source!.OnSpare = () => offered++;
        Assert.True(rich.Source.TryTake());
        Assert.True(rich.Source.TryTake());
        Assert.False(poor.Source.TryTake());
        Assert.Equal((1, true), (asked, rich.Source.IsWanted));
        rich.Source.GiveBack();
        Assert.Equal(1, offered);
        Assert.True(poor.Source.TryTake());
        Assert.False(rich.Source.IsWanted);

        var third = EnterAsync("four", null);
        Assert.Equal(2, asked);
        Assert.True(rich.Source.IsWanted);
        // A returned connection goes first to a job that has no connection at all.
        rich.Source.GiveBack();
        (await third).Dispose();
        // A job always keeps one connection, so giving back the last one has no effect.
        rich.Source.GiveBack();
        rich.Source.GiveBack();
        Assert.True(rich.Source.TryTake());
        Assert.False(rich.Source.TryTake());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Whatever_jobs_do_no_host_has_more_connections_than_it_may_and_all_jobs_get_their_turn(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        string[] hosts = ["two", "three", "four"];
        var open = hosts.ToDictionary(h => h, _ => 0);
        var gate = new Lock();
        var jobs = Enumerable.Range(0, 200).Select(n => Task.Run(() => RunAsync(new Random((seed * 1000) + n)), Token));
        await Task.WhenAll(jobs).WaitAsync(TimeSpan.FromMinutes(2), TimeProvider.System, Token);
        Assert.All(open.Values, count => Assert.Equal(0, count));

        async Task RunAsync(Random random)
        {
            string? source = random.Next(4) == 0 ? null : hosts[random.Next(3)], target = random.Next(4) == 0 ? null : hosts[random.Next(3)];
            using var entry = await places.EnterAsync(Limits(source), Limits(target), _ => { }, Token);
            var sides = new[] { (source, entry.Source), (target, entry.Target) }.Where(s => s.Item2 is not null).ToList();
            foreach (var (host, _) in sides)
                Count(host!, 1);
            var lent = new List<(string Host, ConnectionShare Share)>();
            for (var step = 0; step < 20; step++)
            {
                await Task.Yield();
                if (sides.Count > 0 && random.Next(2) == 0 && sides[random.Next(sides.Count)] is var (host, share) && share!.TryTake())
                {
                    Count(host!, 1);
                    lent.Add((host!, share));
                }
                else if (lent.Count > 0)
                {
                    Count(lent[^1].Host, -1);
                    lent[^1].Share.GiveBack();
                    lent.RemoveAt(lent.Count - 1);
                }
            }

            // Connections that were not given back are released when the job ends.
            foreach (var host in sides.Select(s => s.Item1!).Concat(lent.Select(l => l.Host)))
                Count(host, -1);
        }

        void Count(string host, int more)
        {
            lock (gate)
            {
                open[host] += more;
                Assert.InRange(open[host], 0, Limits(host)!.Connections!.Value);
            }
        }
    }

    private Task<HostEntry> EnterAsync(string? source, string? target) => places.EnterAsync(Limits(source), Limits(target), waits.Add, Token);

    private static HostLimits? Limits(string? host) => host is null ? null : new HostLimits(host)
    {
        Connections = host switch { "new" => 1, "two" => 2, "three" => 3, "four" => 4, "old" => 100, _ => null },
    };
}
