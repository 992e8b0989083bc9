using System.Text;
using Imapsync.Engine.History;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Contracts;

/// <summary>The tests that every <see cref="IStateMedium"/> must pass, for every kind of state that it stores.</summary>
public abstract class StateMediumContract : CheckpointContract
{
    private static readonly StateName Journal = StateName.Journal(Inbox);

    /// <summary>Opens the state of this test's only job, or a part of that state; it is empty at first.</summary>
    protected abstract IStateMedium Open(string? part = null);

    protected override async Task<ICheckpointStore> OpenStoreAsync(bool readOnly = false) => await CheckpointStore.OpenAsync(Open(), readOnly, Token);

    [Fact]
    public async Task Looking_makes_no_state_and_there_is_one_once_it_was_made()
    {
        await using var state = Open();
        await state.CheckAsync(Token);
        Assert.False(await state.ExistsAsync(Token));
        Assert.False(await state.HasAsync(StateName.Summary, Token));
        Assert.Null(await state.OpenAsync(StateName.History, Token));
        Assert.Empty(await state.OpenJournalsAsync(Token).ToListAsync(Token));
        await using (var other = Open())
            Assert.False(await other.ExistsAsync(Token));
        await state.MakeAsync(Token);
        await using var made = Open();
        Assert.True(await made.ExistsAsync(Token));
    }

    [Fact]
    public async Task A_piece_is_what_was_put_last_whole()
    {
        await using var state = Open();
        await state.HoldAsync(Token);
        foreach (var name in (StateName[])[StateName.Summary, StateName.VerifyCursor, Journal, StateName.Journal(Lists)])
        {
            Assert.Null(await ReadAsync(state, name));
            await state.ReplaceAsync(name, Text($"first of {name.Pair}"), Token);
            await state.ReplaceAsync(name, async (stream, c) =>
            {
                await stream.WriteAsync(Text("second "), c);
                await stream.WriteAsync(Text($"of {name.Pair}"), c);
            }, Token);
            await Assert.ThrowsAsync<InvalidDataException>(() => state.ReplaceAsync(name, async (stream, c) =>
            {
                await stream.WriteAsync(Text("half"), c);
                throw new InvalidDataException();
            }, Token));
        }

        await using var looking = Open();
        foreach (var name in (StateName[])[StateName.Summary, StateName.VerifyCursor, Journal, StateName.Journal(Lists)])
            Assert.Equal($"second of {name.Pair}", await ReadAsync(looking, name));
    }

    [Fact]
    public async Task A_piece_that_is_read_in_bits_from_anywhere_ends_where_it_ends()
    {
        await using var state = Open();
        await state.ReplaceAsync(StateName.VerifyCursor, Text("0123456789"), Token);
        using var content = await state.OpenAsync(StateName.VerifyCursor, Token);
        Assert.Equal(10, content!.Length);
        Assert.Equal("789", Encoding.UTF8.GetString(await content.ReadUpToAsync(7, 100, Token)));
        Assert.Equal("34", Encoding.UTF8.GetString(await content.ReadUpToAsync(3, 2, Token)));
        Assert.Empty(await content.ReadUpToAsync(10, 1, Token));
    }

    [Fact]
    public async Task A_mark_is_there_until_it_is_removed()
    {
        await using var state = Open();
        await state.HoldAsync(Token);
        await state.MarkAsync(StateName.Appending, Text("x"), Token);
        await using (var other = Open())
            Assert.True(await other.HasAsync(StateName.Appending, Token));
        await state.RemoveAsync(StateName.Appending, Token);
        await state.RemoveAsync(StateName.Appending, Token);
        Assert.False(await state.HasAsync(StateName.Appending, Token));
    }

    [Fact]
    public async Task A_log_goes_on_after_what_stays_of_it()
    {
        await using var state = Open();
        await state.HoldAsync(Token);
        await state.ReplaceAsync(Journal, Text("one two"), Token);
        using (var log = state.Continue(Journal, 4))
        {
            await log.AppendAsync(Text("three "));
            await log.AppendAsync(Text("four "));
        }

        Assert.Equal("one three four ", await ReadAsync(state, Journal));
        using (var log = state.Continue(Journal, 10))
            await log.AppendAsync(Text("five"));
        await using var looking = Open();
        Assert.Equal("one three five", await ReadAsync(looking, Journal));
    }

