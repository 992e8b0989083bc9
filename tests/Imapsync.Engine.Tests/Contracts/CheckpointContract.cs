using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Contracts;

/// <summary>The tests that every <see cref="ICheckpointStore"/> must pass, wherever it keeps its state.</summary>
public abstract class CheckpointContract : IAsyncLifetime
{
    protected static readonly PairKey Inbox = new(FolderPath.Inbox, FolderPath.Inbox);
    protected static readonly PairKey Lists = new(FolderPath.Parse("Lists/a"), FolderPath.Parse("Lists/a"));
    private static readonly FlagSet Seen = FlagSet.Create(MessageFlags.Seen, ["$Label1", "Été", "a b%"]);

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>Opens the state of this test's only job; it is empty at first.</summary>
    protected abstract Task<ICheckpointStore> OpenStoreAsync(bool readOnly = false);

    [Fact]
    public async Task A_pair_never_met_is_new_and_empty()
    {
        await using var store = await OpenStoreAsync();
        await using var checkpoint = await store.OpenAsync(Inbox, Token);
        Assert.Equal(CheckpointCondition.New, checkpoint.Condition);
        Assert.Null(checkpoint.Damage);
        Assert.Empty(checkpoint.Messages);
        Assert.True(checkpoint.SourceValidity.IsNone);
        Assert.True(checkpoint.KnownTargetUidNext.IsNone);
        Assert.Throws<InvalidOperationException>(() => checkpoint.Settle(Copied(1, 1)));
        Assert.Throws<InvalidOperationException>(() => checkpoint.SetKnownTargetUidNext(new Uid(1)));
        Assert.Throws<InvalidOperationException>(() => checkpoint.SetMoveUnderWay(null));
    }

