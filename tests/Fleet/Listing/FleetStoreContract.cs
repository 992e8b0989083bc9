using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Tests.Listing;

/// <summary>The tests that the fleet's list of accounts must pass with any database.</summary>
public abstract class FleetStoreContract : IAsyncLifetime
{
    /// <summary>Times so long that no lease expires, however slow the machine is.</summary>
    private static readonly FleetTimes Endless = new() { Lease = TimeSpan.FromHours(1), Ready = TimeSpan.FromHours(1), Silence = TimeSpan.FromHours(1) };

    private FleetStore store = null!;

    protected FleetStore Store => store;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    protected abstract Task<FleetStore> OpenAsync(FleetTimes? times);

    /// <summary>
    /// Lets the feeder take back the only account, whose lease has zero length and so expires at once. No worker is registered meanwhile,
    /// so the feeder does not offer the account again.
    /// </summary>
    private async Task TakeBackAsync(FleetStore brief)
    {
        await store.GoneAsync("w1", Stop);
        // The lease counts as expired once the database's clock has reached the time at which the lease was given.
        while ((await AllAsync()).Single().Status is AccountStatus.Ready or AccountStatus.Running)
            await brief.FeedAsync((_, _, _) => null, Stop);
        await store.SeenAsync("w1", 1, "1", false, Stop);
    }

    public virtual async ValueTask InitializeAsync() => store = await OpenAsync(Endless);

    public virtual async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task What_is_submitted_is_offered_begun_and_finished_once()
    {
        await SubmitAsync("b", Accounts(3));
        await store.SeenAsync("w1", 2, "1", false, Stop);
        var offers = await FeedAsync();
        Assert.Equal(2, offers.Count);
        Assert.Empty(await FeedAsync());
        var started = await store.StartAsync(offers[0].Account, offers[0].Attempt, "w1", Stop);
        Assert.Equal(("job", "cells a000", Wanted.Run), (started!.Job, started.Cells, started.Wanted));
        Assert.Equal([started.Account], (await store.RenewAsync("w1", [new AccountProgress(started.Account, 1, 10, 4, 400, "INBOX")], Stop)).Keys);
        var line = (await AllAsync()).Single(a => a.Id == started.Account);
        Assert.Equal((AccountStatus.Running, 10L, 4L, 400L, "w1", "INBOX"), (line.Status, line.Planned, line.Copied, line.Bytes, line.Worker, line.Folder));
        var end = new AttemptEnd(started.Account, 1, AccountStatus.Done, 0, 0, "done") { Copied = 10, Bytes = 1000, Planned = 10, Report = "{}" };
        Assert.True(await store.FinishAsync("w1", end, Stop));
        Assert.False(await store.FinishAsync("w1", end, Stop));
        line = (await AllAsync()).Single(a => a.Id == started.Account);
        Assert.Equal((AccountStatus.Done, 10L, 1000L, (string?)null), (line.Status, line.Copied, line.Bytes, line.Worker));
        var (report, events) = await store.ReadStoryAsync(started.Account, Stop);
        Assert.Equal("{}", report);
        Assert.Equal(["begun by worker w1, attempt 1", "done"], events.Select(e => e.Text));
        Assert.Single(await FeedAsync());
    }

    /// <summary>
    /// Without this limit, an account that crashes its worker each time would be started for ever, on one worker after another.
    /// </summary>
    [Fact]
    public async Task An_account_whose_worker_is_lost_six_times_in_a_row_without_progress_waits_for_a_person()
    {
        await using var brief = await OpenAsync(Endless with { Lease = TimeSpan.Zero });
        await SubmitAsync("b", Accounts(1));
        await store.SeenAsync("w1", 1, "1", false, Stop);
        for (var lost = 0; lost < 12 && (await AllAsync()).Single().Status != AccountStatus.Failed; lost++)
        {
            var offer = Assert.Single(await FeedAsync());
            // An attempt that made progress starts the count of lost workers again.
            if (lost == 3)
            {
                await store.StartAsync(offer.Account, offer.Attempt, "w1", Stop);
                await brief.RenewAsync("w1", [new AccountProgress(offer.Account, offer.Attempt, 10, 4, 400, "INBOX")], Stop);
            }
            else
            {
                await brief.StartAsync(offer.Account, offer.Attempt, "w1", Stop);
            }

            await TakeBackAsync(brief);
        }

        var line = (await AllAsync()).Single();
        Assert.Equal((AccountStatus.Failed, 10L), (line.Status, line.Attempt));
        Assert.Contains("6 times in a row", line.Problem, StringComparison.Ordinal);
        await store.ActAsync(AccountAction.Retry, new AccountFilter(Ids: [line.Id]), Stop);
        Assert.Single(await FeedAsync());
    }