    [Fact]
    public async Task Only_the_holder_writes_what_is_held_and_only_while_it_holds()
    {
        var state = Open();
        await RefusesAsync(state);
        await state.HoldAsync(Token);
        await state.ReplaceAsync(Journal, Text("kept"), Token);
        await state.ReplaceAsync(StateName.Summary, Text("kept"), Token);
        await using (var looking = Open())
        {
            await RefusesAsync(looking);
            // Some pieces of state, such as the verify cursor, can be written without holding the state, i.e. without its lock.
            await looking.ReplaceAsync(StateName.VerifyCursor, Text("mine"), Token);
        }

        await state.DisposeAsync();
        await RefusesAsync(state);
        await using var next = Open();
        await next.HoldAsync(Token);
        Assert.Equal(("kept", "kept", "mine"), (await ReadAsync(next, Journal), await ReadAsync(next, StateName.Summary), await ReadAsync(next, StateName.VerifyCursor)));
    }

    [Fact]
    public async Task A_second_holder_is_refused_until_the_first_is_gone()
    {
        await using (await OpenStoreAsync())
        {
            var refusal = await Assert.ThrowsAsync<CheckpointLockedException>(() => OpenStoreAsync());
            Assert.Contains($"pid {Environment.ProcessId} ", refusal.Message, StringComparison.Ordinal);
            await using var looking = await OpenStoreAsync(readOnly: true);
        }

        await using var next = await OpenStoreAsync();
    }

    [Fact]
    public async Task A_part_is_a_state_of_its_own()
    {
        await using (var part = Open("restore-1"))
        {
            Assert.False(await part.ExistsAsync(Token));
            await part.HoldAsync(Token);
            await part.ReplaceAsync(StateName.Summary, Text("the part's"), Token);
        }

        await using var state = Open();
        await state.HoldAsync(Token);
        await using var again = Open("restore-1");
        await again.HoldAsync(Token);
        await using var other = Open("restore-2");
        Assert.Equal((null, "the part's", false), (await ReadAsync(state, StateName.Summary), await ReadAsync(again, StateName.Summary), await other.ExistsAsync(Token)));
    }

    [Fact]
    public async Task A_journal_that_was_set_aside_is_found_by_no_run_and_another_can_begin()
    {
        await using var state = Open();
        await state.HoldAsync(Token);
        for (var n = 0; n < 5; n++)
        {
            await state.ReplaceAsync(Journal, Text($"damaged {n}"), Token);
            Assert.NotEmpty(await state.SetAsideAsync(Journal, Token) ?? "");
            Assert.Null(await ReadAsync(state, Journal));
        }

        await state.ReplaceAsync(StateName.Journal(Lists), Text("good"), Token);
        var found = new List<string>();
        await foreach (var journal in state.OpenJournalsAsync(Token))
        {
            using (journal)
                found.Add(Encoding.UTF8.GetString(await journal.ReadUpToAsync(0, 100, Token)));
        }

        Assert.Equal(["good"], found);
        await state.RemoveAsync(StateName.Journal(Lists), Token);
        Assert.Empty(await state.OpenJournalsAsync(Token).ToListAsync(Token));
    }

    [Fact]
    public async Task One_at_a_time_has_a_turn()
    {
        await using var state = Open();
        await state.MakeAsync(Token);
        await using var other = Open();
        using (Assert.IsAssignableFrom<IDisposable>(state.TryTakeTurn()))
            Assert.Null(other.TryTakeTurn());
        Assert.IsAssignableFrom<IDisposable>(other.TryTakeTurn()).Dispose();
    }