    [Fact]
    public async Task Everything_committed_is_there_after_reopening()
    {
        await UseAsync(Inbox, async c =>
        {
            Begin(c);
            c.Settle(new SettledMessage(new Uid(5), new Uid(50), Settlement.Adopted, Seen));
            c.Settle(Copied(3, 30));
            c.Settle(new SettledMessage(new Uid(9), Uid.None, Settlement.Skipped, FlagSet.Empty));
            c.Settle(new SettledMessage(new Uid(uint.MaxValue), Uid.None, Settlement.Failed, Seen));
            c.Settle(new SettledMessage(new Uid(4), new Uid(44), Settlement.Vanished, Seen, new MessageChecksum(0xdeadbeef, 0)));
            c.SetSourceModSeq(new ModSeq(ulong.MaxValue));
            c.SetRules("since 2020 & more");
            c.SetKnownTargetUidNext(new Uid(60));
            c.SetMoveUnderWay(new TrashMark(new UidValidity(uint.MaxValue), new Uid(61)));
            await c.CommitAsync(Token);
        });
        await UseAsync(Inbox, c =>
        {
            Assert.Equal(CheckpointCondition.Good, c.Condition);
            Assert.Equal((7u, 8u), (c.SourceValidity.Value, c.TargetValidity.Value));
            Assert.Equal([3, 4, 5, 9, uint.MaxValue], c.Messages.Select(m => m.Source.Value));
            Assert.True(c.TryGet(new Uid(5), out var adopted));
            Assert.Equal(new SettledMessage(new Uid(5), new Uid(50), Settlement.Adopted, Seen), adopted);
            Assert.Equal(Seen.Keywords, adopted.Flags.Keywords);
            Assert.True(c.TryGet(new Uid(4), out var vanished));
            Assert.Equal(new MessageChecksum(0xdeadbeef, 0), vanished.Checksum);
            Assert.Equal([1, 1, 1, 1, 1], Enum.GetValues<Settlement>().Select(c.Count));
            Assert.Equal(ulong.MaxValue, c.SourceModSeq?.Value);
            Assert.Equal("since 2020 & more", c.Rules);
            Assert.Equal(60u, c.KnownTargetUidNext.Value);
            Assert.Equal(new TrashMark(new UidValidity(uint.MaxValue), new Uid(61)), c.MoveUnderWay);
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task Every_pair_with_a_checkpoint_is_found()
    {
        var odd = new PairKey(new FolderPath("a b/%", "é\\"), new FolderPath("x"));
        foreach (var pair in (PairKey[])[Lists, odd, Inbox])
        {
            await UseAsync(pair, async c =>
            {
                Begin(c);
                await c.CommitAsync(Token);
            });
        }

        await using var store = await OpenStoreAsync(readOnly: true);
        Assert.Equal([Inbox, Lists, odd], await store.FindPairsAsync(Token));
    }

    [Fact]
    public async Task What_was_not_committed_is_gone_after_reopening()
    {
        await UseAsync(Inbox, async c =>
        {
            Begin(c);
            c.Settle(Copied(1, 1));
            await c.CommitAsync(Token);
            c.Settle(Copied(2, 2));
            c.Forget(new Uid(1));
            c.SetKnownTargetUidNext(new Uid(9));
            c.SetMoveUnderWay(new TrashMark(new UidValidity(1), new Uid(1)));
            Assert.False(c.TryGet(new Uid(1), out _));
        });
        await UseAsync(Inbox, c =>
        {
            Assert.Equal([Copied(1, 1)], c.Messages);
            Assert.True(c.KnownTargetUidNext.IsNone);
            Assert.Null(c.MoveUnderWay);
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task Changes_are_seen_before_they_are_committed()
    {
        await UseAsync(Inbox, c =>
        {
            Begin(c);
            c.Settle(Copied(1, 1));
            c.Settle(new SettledMessage(new Uid(1), Uid.None, Settlement.Failed, Seen));
            Assert.Equal((0, 1), (c.Count(Settlement.Copied), c.Count(Settlement.Failed)));
            c.Forget(new Uid(1));
            c.Forget(new Uid(1));
            Assert.Equal((0, 0), (c.Count(Settlement.Copied), c.Count(Settlement.Failed)));
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task A_reset_forgets_all_but_what_it_says()
    {
        await UseAsync(Inbox, async c =>
        {
            Begin(c);
            c.Settle(Copied(1, 1));
            c.SetKnownTargetUidNext(new Uid(2));
            c.SetSourceModSeq(new ModSeq(4));
            await c.CommitAsync(Token);
            c.Reset(new UidValidity(70), new UidValidity(80), "other");
            c.Settle(Copied(6, 6) with { Flags = Seen });
            await c.CommitAsync(Token);
        });
        await UseAsync(Inbox, c =>
        {
            Assert.Equal((70u, 80u, "other"), (c.SourceValidity.Value, c.TargetValidity.Value, c.Rules));
            Assert.Equal([Copied(6, 6) with { Flags = Seen }], c.Messages);
            Assert.Equal(1, c.Count(Settlement.Copied));
            Assert.Null(c.SourceModSeq);
            Assert.True(c.KnownTargetUidNext.IsNone);
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task The_known_UIDNEXT_of_the_target_is_the_last_that_was_set()
    {
        await UseAsync(Inbox, async c =>
        {
            Begin(c);
            c.SetKnownTargetUidNext(new Uid(40));
            await c.CommitAsync(Token);
            c.SetKnownTargetUidNext(new Uid(30));
            c.Settle(Copied(1, 35));
            await c.CommitAsync(Token);
        });
        await UseAsync(Inbox, c =>
        {
            Assert.Equal(30u, c.KnownTargetUidNext.Value);
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task Messages_may_change_while_they_are_read()
    {
        await UseAsync(Inbox, c =>
        {
            Begin(c);
            for (var i = 1u; i <= 5000; i++)
                c.Settle(Copied(i * 2, i));
            var met = new List<uint>();
            foreach (var message in c.Messages)
            {
                met.Add(message.Source.Value);
                c.Forget(message.Source);
                if (message.Source.Value % 20 == 0)
                    c.Settle(Copied(message.Source.Value - 1, 1));
            }

            Assert.Equal(Enumerable.Range(1, 5000).Select(i => (uint)i * 2), met);
            Assert.Equal(500, c.Count(Settlement.Copied));
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task Pairs_are_kept_apart_and_commit_at_the_same_time()
    {
        var pairs = Enumerable.Range(0, 20).Select(i => new PairKey(new FolderPath("f", $"{i}"), new FolderPath("t"))).ToList();
        await using (var store = await OpenStoreAsync())
        {
            await Task.WhenAll(pairs.Select(async (pair, i) =>
            {
                await using var checkpoint = await store.OpenAsync(pair, Token);
                Begin(checkpoint);
                for (var n = 1u; n <= 5; n++)
                {
                    checkpoint.Settle(Copied(n, (uint)i + 1));
                    await checkpoint.CommitAsync(Token);
                }
            }));
        }

        await using var again = await OpenStoreAsync();
        for (var i = 0; i < pairs.Count; i++)
        {
            await using var checkpoint = await again.OpenAsync(pairs[i], Token);
            Assert.Equal(Enumerable.Repeat((uint)i + 1, 5), checkpoint.Messages.Select(m => m.Target.Value));
        }
    }

    [Fact]
    public async Task Staging_goes_on_while_commits_are_on_their_way()
    {
        await UseAsync(Inbox, async c =>
        {
            Begin(c);
            var commits = new List<Task>();
            for (var n = 1u; n <= 50; n++)
            {
                c.Settle(Copied(n, n));
                commits.Add(c.CommitAsync(Token).AsTask());
            }

            await Task.WhenAll(commits);
        });
        await UseAsync(Inbox, c =>
        {
            Assert.Equal(50, c.Messages.Count());
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task Summaries_are_those_saved_last()
    {
        var inbox = new PairSummary(Inbox, new FolderStatus(new UidValidity(1), new Uid(2), 3, 4, new ModSeq(5)),
            new FolderStatus(new UidValidity(6), new Uid(7), 8), "rules", 9, 10, "id with blank", Subscribed: true);
        var lists = new PairSummary(Lists, default, null, "", 0, 0);
        var gone = lists with { Pair = new PairKey(new FolderPath("gone"), new FolderPath("gone")) };
        await using (var store = await OpenStoreAsync())
        {
            await store.SaveSummariesAsync([inbox with { Settled = 1 }, gone], Token);
            await store.SaveSummariesAsync([inbox, lists], Token);
        }

        await using var again = await OpenStoreAsync();
        Assert.Equal(2, again.Summaries.Count);
        Assert.Equal(inbox, again.Summaries[Inbox]);
        Assert.Equal(lists, again.Summaries[Lists]);
    }

    [Fact]
    public async Task A_renamed_pair_keeps_its_checkpoint()
    {
        await UseAsync(Inbox, async c =>
        {
            Begin(c);
            c.Settle(Copied(1, 2) with { Flags = Seen });
            c.SetKnownTargetUidNext(new Uid(9));
            await c.CommitAsync(Token);
        });
        await using (var store = await OpenStoreAsync())
        {
            await store.RenameAsync(Inbox, Lists, Token);
            await store.RenameAsync(Inbox, Lists, Token);
        }

        await using var again = await OpenStoreAsync();
        await using var old = await again.OpenAsync(Inbox, Token);
        Assert.Equal(CheckpointCondition.New, old.Condition);
        await using var renamed = await again.OpenAsync(Lists, Token);
        Assert.Equal(CheckpointCondition.Good, renamed.Condition);
        Assert.Equal([Copied(1, 2) with { Flags = Seen }], renamed.Messages);
        Assert.Equal(9u, renamed.KnownTargetUidNext.Value);
    }

    [Fact]
    public async Task A_pair_is_opened_once_at_a_time()
    {
        await using var store = await OpenStoreAsync();
        await using (await store.OpenAsync(Inbox, Token))
            await Assert.ThrowsAsync<InvalidOperationException>(() => store.OpenAsync(Inbox, Token));
        await using var again = await store.OpenAsync(Inbox, Token);
    }

    [Fact]
    public async Task What_is_only_looked_at_stays_as_it_is()
    {
        await UseAsync(Inbox, async c =>
        {
            Begin(c);
            c.Settle(Copied(1, 1));
            await c.CommitAsync(Token);
        });
        await using (var store = await OpenStoreAsync(readOnly: true))
        {
            await using var c = await store.OpenAsync(Inbox, Token);
            c.Settle(Copied(2, 2));
            await c.CommitAsync(Token);
            Assert.Equal(2, c.Count(Settlement.Copied));
            await store.SaveSummariesAsync([new PairSummary(Inbox, default, null, "", 0, 0)], Token);
            Assert.Single(store.Summaries);
        }

        await using var again = await OpenStoreAsync();
        Assert.Empty(again.Summaries);
        await using var unchanged = await again.OpenAsync(Inbox, Token);
        Assert.Equal([Copied(1, 1)], unchanged.Messages);
    }

    protected static SettledMessage Copied(uint source, uint target) =>
        new(new Uid(source), new Uid(target), Settlement.Copied, FlagSet.Empty);

    protected static void Begin(ICheckpoint checkpoint) => checkpoint.Reset(new UidValidity(7), new UidValidity(8), "rules");

    /// <summary>Opens the store and the pair's checkpoint, calls <paramref name="use"/>, and closes both.</summary>
    protected async Task UseAsync(PairKey pair, Func<ICheckpoint, Task> use)
    {
        await using var store = await OpenStoreAsync();
        await using var checkpoint = await store.OpenAsync(pair, Token);
        await use(checkpoint);
    }
}