    [Fact]
    public async Task No_more_events_are_kept_of_an_account_whose_worker_is_lost_again_and_again_and_no_longer_text_than_is_shown()
    {
        await using var brief = await OpenAsync(Endless with { Lease = TimeSpan.Zero });
        await SubmitAsync("b", Accounts(1));
        await store.SeenAsync("w1", 1, "1", false, Stop);
        Offer offer = default;
        for (var lost = 0; lost < 70; lost++)
        {
            offer = Assert.Single(await FeedAsync());
            await store.StartAsync(offer.Account, offer.Attempt, "w1", Stop);
            await brief.RenewAsync("w1", [new AccountProgress(offer.Account, offer.Attempt, 10, 4, 400, "INBOX")], Stop);
            await TakeBackAsync(brief);
        }

        Assert.InRange((await store.ReadStoryAsync(offer.Account, Stop)).Events.Count, 90, 102);
        offer = Assert.Single(await FeedAsync());
        await store.StartAsync(offer.Account, offer.Attempt, "w1", Stop);
        Assert.True(await store.FinishAsync("w1", new AttemptEnd(offer.Account, offer.Attempt, AccountStatus.Failed, 0, 1, new string('x', 10_000)), Stop));
        Assert.InRange((await AllAsync()).Single().Problem!.Length, 500, 501);
        Assert.All((await store.ReadStoryAsync(offer.Account, Stop)).Events, e => Assert.InRange(e.Text.Length, 1, 501));
    }

    [Fact]
    public async Task The_last_lines_of_a_log_are_kept_each_once_and_only_who_has_the_account_writes_them()
    {
        await SubmitAsync("b", Accounts(1));
        await store.SeenAsync("w1", 1, "1", false, Stop);
        var offer = Assert.Single(await FeedAsync());
        await store.StartAsync(offer.Account, offer.Attempt, "w1", Stop);
        AttemptLine[] Lines(int from, int count) => [.. Enumerable.Range(from, count).Select(i => new AttemptLine(i, 0, $"line {i}"))];
        var progress = new AccountProgress(offer.Account, offer.Attempt, 10, 4, 400, "INBOX");
        await store.RenewAsync("w1", [progress with { Lines = Lines(1, 5) }], Stop);
        // The reply was lost, so the worker sends the same lines again.
        await store.RenewAsync("w1", [progress with { Lines = Lines(1, 7) }], Stop);
        Assert.Empty(await store.RenewAsync("w2", [progress with { Lines = Lines(90, 1) }], Stop));
        Assert.Empty(await store.RenewAsync("w1", [progress with { Attempt = 9, Lines = Lines(91, 1) }], Stop));
        Assert.Equal(["line 7", "line 6", "line 5", "line 4", "line 3", "line 2", "line 1"], (await store.ReadLogAsync(offer.Account, Stop)).Select(l => l.Text));
        for (var i = 8; i < 500; i += 4)
            await store.RenewAsync("w1", [progress with { Lines = Lines(i, 4) }], Stop);
        Assert.True(await store.FinishAsync("w1", new AttemptEnd(offer.Account, 1, AccountStatus.Due, 0, 0, "again") { Lines = [.. Lines(496, 4), new AttemptLine(500, 0, new string('x', 9000))] }, Stop));
        Assert.False(await store.FinishAsync("w1", new AttemptEnd(offer.Account, 1, AccountStatus.Done, 0, 0, "done") { Lines = Lines(501, 1) }, Stop));
        var kept = await store.ReadLogAsync(offer.Account, Stop);
        Assert.Equal(Enumerable.Range(301, 199).Reverse().Select(i => $"line {i}").Prepend(new string('x', 500) + "…"), kept.Select(l => l.Text));
        var next = Assert.Single(await FeedAsync());
        await store.StartAsync(next.Account, next.Attempt, "w1", Stop);
        await store.RenewAsync("w1", [progress with { Attempt = 2, Lines = Lines(1, 1) }], Stop);
        Assert.Equal((2L, "line 1"), ((await store.ReadLogAsync(offer.Account, Stop))[0].Attempt, (await store.ReadLogAsync(offer.Account, Stop))[0].Text));
        Assert.Equal("2.1", (await store.ReadLogEndsAsync([offer.Account], Stop))[offer.Account]);
    }

