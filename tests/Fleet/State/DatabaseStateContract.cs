using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.State;
using Imapsync.Fleet.Working;
using Imapsync.Tests.Support;

namespace Imapsync.Fleet.Tests.State;

/// <summary>State in the fleet's database fulfils the engine's contract, and an attempt that lost its lease can't write state.</summary>
public abstract class DatabaseStateContract : StateMediumContract
{
    private StateLab lab = null!;

    protected abstract Task<FleetStore> OpenStoreAsync(FleetTimes? times);

    public override async ValueTask InitializeAsync() => lab = await StateLab.BeginAsync(OpenStoreAsync, accounts: 2);

    public override async ValueTask DisposeAsync()
    {
        await lab.DisposeAsync();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected override IStateMedium Open(string? part = null) => lab.Open(new StateLocation("job", part));

    [Fact]
    public async Task A_list_that_is_removed_takes_its_state_with_it_but_for_what_another_list_goes_on_from()
    {
        // The other list has two accounts. The first has the same name, source and target as the first account of this
        // list, so its job goes on from the same state. The second differs from both accounts of this list, so nobody
        // needs the state of this list's second account.
        var other = (await lab.Store.SubmitAsync(
            new NewBatch("other", "job", 0, null, "UTC", false), [new NewAccount("a0", "m0", "s", "t", "old.example", "new.example", 1, 1, ""), new NewAccount("a9", "m9", "s", "t", "old.example", "new.example", 1, 1, "")], Token)).Batch;
        var (first, second) = (lab.Begun[0], lab.Begun[1]);
        foreach (var (job, offer) in new[] { ("shared", first), ("own", second) })
        {
            // The attempt ends without releasing its hold on the job's state, as when the worker is killed.
            var state = lab.Open(new StateLocation(job), offer);
            await state.HoldAsync(Token);
            await state.ReplaceAsync(StateName.Journal(Inbox), Text("known"), Token);
            Assert.True(await lab.Store.FinishAsync(StateLab.Worker, new AttemptEnd(offer.Account, offer.Attempt, AccountStatus.Done, 0, 0, "done"), Token));
        }

        var batch = (await lab.Store.ReadAccountAsync(first.Account, Token))!.Batch;
        Assert.Equal(0, await lab.Store.DeleteAsync(batch, Token));
        Assert.NotNull(await lab.Store.States.FindAsync("shared", "", Token));
        Assert.Null(await lab.Store.States.FindAsync("own", "", Token));
        var others = (await lab.Store.ReadAccountsAsync(new AccountPage(new AccountFilter(other)), Token)).Accounts;
        var heir = (await StateLab.OfferAsync(lab.Store, "w2", 2)).Single(o => o.Account == others.Single(a => a.Name == "a0").Id);
        await using var goesOn = lab.Open(new StateLocation("shared"), heir, "w2");
        await goesOn.HoldAsync(Token);
        using var content = (await goesOn.OpenAsync(StateName.Journal(Inbox), Token))!;
        Assert.Equal(5, content.Length);
    }

    [Fact]
    public async Task An_attempt_that_is_not_the_last_or_not_this_workers_writes_nothing_at_all()
    {
        var location = new StateLocation("other");
        var (first, journal) = (lab.Begun[0], StateName.Journal(Inbox));
        var late = lab.Open(location, first);
        await late.HoldAsync(Token);
        await late.ReplaceAsync(journal, Text("one "), Token);
        await late.ReplaceAsync(StateName.VerifyCursor, Text("mine"), Token);
        using var log = late.Continue(journal, 4);
        await log.AppendAsync(Text("two "));
        foreach (var stranger in (DatabaseState[])[lab.Open(location, first with { Attempt = first.Attempt + 1 }), lab.Open(location, first, worker: "w2"), lab.Open(location, lab.Begun[1] with { Attempt = 9 })])
        {
            await Assert.ThrowsAsync<CheckpointLockedException>(() => stranger.HoldAsync(Token));
            await Assert.ThrowsAsync<CheckpointLockedException>(() => stranger.MakeAsync(Token));
            await Assert.ThrowsAsync<CheckpointLockedException>(() => stranger.ReplaceAsync(StateName.VerifyCursor, Text("theirs"), Token));
        }

        // The account is given back and begun by another worker.
        Assert.True(await lab.Store.FinishAsync(StateLab.Worker, new AttemptEnd(first.Account, first.Attempt, AccountStatus.Due, 0, 0, "handed back"), Token));
        await lab.Store.GoneAsync(StateLab.Worker, Token);
        var second = Assert.Single(await StateLab.OfferAsync(lab.Store, "w2", 1));
        Assert.Equal((first.Account, first.Attempt + 1), (second.Account, second.Attempt));
        await Assert.ThrowsAsync<CheckpointLockedException>(() => log.AppendAsync(Text("late ")));
        await RefusesAsync(late);
        await Assert.ThrowsAsync<CheckpointLockedException>(() => late.ReplaceAsync(StateName.VerifyCursor, Text("late"), Token));
        Assert.Throws<CheckpointLockedException>(() => late.Continue(journal, 1));

        await using var next = lab.Open(location, second, "w2");
        await next.HoldAsync(Token);
        Assert.Equal(("one two ", "mine"), (await ReadAsync(next, journal), await ReadAsync(next, StateName.VerifyCursor)));
        await Assert.ThrowsAsync<CheckpointLockedException>(() => log.AppendAsync(Text("late ")));
        await late.DisposeAsync();
        using (var goesOn = next.Continue(journal, 8))
            await goesOn.AppendAsync(Text("three"));
        Assert.Equal("one two three", await ReadAsync(next, journal));
    }

    [Fact]
    public async Task What_was_sent_under_a_number_that_was_replaced_changes_nothing_and_a_write_that_is_made_twice_is_there_once()
    {
        var (tables, offer) = (lab.Store.States, lab.Begun[0]);
        var writer = new StateWriter(offer.Account, offer.Attempt, StateLab.Worker, () => { });
        var (hold, next) = (StateTables.NewHold(), StateTables.NewHold());
        // The reply may be lost, so a repeated call must return the same.
        var state = (await tables.HoldAsync("j", "", writer, hold, "x", begun: true, Token))!.Value.State;
        Assert.Equal(state, (await tables.HoldAsync("j", "", writer, hold, "x", begun: true, Token))!.Value.State);
        Assert.Null(await tables.HoldAsync("j", "", writer, next, "y", begun: true, Token));
        var piece = (await tables.ReplaceAsync(state, hold, writer, "summary", Text("one "), Token))!.Value;
        Assert.True(await tables.RenumberAsync(state, hold, next, writer, Token));
        Assert.True(await tables.RenumberAsync(state, hold, next, writer, Token));
        Assert.False(await tables.AppendAsync(state, hold, writer, piece.Id, 4, Text("late"), Token));
        Assert.Null(await tables.ReplaceAsync(state, hold, writer, "summary", Text("late"), Token));
        Assert.True(await tables.AppendAsync(state, next, writer, piece.Id, 4, Text("two"), Token));
        Assert.True(await tables.AppendAsync(state, next, writer, piece.Id, 4, Text("two"), Token));
        Assert.Equal("one two", Encoding.UTF8.GetString((await tables.ReadAsync(piece.Id, 0, Token)).SelectMany(p => p.Octets).ToArray()));
        Assert.False(await tables.RenumberAsync(state, hold, StateTables.NewHold(), writer, Token));
    }

    [Fact]
    public async Task A_batch_of_many_parts_is_one_and_is_read_from_anywhere()
    {
        await using var state = Open();
        await state.HoldAsync(Token);
        var octets = new byte[6_000_000];
        new Random(7).NextBytes(octets);
        var journal = StateName.Journal(Inbox);
        await state.ReplaceAsync(journal, octets.AsMemory(0, 700_001), Token);
        using (var log = state.Continue(journal, 700_001))
            await log.AppendAsync(octets.AsMemory(700_001));
        using (var content = await state.OpenAsync(journal, Token))
        {
            Assert.Equal(octets.Length, content!.Length);
            Assert.Equal(octets, await content.ReadUpToAsync(0, octets.Length, Token));
            foreach (var at in (int[])[5_999_999, 0, 262_143, 262_144, 700_000, 700_001, 3_000_000])
                Assert.Equal(octets[at..Math.Min(octets.Length, at + 9)], await content.ReadUpToAsync(at, 9, Token));
        }

        state.Continue(journal, 500_000).Dispose();
        Assert.Equal(octets[..500_000], await state.ReadAllAsync(journal, int.MaxValue, Token));
    }

    [Fact]
    public async Task A_piece_that_is_replaced_while_it_is_read_is_never_a_mixture()
    {
        await using var state = Open();
        await state.HoldAsync(Token);
        var journal = StateName.Journal(Inbox);
        await state.ReplaceAsync(journal, new byte[8_000_000], Token);
        using var content = await state.OpenAsync(journal, Token);
        Assert.Equal(new byte[4], await content!.ReadUpToAsync(0, 4, Token));
        await state.ReplaceAsync(journal, Enumerable.Repeat((byte)1, 8_000_000).ToArray(), Token);
        await Assert.ThrowsAsync<IOException>(() => content!.ReadUpToAsync(7_000_000, 4, Token));
    }

    [Fact]
    public async Task A_directory_of_a_version_before_is_taken_over_once_and_removed()
    {
        using var dir = new TempDir();
        var job = new JobDefinition("alice", new ImapEndpoint("old.example", 993, TlsMode.Implicit, "alice"), new ImapEndpoint("new.example", 993, TlsMode.Implicit, "alice")) { StateDirectory = "/nowhere" };
        var directories = new AttemptDirectories(dir["state"]);
        var older = await directories.TakeAsync(job, () => { });
        await using (var files = await CheckpointStore.OpenAsync(older, TimeProvider.System, readOnly: false, Token))
        {
            await using var checkpoint = await files.OpenAsync(Inbox, Token);
            Begin(checkpoint);
            checkpoint.Settle(Copied(1, 1));
            await checkpoint.CommitAsync(Token);
            await files.SaveSummariesAsync([new PairSummary(Inbox, default, null, "", 0, 1)], Token);
        }

        var location = new StateLocation(AttemptDirectories.KeyOf(job));
        await using (var state = await CheckpointStore.OpenAsync(lab.Open(location, older: directories.FindOlder(job, TimeProvider.System)), readOnly: false, Token))
        {
            Assert.Equal([Inbox], state.Summaries.Keys);
            await using var checkpoint = await state.OpenAsync(Inbox, Token);
            Assert.Equal([Copied(1, 1)], checkpoint.Messages);
            checkpoint.Settle(Copied(2, 2));
            await checkpoint.CommitAsync(Token);
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(older));
        Assert.Null(directories.FindOlder(job, TimeProvider.System));
        // Once the account has state in the database, later files in the old directory must not be used.
        File.WriteAllText(Path.Combine(older, "summary"), "");
        await using var again = await CheckpointStore.OpenAsync(lab.Open(location, older: directories.FindOlder(job, TimeProvider.System)), readOnly: false, Token);
        await using var kept = await again.OpenAsync(Inbox, Token);
        Assert.Equal([Copied(1, 1), Copied(2, 2)], kept.Messages);
        Assert.Empty(Directory.EnumerateFileSystemEntries(older));
    }
}