    [Fact]
    public async Task What_is_kept_of_a_job_beside_its_checkpoints_is_there_for_the_next_run()
    {
        var trash = new FolderStatus(new UidValidity(3), new Uid(10), 0);
        await using (var state = Open())
        {
            await state.HoldAsync(Token);
            await using var budget = await DayBudget.ReadAsync(state, StateName.TargetBudget, 100, TimeProvider.System, Token);
            await budget.SpendAsync(100, Token);
            await (await SampleCursor.ReadAsync(state, 0.25, Token)).SaveNextAsync(Token);
            await TrashOrigins.NoteAsync(state, trash, FolderPath.Parse("Lists/a"), Token);
            await TrashOrigins.NoteAsync(state, trash with { UidNext = new Uid(12) }, null, Token);
            await new AppendMark(state).SetAsync(FolderPath.Inbox);
            Assert.Contains(state.Where(StateName.Defect), await DefectFile.KeepAsync(state, new InvalidOperationException("why"), DateTimeOffset.UnixEpoch), StringComparison.Ordinal);
        }

        await using var again = Open();
        await again.HoldAsync(Token);
        await using var spent = await DayBudget.ReadAsync(again, StateName.TargetBudget, 100, TimeProvider.System, Token);
        await using var unspent = await DayBudget.ReadAsync(again, StateName.SourceBudget, 100, TimeProvider.System, Token);
        Assert.Equal((true, false, 1u), (spent.IsSpent, unspent.IsSpent, (await SampleCursor.ReadAsync(again, 0.25, Token)).Part));
        var origins = await TrashOrigins.ReadAsync(again, Token);
        Assert.Equal((FolderPath.Parse("Lists/a"), null), (origins.Find(new UidValidity(3), new Uid(11)), origins.Find(new UidValidity(3), new Uid(12))));
        var mark = new AppendMark(again);
        Assert.True(await mark.ExplainsAsync(FolderPath.Inbox));
        await mark.ClearAsync();
        Assert.False(await new AppendMark(again).ExplainsAsync(FolderPath.Inbox));
        Assert.Contains("why", await ReadAsync(again, StateName.Defect), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Histories_of_several_at_once_are_one_and_a_torn_end_costs_nothing_else()
    {
        Assert.Null(await new JobHistory(Open(), TimeProvider.System).BeginAsync(HistoryKind.Check, makesState: false, Token));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            var history = new JobHistory(Open(), TimeProvider.System);
            var begun = await history.BeginAsync(HistoryKind.Run, makesState: true, Token);
            await history.EndAsync(begun! with { Ended = DateTimeOffset.UnixEpoch, ExitStatus = 3 }, Token);
        }));
        await using var state = Open();
        var text = await ReadAsync(state, StateName.History);
        state.Continue(StateName.History, Encoding.UTF8.GetByteCount(text!) - 9).Dispose();
        await new JobHistory(state, TimeProvider.System).BeginAsync(HistoryKind.Verify, makesState: false, Token);
        var entries = await new JobHistory(Open(), TimeProvider.System).ReadAsync(Token);
        Assert.Equal((9, 7, HistoryKind.Verify), (entries.Length, entries.Count(e => e is { Ended: not null, ExitStatus: 3 }), entries[^1].Kind));
    }

    protected static ReadOnlyMemory<byte> Text(string text) => Encoding.UTF8.GetBytes(text);

    protected static async Task<string?> ReadAsync(IStateMedium state, StateName name) =>
        await state.ReadAllAsync(name, int.MaxValue, Token) is { } octets ? Encoding.UTF8.GetString(octets) : null;

    /// <summary>Asserts that every kind of write is refused, for state that only the lock's holder may write.</summary>
    protected static async Task RefusesAsync(IStateMedium state)
    {
        foreach (var name in (StateName[])[Journal, StateName.Summary, StateName.Appending, StateName.TrashOrigins])
        {
            await Assert.ThrowsAsync<CheckpointLockedException>(() => state.ReplaceAsync(name, Text("no"), Token));
            await Assert.ThrowsAsync<CheckpointLockedException>(() => state.RemoveAsync(name, Token));
        }

        await Assert.ThrowsAsync<CheckpointLockedException>(() => state.MarkAsync(StateName.Appending, Text("no"), Token));
        await Assert.ThrowsAsync<CheckpointLockedException>(() => state.SetAsideAsync(Journal, Token));
    }
}