    [Fact]
    public async Task What_is_copied_is_counted_once_whoever_tells_it_and_however_often()
    {
        await SubmitAsync("b", Accounts(2));
        await store.SeenAsync("w1", 2, "1", false, Stop);
        var offers = await FeedAsync();
        foreach (var offer in offers)
            await store.StartAsync(offer.Account, offer.Attempt, "w1", Stop);
        AccountProgress Progress(int at, long copied) => new(offers[at].Account, 1, 10, copied, copied * 100, "INBOX");
        await store.RenewAsync("w1", [Progress(0, 4), Progress(1, 1)], Stop);
        await store.RenewAsync("w1", [Progress(0, 4), Progress(1, 3)], Stop);
        await store.RenewAsync("w2", [Progress(0, 9)], Stop);
        var workers = Assert.Single(await store.ReadWorkersAsync(Stop));
        Assert.Equal([4, 3], workers.Accounts.Select(a => a.Copied));
        await store.FinishAsync("w1", new AttemptEnd(offers[0].Account, 1, AccountStatus.Done, 0, 0, "done") { Copied = 10, Bytes = 1000 }, Stop);
        await store.FinishAsync("w1", new AttemptEnd(offers[0].Account, 1, AccountStatus.Done, 0, 0, "done") { Copied = 10, Bytes = 1000 }, Stop);
        var samples = await store.ReadThroughputAsync(minutes: 1, stretches: 30, Stop);
        Assert.Equal((30, 13L, 1300L), (samples.Count, samples.Sum(s => s.Messages), samples.Sum(s => s.Octets)));
        Assert.Equal(13, Assert.Single(await store.ReadThroughputAsync(minutes: 2000, stretches: 1, Stop)).Messages);
        Assert.All(samples.Zip(samples.Skip(1)), p => Assert.Equal(60_000, p.Second.At - p.First.At));
    }

