using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.State;

/// <summary>
/// A journal whose records are mostly outdated is rewritten. A crash during the rewrite leaves the recorded state unchanged.
/// </summary>
public sealed class CompactionTests : IDisposable
{
    private static readonly PairKey Inbox = new(FolderPath.Inbox, FolderPath.Inbox);
    private readonly StateFolder folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task History_is_dropped_when_the_checkpoint_is_closed()
    {
        var (before, state) = await WriteHistoryAsync(leaveOneStaged: false);
        Assert.InRange(new FileInfo(folder.Journal).Length, 1, before / 4);
        Assert.Equal(state, await ReopenAsync());
        Assert.Contains("$Kept", await File.ReadAllTextAsync(folder.Journal, Token), StringComparison.Ordinal);
        Assert.DoesNotContain("$Dropped", await File.ReadAllTextAsync(folder.Journal, Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task History_is_dropped_when_the_checkpoint_is_opened_and_it_can_be_continued()
    {
        var (before, state) = await WriteHistoryAsync(leaveOneStaged: true);
        Assert.Equal(before, new FileInfo(folder.Journal).Length);
        Assert.Equal(state, await ReopenAsync());
        Assert.InRange(new FileInfo(folder.Journal).Length, 1, before / 4);
        string continued;
        await using (var store = await folder.OpenAsync())
        {
            await using var c = await store.OpenAsync(Inbox, Token);
            c.Settle(new SettledMessage(new Uid(100), new Uid(1), Settlement.Copied, FlagSet.Create(MessageFlags.None, ["$New"])));
            await c.CommitAsync(Token);
            continued = c.Describe();
        }

        Assert.Equal(continued, await ReopenAsync());
    }

    [Fact]
    public async Task A_crash_at_any_step_leaves_the_old_journal_or_the_new_one()
    {
        var (_, state) = await WriteHistoryAsync(leaveOneStaged: true);
        var path = folder.Journal;
        var old = await File.ReadAllBytesAsync(path, Token);
        Assert.Equal(state, await ReopenAsync());
        var compacted = await File.ReadAllBytesAsync(path, Token);

        // Every crash state: the temporary file written in part, then the rename.
        for (var written = 0; written <= compacted.Length; written += 9)
        {
            await File.WriteAllBytesAsync(path, old, Token);
            await File.WriteAllBytesAsync(path + ".tmp", compacted[..written], Token);
            Assert.Equal(state, await ReopenAsync());
            Assert.Equal(path, Assert.Single(Directory.GetFiles(folder.Pairs)));
        }

        await File.WriteAllBytesAsync(path, compacted, Token);
        Assert.Equal(state, await ReopenAsync());
        Assert.Equal(compacted, await File.ReadAllBytesAsync(path, Token));
    }

    [Fact]
    public async Task A_crash_while_the_summary_is_replaced_leaves_the_old_or_the_new_one()
    {
        var summary = new PairSummary(Inbox, default, null, "old", 1, 2);
        await using (var store = await folder.OpenAsync())
            await store.SaveSummariesAsync([summary], Token);
        var whole = await File.ReadAllBytesAsync(folder.Summary, Token);
        for (var written = 0; written <= whole.Length; written++)
        {
            await File.WriteAllBytesAsync(folder.Summary + ".tmp", whole[..written], Token);
            await using var store = await folder.OpenAsync();
            Assert.Equal(summary, Assert.Single(store.Summaries).Value);
            Assert.False(File.Exists(folder.Summary + ".tmp"));
        }
    }

    [Fact]
    public async Task A_crash_between_the_steps_of_a_rename_is_made_good_by_renaming_again()
    {
        var to = new PairKey(new FolderPath("new"), new FolderPath("new"));
        var (_, state) = await WriteHistoryAsync(leaveOneStaged: false);
        var (path, old) = (folder.Journal, await File.ReadAllBytesAsync(folder.Journal, Token));
        await RenameAsync();
        await File.WriteAllBytesAsync(path, old, Token);
        await RenameAsync();
        Assert.StartsWith("new-", Path.GetFileName(folder.Journal), StringComparison.Ordinal);
        Assert.Equal(state, await ReopenAsync(to));

        async Task RenameAsync()
        {
            await using var store = await folder.OpenAsync();
            await store.RenameAsync(Inbox, to, Token);
        }
    }

    [Fact]
    public async Task A_commit_that_can_not_be_written_fails_and_so_does_every_later_one()
    {
        await using var store = await folder.OpenAsync();
        var c = await store.OpenAsync(Inbox, Token);
        c.Reset(new UidValidity(1), new UidValidity(1), "");
        Directory.Delete(folder.Pairs);
        await Assert.ThrowsAsync<CheckpointException>(async () => await c.CommitAsync(Token));
        Directory.CreateDirectory(folder.Pairs);
        c.SetRules("x");
        await Assert.ThrowsAsync<CheckpointException>(async () => await c.CommitAsync(Token));
        await c.DisposeAsync();
        await using var again = await store.OpenAsync(Inbox, Token);
        Assert.Equal(CheckpointCondition.New, again.Condition);
        again.Reset(new UidValidity(1), new UidValidity(1), "");
        await again.CommitAsync(Token);
    }

    /// <summary>
    /// Changes the flags of a few messages over and over. Closing the journal then compacts it, unless <paramref name="leaveOneStaged"/>
    /// leaves a change uncommitted.
    /// </summary>
    private async Task<(long Length, string State)> WriteHistoryAsync(bool leaveOneStaged)
    {
        await using var store = await folder.OpenAsync();
        await using var c = await store.OpenAsync(Inbox, Token);
        c.Reset(new UidValidity(1), new UidValidity(2), "rules");
        for (uint round = 0; round < 4000; round++)
        {
            var keyword = round >= 3990 ? "$Kept" : $"$Dropped{round % 7}";
            c.Settle(new SettledMessage(new Uid((round % 10) + 1), new Uid(round), Settlement.Adopted, FlagSet.Create(MessageFlags.Seen, [keyword])));
        }

        c.Forget(new Uid(4));
        c.SetKnownTargetUidNext(new Uid(5000));
        c.SetSourceModSeq(new ModSeq(77));
        await c.CommitAsync(Token);
        var result = (new FileInfo(folder.Journal).Length, c.Describe());
        if (leaveOneStaged)
            c.SetRules("never committed");
        return result;
    }

    private async Task<string> ReopenAsync(PairKey? pair = null)
    {
        await using var store = await folder.OpenAsync();
        await using var c = await store.OpenAsync(pair ?? Inbox, Token);
        Assert.Equal(CheckpointCondition.Good, c.Condition);
        return c.Describe();
    }
}
