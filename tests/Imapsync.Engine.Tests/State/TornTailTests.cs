using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.State;

/// <summary>A truncated journal is read up to its last complete commit. A journal with changed octets is not used.</summary>
public sealed class TornTailTests : IDisposable
{
    private static readonly PairKey Pair = new(new FolderPath("Списки", "a b"), new FolderPath("t"));
    private readonly StateFolder folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_journal_cut_at_any_length_is_as_it_was_at_a_commit()
    {
        var commits = await WriteHistoryAsync();
        var whole = await File.ReadAllBytesAsync(folder.Journal, Token);
        var path = folder.Journal;
        for (var length = 0; length <= whole.Length; length++)
        {
            var expected = commits.LastOrDefault(c => c.Length <= length).State;
            await File.WriteAllBytesAsync(path, whole[..length], Token);
            var (condition, state) = await ReopenAsync();
            Assert.Equal((length, expected is null ? CheckpointCondition.Damaged : CheckpointCondition.Good), (length, condition));
            if (expected is not null)
                Assert.Equal((length, expected), (length, state));
        }
    }

    [Fact]
    public async Task A_journal_cut_at_any_length_can_be_continued()
    {
        var commits = await WriteHistoryAsync();
        var whole = await File.ReadAllBytesAsync(folder.Journal, Token);
        var path = folder.Journal;
        for (var length = (int)commits[0].Length; length <= whole.Length; length += 7)
        {
            await File.WriteAllBytesAsync(path, whole[..length], Token);
            var expected = await UseAsync(async c =>
            {
                c.Settle(new SettledMessage(new Uid(999), new Uid(1), Settlement.Adopted, FlagSet.Create(MessageFlags.Draft)));
                await c.CommitAsync(Token);
            });
            Assert.Equal((CheckpointCondition.Good, expected), await ReopenAsync());
        }
    }

    [Fact]
    public async Task Zeros_after_a_torn_tail_are_cut_off_with_it()
    {
        var commits = await WriteHistoryAsync();
        var whole = await File.ReadAllBytesAsync(folder.Journal, Token);
        var cut = (int)commits[1].Length + 11;
        await File.WriteAllBytesAsync(folder.Journal, [.. whole[..cut], .. new byte[5000]], Token);
        Assert.Equal((CheckpointCondition.Good, commits[1].State), await ReopenAsync());
    }

    [Fact]
    public async Task Any_one_octet_changed_is_damage()
    {
        await WriteHistoryAsync();
        var whole = await File.ReadAllBytesAsync(folder.Journal, Token);
        var path = folder.Journal;
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var at = 0; at < whole.Length; at++)
        {
            var changed = (byte[])whole.Clone();
            changed[at] ^= (byte)random.Next(1, 256);
            await File.WriteAllBytesAsync(path, changed, Token);
            var (condition, _) = await ReopenAsync();
            Assert.True(condition == CheckpointCondition.Damaged, $"octet {at} made {changed[at]}, seed {seed}: {condition}");
        }
    }

    [Fact]
    public async Task Random_damage_never_gives_a_state_that_never_was()
    {
        var commits = await WriteHistoryAsync();
        var states = commits.Select(c => c.State).ToHashSet();
        var whole = await File.ReadAllBytesAsync(folder.Journal, Token);
        var path = folder.Journal;
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 500; round++)
        {
            var changed = Mutate(whole, random);
            await File.WriteAllBytesAsync(path, changed, Token);
            var (condition, state) = await ReopenAsync();
            Assert.True(
                condition == CheckpointCondition.Damaged || (condition == CheckpointCondition.Good && states.Contains(state)),
                $"seed {seed}, round {round}: {condition} {state}");
        }
    }

    private static byte[] Mutate(byte[] whole, Random random)
    {
        var octets = whole.ToList();
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var at = random.Next(octets.Count);
            var count = Math.Min(random.Next(1, 80), octets.Count - at);
            switch (random.Next(5))
            {
                case 0: octets[at] = (byte)random.Next(256); break;
                case 1: octets.RemoveRange(at, Math.Min(count, octets.Count - 1)); break;
                case 2: octets.InsertRange(random.Next(octets.Count), octets.GetRange(at, count)); break;
                case 3: octets.RemoveRange(at, Math.Min(octets.Count - at, octets.Count - 1)); break;
                default: octets.InsertRange(at, new byte[count]); break;
            }
        }

        return [.. octets];
    }

    /// <summary>
    /// Writes a typical journal: a first run, batches of messages, flag changes, deletions, a new UIDVALIDITY. Returns the journal's length
    /// and state after each commit.
    /// </summary>
    private async Task<List<(long Length, string State)>> WriteHistoryAsync()
    {
        var commits = new List<(long Length, string State)>();
        await using var store = await folder.OpenAsync();
        await using var c = await store.OpenAsync(Pair, Token);
        var random = new Random(4711);
        c.Reset(new UidValidity(11), new UidValidity(12), "");
        await CommitAsync();
        for (uint window = 0; window < 5; window++)
        {
            c.SetKnownTargetUidNext(new Uid(100 + window));
            await CommitAsync();
            for (uint n = 1; n <= 6; n++)
            {
                var flags = FlagSet.Create((MessageFlags)random.Next(4), random.Next(3) == 0 ? [$"k{random.Next(3)}", "ü %"] : null);
                c.Settle(new SettledMessage(new Uid((window * 6) + n), new Uid(100 + (uint)random.Next(90)), (Settlement)random.Next(5), flags));
            }

            c.Forget(new Uid(window + 1));
            c.SetSourceModSeq(window % 3 == 2 ? null : new ModSeq(window));
            c.SetRules($"rules {window / 2}");
            if (window == 3)
                c.Reset(new UidValidity(21), new UidValidity(22), "again");
            await CommitAsync();
        }

        return commits;

        async Task CommitAsync()
        {
            await c.CommitAsync(Token);
            commits.Add((new FileInfo(folder.Journal).Length, c.Describe()));
        }
    }

    private async Task<string> UseAsync(Func<ICheckpoint, Task> use)
    {
        await using var store = await folder.OpenAsync();
        await using var checkpoint = await store.OpenAsync(Pair, Token);
        await use(checkpoint);
        return checkpoint.Describe();
    }

    private async Task<(CheckpointCondition Condition, string State)> ReopenAsync()
    {
        var condition = CheckpointCondition.New;
        var state = await UseAsync(c =>
        {
            condition = c.Condition;
            Assert.Equal(condition == CheckpointCondition.Damaged, c.Damage is not null);
            return Task.CompletedTask;
        });
        return (condition, state);
    }
}
