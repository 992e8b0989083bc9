using Imapsync.Fleet.Feeding;

namespace Imapsync.Fleet.Tests.Feeding;

public sealed class FeedPlanTests
{
    [Fact]
    public void Whatever_waits_and_is_at_work_no_limit_is_passed_and_nothing_that_fits_is_left()
    {
        for (var seed = 0; seed < 2000; seed++)
        {
            var random = new Random(seed);
            var hosts = Enumerable.Range(0, random.Next(1, 6)).Select(i => new HostRoom(i, random.Next(3) == 0 ? long.MaxValue : random.Next(0, 9))).ToList();
            var workers = Enumerable.Range(0, random.Next(0, 4)).Select(i => new WorkerRoom($"w{i}", random.Next(0, 6))).ToList();
            var plan = new FeedPlan(workers, hosts, []);
            var waiting = new Dictionary<long, (long Source, long Target, WaitingAccount Account)>();
            for (var route = 0; route < random.Next(1, 8); route++)
            {
                var (source, target) = (random.Next(hosts.Count), random.Next(hosts.Count));
                var accounts = Enumerable.Range(0, random.Next(0, 9))
                    .Select(i => new WaitingAccount((route * 100) + i, $"m{random.Next(30)}", random.Next(2), random.Next(5), random.Next(1, 5), random.Next(1, 5)))
                    .OrderBy(a => (-a.Priority, a.DueAt, a.Account)).ToList();
                accounts.ForEach(a => waiting.Add(a.Account, (source, target, a)));
                plan.Add(route, source, target, accounts);
            }

            var chosen = plan.Choose();

            var free = hosts.ToDictionary(h => h.Host, h => h.Connections);
            foreach (var choice in chosen)
            {
                free[waiting[choice.Account].Source] -= choice.SourceClaim;
                free[waiting[choice.Account].Target] -= choice.TargetClaim;
            }

            Assert.True(free.Values.All(f => f >= 0), $"seed {seed}: more connections than a host allows");
            Assert.All(chosen.CountBy(c => c.Worker), w => Assert.InRange(w.Value, 1, workers.Single(r => r.Worker == w.Key).Slots));
            Assert.Equal(chosen.Count, chosen.DistinctBy(c => waiting[c.Account].Account.Mailbox).Count());
            if (chosen.Count < workers.Sum(w => w.Slots))
            {
                // Workers still have free slots. So the first account in line between its two servers may be left out for two reasons only:
                // (1) It needs more connections than the servers have free. (2) Another account of the same mailbox was chosen.
                var taken = chosen.Select(c => c.Account).ToHashSet();
                var mailboxes = chosen.Select(c => waiting[c.Account].Account.Mailbox).ToHashSet();
                foreach (var head in waiting.Values.GroupBy(w => w.Account.Account / 100).Select(r => r.FirstOrDefault(w => !taken.Contains(w.Account.Account))).Where(w => w.Account.Mailbox is not null))
                {
                    if (mailboxes.Contains(head.Account.Mailbox))
                        continue;
                    var (s, t) = (free[head.Source], free[head.Target]);
                    var fits = head.Source == head.Target ? s >= head.Account.SourceClaim + head.Account.TargetClaim : s >= head.Account.SourceClaim && t >= head.Account.TargetClaim;
                    Assert.False(fits, $"seed {seed}: account {head.Account.Account} was left waiting");
                }
            }
        }
    }

    [Fact]
    public void A_route_whose_host_is_full_keeps_no_other_waiting()
    {
        var plan = new FeedPlan([new WorkerRoom("w", 10)], [new HostRoom(1, 1), new HostRoom(2, 50), new HostRoom(3, 50)], [new HeldRoute(1, 1, 2, 1, 1, 1)]);
        Assert.False(plan.HasRoom(1, 2));
        plan.Add(1, 1, 2, Enumerable.Range(0, 100).Select(i => new WaitingAccount(i, $"a{i}", 9, 0, 1, 1)));
        plan.Add(2, 3, 2, [new WaitingAccount(1000, "b", 0, 5, 1, 1)]);
        Assert.Equal(1000, Assert.Single(plan.Choose()).Account);
    }
}