    [Fact]
    public async Task A_lease_that_ran_out_is_taken_back_and_its_holder_can_write_nothing_more()
    {
        await store.DisposeAsync();
        store = await OpenAsync(Endless with { Lease = TimeSpan.FromMilliseconds(1) });
        await SubmitAsync("b", Accounts(1));
        await store.SeenAsync("w1", 1, "1", false, Stop);
        var first = Assert.Single(await FeedAsync());
        Assert.NotNull(await store.StartAsync(first.Account, first.Attempt, "w1", Stop));
        var second = await UntilAsync(async () => (await FeedAsync()).Cast<Offer?>().SingleOrDefault());
        Assert.Equal((first.Account, 2L), (second!.Value.Account, second.Value.Attempt));
        Assert.Empty(await store.RenewAsync("w1", [new AccountProgress(first.Account, 1, 0, 0, 0, "")], Stop));
        Assert.False(await store.FinishAsync("w1", new AttemptEnd(first.Account, 1, AccountStatus.Done, 0, 0, "late"), Stop));
        Assert.Null(await store.StartAsync(first.Account, 1, "w1", Stop));
        Assert.NotNull(await store.StartAsync(first.Account, 2, "w1", Stop));
        Assert.Contains((await store.ReadStoryAsync(first.Account, Stop)).Events, e => e.Text.StartsWith("worker w1 was lost", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_attempt_is_one_workers_and_no_other_with_its_number_begins_renews_or_ends_it()
    {
        await SubmitAsync("b", Accounts(12));
        await store.SeenAsync("w0", 12, "1", false, Stop);
        foreach (var offer in await FeedAsync())
        {
            // Whichever worker the executor gives an offer to may begin it, but only one worker may.
            var begun = await Task.WhenAll(Enumerable.Range(0, 3).Select(i => Task.Run(() => store.StartAsync(offer.Account, offer.Attempt, $"w{i}", Stop), Stop)));
            var holder = Array.FindIndex(begun, b => b is not null);
            Assert.Single(begun, b => b is not null);
            AccountProgress[] progress = [new(offer.Account, offer.Attempt, 1, 1, 1, "INBOX")];
            var end = new AttemptEnd(offer.Account, offer.Attempt, AccountStatus.Done, 0, 0, "done");
            foreach (var other in Enumerable.Range(0, 3).Where(i => i != holder).Select(i => $"w{i}"))
            {
                Assert.Null(await store.StartAsync(offer.Account, offer.Attempt, other, Stop));
                Assert.Empty(await store.RenewAsync(other, progress, Stop));
                Assert.False(await store.FinishAsync(other, end, Stop));
            }

            // The worker that holds the attempt may repeat the call, because the reply to the first call may be lost.
            Assert.NotNull(await store.StartAsync(offer.Account, offer.Attempt, $"w{holder}", Stop));
            Assert.Single(await store.RenewAsync($"w{holder}", progress, Stop));
            Assert.True(await store.FinishAsync($"w{holder}", end, Stop));
        }
    }

    [Fact]
    public async Task No_text_that_a_mailbox_holds_stops_a_renewal_or_an_end()
    {
        const string letters = "a\0\uD800\uDC00\uFFFD\u0001é漢\\\"'&u0{}\n";
        await SubmitAsync("b", Accounts(30));
        await store.SeenAsync("w", 30, "1", false, Stop);
        var offers = await FeedAsync();
        foreach (var offer in offers)
            Assert.NotNull(await store.StartAsync(offer.Account, offer.Attempt, "w", Stop));
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            var renewed = await store.RenewAsync("w", [.. offers.Select(o => new AccountProgress(o.Account, o.Attempt, 1, 1, 1, Text(random)))], Stop);
            Assert.True(renewed.Count == offers.Count, $"seed {seed}");
        }

        await store.RenewAsync("w", [new AccountProgress(offers[0].Account, 1, 1, 1, 1, "a\0b")], Stop);
        Assert.Equal("a\uFFFDb", (await AllAsync()).Single(a => a.Id == offers[0].Account).Folder);
        foreach (var (offer, seed) in offers.Select((o, i) => (o, i)))
        {
            var text = Text(new Random(seed));
            Assert.True(await store.FinishAsync("w", new AttemptEnd(offer.Account, offer.Attempt, AccountStatus.Failed, 0, 0, text) { Report = $"\"{text}\"" }, Stop), $"seed {seed}");
        }

        static string Text(Random random) => new([.. Enumerable.Range(0, random.Next(1, 9)).Select(_ => letters[random.Next(letters.Length)])]);
    }

    [Fact]
    public async Task A_schedule_that_this_machine_cannot_read_holds_up_no_other_list()
    {
        await store.SubmitAsync(new NewBatch("elsewhere", "job", 0, "cron", "Nowhere/City", false) { NextRun = 1 }, [], Stop);
        await store.SubmitAsync(new NewBatch("here", "job", 0, "cron", "UTC", false) { NextRun = 1 }, Accounts(1), Stop);
        await store.SeenAsync("w", 1, "1", false, Stop);
        Assert.Single(await store.FeedAsync((_, zone, now) => zone == "UTC" ? now + 3_600_000 : throw new TimeZoneNotFoundException(zone), Stop));
        Assert.Equal([1, 3_600_000], (await store.ReadBatchesAsync(Stop)).Select(b => Math.Min(b.NextRun!.Value, 3_600_000)).Order());
    }

    [Fact]
    public async Task An_account_that_was_given_to_a_worker_and_never_begun_is_given_again()
    {
        await store.DisposeAsync();
        store = await OpenAsync(Endless with { Ready = TimeSpan.FromMilliseconds(1) });
        await SubmitAsync("b", Accounts(1));
        await store.SeenAsync("w1", 1, "1", false, Stop);
        Assert.Equal(1, Assert.Single(await FeedAsync()).Attempt);
        Assert.Equal(2, (await UntilAsync(async () => (await FeedAsync()).Cast<Offer?>().SingleOrDefault()))!.Value.Attempt);
    }

    [Fact]
    public async Task Hosts_are_never_given_more_connections_than_they_allow_by_many_feeders_at_once()
    {
        var random = new Random(17);
        var accounts = Enumerable.Range(0, 300).Select(i => Account(i) with
        {
            SourceHost = $"s{random.Next(4)}",
            TargetHost = random.Next(5) == 0 ? "s0" : $"t{random.Next(3)}",
            SourceClaim = random.Next(1, 5),
            TargetClaim = random.Next(1, 5),
        }).ToList();
        var limits = new Dictionary<string, int> { ["s0"] = 7, ["s1"] = 3, ["s2"] = 1, ["t0"] = 5, ["t1"] = 9 };
        await SubmitAsync("b", accounts, limits);
        for (var w = 0; w < 5; w++)
            await store.SeenAsync($"w{w}", 8, "1", false, Stop);
        var done = 0;
        for (var round = 0; round < 400 && done < accounts.Count; round++)
        {
            var offers = (await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(FeedAsync, Stop)))).SelectMany(o => o).ToList();
            Assert.Equal(offers.Count, offers.DistinctBy(o => o.Account).Count());
            foreach (var host in await store.ReadHostsAsync(Stop))
                Assert.True(host.Connections is null || host.Claimed <= host.Connections, $"{host} in round {round}");
            Assert.All(await store.ReadWorkersAsync(Stop), w => Assert.InRange(w.Held, 0, w.Slots));
            var held = (await AllAsync()).Where(a => a.Status == AccountStatus.Ready).ToList();
            Assert.NotEmpty(held);
            foreach (var account in held.OrderBy(_ => random.Next()).Take(random.Next(1, 12)))
            {
                Assert.NotNull(await store.StartAsync(account.Id, account.Attempt, account.Worker!, Stop));
                Assert.True(await store.FinishAsync(account.Worker!, new AttemptEnd(account.Id, account.Attempt, AccountStatus.Done, 0, 0, "done"), Stop));
                done++;
            }
        }

        Assert.Equal(accounts.Count, done);
    }

    [Fact]
    public async Task Two_accounts_that_write_to_one_mailbox_are_never_at_work_at_once()
    {
        await SubmitAsync("one", [Account(1) with { Mailbox = "m" }, Account(2) with { Mailbox = "m" }]);
        await SubmitAsync("two", [Account(1) with { Mailbox = "m" }]);
        await store.SeenAsync("w", 9, "1", false, Stop);
        for (var i = 0; i < 3; i++)
        {
            var offer = Assert.Single(await FeedAsync());
            Assert.NotNull(await store.StartAsync(offer.Account, offer.Attempt, "w", Stop));
            Assert.Empty(await FeedAsync());
            Assert.True(await store.FinishAsync("w", new AttemptEnd(offer.Account, offer.Attempt, AccountStatus.Done, 0, 0, "done"), Stop));
        }

        Assert.Empty(await FeedAsync());
    }

    [Fact]
    public async Task What_is_urgent_goes_first_and_what_was_taken_back_before_all_of_its_kind()
    {
        await SubmitAsync("old", Accounts(5));
        await SubmitAsync("urgent", [.. Accounts(2).Select(a => a with { Mailbox = "u" + a.Mailbox })], priority: 9);
        await store.SeenAsync("w", 1, "1", false, Stop);
        var names = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            var offer = Assert.Single(await FeedAsync());
            var started = await store.StartAsync(offer.Account, offer.Attempt, "w", Stop);
            names.Add($"{started!.Batch}{started.Name}");
            await store.FinishAsync("w", new AttemptEnd(offer.Account, offer.Attempt, AccountStatus.Done, 0, 0, "done"), Stop);
        }

        Assert.Equal(["2a000", "2a001", "1a000"], names);
    }

    [Fact]
    public async Task Pause_resume_cancel_and_retry_reach_what_waits_at_once_and_what_is_at_work_with_its_renewal()
    {
        var batch = await SubmitAsync("b", Accounts(4));
        await store.SeenAsync("w", 2, "1", false, Stop);
        var (a, b) = (await FeedAsync()) is [var x, var y] ? (x, y) : throw new InvalidOperationException();
        await store.StartAsync(a.Account, 1, "w", Stop);
        await store.StartAsync(b.Account, 1, "w", Stop);
        Assert.Equal(4, await store.ActAsync(AccountAction.Pause, new AccountFilter(batch), Stop));
        Assert.True((await store.ReadBatchesAsync(Stop)).Single().IsPaused);
        var wanted = await store.RenewAsync("w", [new(a.Account, 1, 0, 0, 0, ""), new(b.Account, 1, 0, 0, 0, "")], Stop);
        Assert.Equal([Wanted.Pause, Wanted.Pause], wanted.Values);
        Assert.Equal(1, await store.ActAsync(AccountAction.Cancel, new AccountFilter(Ids: [b.Account]), Stop));
        // The worker hands the accounts back as due, but the status that the user asked for (paused, cancelled) takes precedence.
        await store.FinishAsync("w", new AttemptEnd(a.Account, 1, AccountStatus.Due, 0, 0, "handed back"), Stop);
        await store.FinishAsync("w", new AttemptEnd(b.Account, 1, AccountStatus.Due, 0, 0, "handed back"), Stop);
        Assert.Equal([AccountStatus.Paused, AccountStatus.Cancelled, AccountStatus.Paused, AccountStatus.Paused], (await AllAsync()).Select(l => l.Status));
        Assert.Empty(await FeedAsync());
        Assert.Equal(3, await store.ActAsync(AccountAction.Resume, new AccountFilter(batch), Stop));
        Assert.Equal(2, (await FeedAsync()).Count);
        Assert.Equal(1, await store.ActAsync(AccountAction.Retry, new AccountFilter(Statuses: [AccountStatus.Cancelled]), Stop));
        Assert.Equal(2, (await AllAsync()).Count(l => l.Status == AccountStatus.Due));
    }

    [Fact]
    public async Task A_cancel_stands_whatever_is_asked_for_after_it()
    {
        for (var seed = 0; seed < 12; seed++)
        {
            var random = new Random(seed);
            var batch = await SubmitAsync($"b{seed}", [Account(seed)]);
            await store.SeenAsync("w", 1, "1", false, Stop);
            var offer = Assert.Single(await FeedAsync());
            var isBegun = random.Next(2) == 0 && await store.StartAsync(offer.Account, offer.Attempt, "w", Stop) is not null;
            await store.ActAsync(AccountAction.Cancel, new AccountFilter(batch), Stop);
            for (var i = random.Next(1, 4); i > 0; i--)
                await store.ActAsync(random.Next(2) == 0 ? AccountAction.Pause : AccountAction.Resume, new AccountFilter(batch), Stop);
            if (!isBegun)
                Assert.Equal(Wanted.Cancel, (await store.StartAsync(offer.Account, offer.Attempt, "w", Stop))!.Wanted);
            await store.FinishAsync("w", new AttemptEnd(offer.Account, offer.Attempt, AccountStatus.Due, 0, 0, "handed back"), Stop);
            Assert.True((await AllAsync()).Single(a => a.Id == offer.Account).Status == AccountStatus.Cancelled, $"seed {seed}");
        }
    }

    [Fact]
    public async Task A_host_that_is_to_be_left_alone_is_and_an_account_waits_for_its_next_try()
    {
        await SubmitAsync("b", Accounts(2));
        await store.SeenAsync("w", 2, "1", false, Stop);
        var offers = await FeedAsync();
        foreach (var offer in offers)
            await store.StartAsync(offer.Account, 1, "w", Stop);
        await store.FinishAsync("w", new AttemptEnd(offers[0].Account, 1, AccountStatus.Due, 3_600_000, 1, "later"), Stop);
        Assert.Empty(await FeedAsync());
        await store.FinishAsync("w", new AttemptEnd(offers[1].Account, 1, AccountStatus.Due, 0, 1, "now"), Stop);
        Assert.True(await store.LimitHostAsync("new.example", 0, Stop));
        Assert.Empty(await FeedAsync());
        Assert.True(await store.LimitHostAsync("new.example", null, Stop));
        Assert.Equal(offers[1].Account, Assert.Single(await FeedAsync()).Account);
        Assert.False(await store.LimitHostAsync("nowhere.example", 1, Stop));
    }

    [Fact]
    public async Task A_list_that_is_submitted_again_corrects_rows_and_keeps_what_was_done()
    {
        await SubmitAsync("b", Accounts(2));
        await store.SeenAsync("w", 1, "1", false, Stop);
        var offer = Assert.Single(await FeedAsync());
        await store.StartAsync(offer.Account, 1, "w", Stop);
        await store.FinishAsync("w", new AttemptEnd(offer.Account, 1, AccountStatus.Failed, 0, 1, "refused"), Stop);
        await SubmitAsync("b", [Account(0) with { Cells = "better" }, Account(2)]);
        Assert.Equal([("a000", AccountStatus.Failed), ("a001", AccountStatus.Due), ("a002", AccountStatus.Due)], (await AllAsync()).OrderBy(a => a.Name).Select(a => (a.Name, a.Status)));
        await store.ActAsync(AccountAction.Retry, new AccountFilter(Statuses: [AccountStatus.Failed]), Stop);
        foreach (var name in (string[])["A001", "A002"])
            Assert.Equal(1, await store.ActAsync(AccountAction.Pause, new AccountFilter(Statuses: [AccountStatus.Due], Text: name), Stop));
        var again = Assert.Single(await FeedAsync());
        Assert.Equal("better", (await store.StartAsync(again.Account, again.Attempt, "w", Stop))!.Cells);
    }

    [Fact]
    public async Task Rows_at_work_that_are_not_replaced_are_counted_and_a_paused_list_stays_paused()
    {
        var list = new NewBatch("b", "job", 0, null, "UTC", false);
        Assert.Equal(0, (await store.SubmitAsync(list, Accounts(5), Stop)).AtWork);
        await store.SeenAsync("w", 3, "1", false, Stop);
        var offers = await FeedAsync();
        await store.StartAsync(offers[0].Account, 1, "w", Stop);
        var batch = (await store.SubmitAsync(list, Accounts(7), Stop)) is { AtWork: 3 } again ? again.Batch : throw new InvalidOperationException("rows at work were not counted");
        await store.ActAsync(AccountAction.Pause, new AccountFilter(batch), Stop);
        await store.SubmitAsync(list, Accounts(9), Stop);
        Assert.True(Assert.Single(await store.ReadBatchesAsync(Stop)).IsPaused);
        Assert.DoesNotContain(await AllAsync(), a => a.Status == AccountStatus.Due);
    }

    [Fact]
    public async Task A_worker_that_was_killed_long_ago_is_forgotten()
    {
        await store.DisposeAsync();
        store = await OpenAsync(Endless with { Forgotten = TimeSpan.FromMilliseconds(1) });
        await store.SeenAsync("killed", 1, "1", false, Stop);
        await UntilAsync(async () =>
        {
            await FeedAsync();
            return (await store.ReadWorkersAsync(Stop)).Count == 0 ? "forgotten" : null;
        });
    }

    [Fact]
    public async Task A_schedule_sets_all_that_ended_due_again()
    {
        var batch = new NewBatch("nightly", "job", 0, "0 0 2 * * ?", "Europe/Vienna", false) { NextRun = 1 };
        await store.SubmitAsync(batch, Accounts(1), Stop);
        await store.SeenAsync("w", 1, "1", false, Stop);
        Assert.Single(await store.FeedAsync((expression, zone, now) => expression == batch.Schedule && zone == batch.Zone ? now + 3_600_000 : 0, Stop));
        await store.StartAsync(1, 1, "w", Stop);
        await store.FinishAsync("w", new AttemptEnd(1, 1, AccountStatus.Done, 0, 0, "done"), Stop);
        Assert.Empty(await FeedAsync());
        await store.SubmitAsync(batch, [], Stop);
        Assert.Equal(2, Assert.Single(await FeedAsync()).Attempt);
    }

    [Theory]
    [InlineData(AccountSort.Id, false)]
    [InlineData(AccountSort.Name, true)]
    [InlineData(AccountSort.Status, false)]
    [InlineData(AccountSort.Ended, true)]
    [InlineData(AccountSort.Copied, true)]
    [InlineData(AccountSort.Problems, false)]
    public async Task Pages_show_each_account_once_in_one_order(AccountSort sort, bool descending)
    {
        await SubmitAsync("b", Accounts(57));
        await store.SeenAsync("w", 20, "1", false, Stop);
        foreach (var (offer, i) in (await FeedAsync()).Select((o, i) => (o, i)))
        {
            await store.StartAsync(offer.Account, 1, "w", Stop);
            await store.FinishAsync("w", new AttemptEnd(offer.Account, 1, i % 2 == 0 ? AccountStatus.Done : AccountStatus.Failed, 0, 0, "x") { Copied = i % 3, Problems = i % 4 }, Stop);
        }

        var seen = new List<AccountView>();
        PageEnd? next = null;
        do
        {
            var (page, end) = await store.ReadAccountsAsync(new AccountPage(new AccountFilter(), sort, descending, 10, next), Stop);
            seen.AddRange(page);
            next = end;
        }
        while (next is not null);
        Assert.Equal(57, seen.DistinctBy(a => a.Id).Count());
        Assert.Equal(57, seen.Count);
        Func<AccountView, IComparable> key = sort switch
        {
            AccountSort.Name => a => a.Name,
            AccountSort.Status => a => a.Status,
            AccountSort.Ended => a => a.Ended ?? 0,
            AccountSort.Copied => a => a.Copied,
            AccountSort.Problems => a => a.Problems,
            _ => a => a.Id,
        };
        var keys = seen.Select(key).ToList();
        Assert.Equal(descending ? keys.OrderDescending() : keys.Order(), keys);
    }

    [Theory]
    [InlineData("x%", 1)]
    [InlineData("_", 1)]
    [InlineData(@"\", 1)]
    [InlineData("'; drop table account; --", 1)]
    [InlineData("<b>", 1)]
    [InlineData("ÄRGER", 1)]
    [InlineData("example", 7)]
    public async Task A_search_finds_the_text_itself(string text, int found)
    {
        string[] names = ["x%y", "a_b", @"c\d", "'; drop table account; --", "<b>bold</b>", "Ärger", "plain"];
        await SubmitAsync("b", [.. names.Select((n, i) => Account(i) with { Name = n })]);
        Assert.Equal(found, (await store.ReadAccountsAsync(new AccountPage(new AccountFilter(Text: text)), Stop)).Accounts.Count);
    }

    [Fact]
    public async Task Nothing_is_offered_to_a_worker_that_drains_or_has_gone()
    {
        await SubmitAsync("b", Accounts(1));
        await store.SeenAsync("w", 2, "1", true, Stop);
        Assert.Empty(await FeedAsync());
        await store.SeenAsync("w", 2, "1", false, Stop);
        await store.GoneAsync("w", Stop);
        Assert.Empty(await FeedAsync());
    }

    [Fact]
    public async Task A_list_is_removed_whole_unless_accounts_of_it_are_at_work_and_others_stay()
    {
        var (kept, gone) = (await SubmitAsync("kept", Accounts(2)), await SubmitAsync("gone", [.. Accounts(7).Skip(4)], priority: 1));
        await store.SeenAsync("w", 1, "1", false, Stop);
        var offer = Assert.Single(await FeedAsync());
        Assert.Equal(1, await store.DeleteAsync(gone, Stop));
        Assert.NotNull(await store.StartAsync(offer.Account, offer.Attempt, "w", Stop));
        Assert.Equal(1, await store.DeleteAsync(gone, Stop));
        Assert.Equal(5, (await AllAsync()).Count);
        Assert.Equal(2, (await AllAsync()).Count(a => a.Batch == gone && a.Status == AccountStatus.Due));
        Assert.True(await store.FinishAsync("w", new AttemptEnd(offer.Account, offer.Attempt, AccountStatus.Done, 0, 0, "done") { Report = "{}" }, Stop));
        Assert.Equal(0, await store.DeleteAsync(gone, Stop));
        Assert.Null(await store.DeleteAsync(gone, Stop));
        Assert.Equal(kept, Assert.Single(await store.ReadBatchesAsync(Stop)).Id);
        Assert.All(await AllAsync(), a => Assert.Equal((kept, AccountStatus.Due), (a.Batch, a.Status)));
        var (report, events) = await store.ReadStoryAsync(offer.Account, Stop);
        Assert.Null(report);
        Assert.Empty(events);
        // The name of the removed list can be used for a new list.
        await SubmitAsync("gone", Accounts(1));
        Assert.Equal(3, (await AllAsync()).Count);
    }

    [Fact]
    public async Task Programs_that_open_the_list_at_the_same_time_find_one_list()
    {
        var opened = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => OpenAsync(null), Stop)));
        await SubmitAsync("b", Accounts(1));
        foreach (var other in opened)
        {
            Assert.Single(await other.ReadBatchesAsync(Stop));
            await other.DisposeAsync();
        }
    }

    protected static NewAccount Account(int i) => new($"a{i:000}", $"mailbox{i}", $"imaps://a{i}@old.example", $"imaps://a{i}@new.example", "old.example", "new.example", 1, 1, $"cells a{i:000}");

    protected static List<NewAccount> Accounts(int count) => [.. Enumerable.Range(0, count).Select(Account)];

    protected async Task<long> SubmitAsync(string name, IReadOnlyCollection<NewAccount> accounts, Dictionary<string, int>? limits = null, int priority = 0) =>
        (await store.SubmitAsync(new NewBatch(name, "job", priority, null, "UTC", false) { HostConnections = limits ?? [] }, accounts, Stop)).Batch;

    protected Task<IReadOnlyList<Offer>> FeedAsync() => store.FeedAsync((_, _, _) => null, Stop);

    protected async Task<IReadOnlyList<AccountView>> AllAsync() => (await store.ReadAccountsAsync(new AccountPage(new AccountFilter(), Limit: 1000), Stop)).Accounts;

    private static async Task<T> UntilAsync<T>(Func<Task<T>> look)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        while (true)
        {
            if (await look() is { } found)
                return found;
            await timer.WaitForNextTickAsync(Stop);
        }
    }
}
