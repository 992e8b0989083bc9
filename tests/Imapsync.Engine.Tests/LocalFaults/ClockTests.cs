using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.LocalFaults;

/// <summary>A clock that jumps, mostly backwards. Values that must be unique or ascending must not depend on the clock.</summary>
public sealed class ClockTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly SetClock clock = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData("maildir")]
    [InlineData("mbox")]
    [InlineData("eml")]
    public async Task Messages_and_uids_stay_apart_and_ascending_when_the_clock_stands_still_or_goes_back(string format)
    {
        var uids = new List<Uid>();
        var validities = new HashSet<UidValidity>();
        for (var round = 0; round < 6; round++)
        {
            clock.Now = round switch { 0 or 1 => SetClock.Noon, 2 => SetClock.Noon.AddYears(-20), 3 => DateTimeOffset.UnixEpoch.AddSeconds(-5), 4 => SetClock.Noon.AddYears(60), _ => SetClock.Noon.AddDays(-1) };
            await using var folder = await OpenAsync(format);
            validities.Add(folder.Status.UidValidity);
            uids.AddRange(await folder.AppendAllAsync(Letter.Number(2 * round), Letter.Number((2 * round) + 1) with { Flags = FlagSet.Parse(["\\Seen"]) }));
        }

        Assert.Single(validities);
        Assert.Equal(uids.Distinct().Order(), uids);
        await using var last = await OpenAsync(format);
        Assert.Equal(
            Enumerable.Range(0, 12).Select(i => Convert.ToHexString(Letter.Number(i).Octets)).Order(),
            (await last.ReadAllAsync()).Values.Select(l => Convert.ToHexString(l.Octets)).Order());
    }

    [Fact]
    public async Task State_written_in_the_future_is_read_and_locked_as_ever()
    {
        var pair = new PairKey(FolderPath.Inbox, FolderPath.Inbox);
        clock.Now = SetClock.Noon.AddYears(10);
        await using (var store = await CheckpointStore.OpenAsync(directory.Path, clock, readOnly: false, Token))
        {
            await using var c = await store.OpenAsync(pair, Token);
            c.Reset(new UidValidity(1), new UidValidity(1), "");
            c.Settle(new SettledMessage(new Uid(1), new Uid(1), Settlement.Copied, FlagSet.Empty));
            await c.CommitAsync(Token);
        }

        clock.Now = SetClock.Noon.AddYears(-10);
        await using var again = await CheckpointStore.OpenAsync(directory.Path, clock, readOnly: false, Token);
        await Assert.ThrowsAsync<CheckpointLockedException>(() => CheckpointStore.OpenAsync(directory.Path, clock, readOnly: false, Token));
        await using var checkpoint = await again.OpenAsync(pair, Token);
        Assert.Equal((CheckpointCondition.Good, 1), (checkpoint.Condition, checkpoint.Messages.Count()));
    }

    [Fact]
    public async Task A_lock_and_temporary_files_from_the_future_are_judged_by_their_process_not_by_their_age()
    {
        await using (await OpenAsync("maildir"))
        {
        }

        clock.Now = SetClock.Noon.AddYears(-20);
        var list = Path.Combine(directory.Path, "dovecot-uidlist.lock");
        await File.WriteAllTextAsync(list, $"{int.MaxValue}:{Environment.MachineName}", Token);
        var leftover = Path.Combine(directory.Path, "tmp", $"1000.M000001P{int.MaxValue}Q1R00000000.{Environment.MachineName}");
        await File.WriteAllTextAsync(leftover, "dead", Token);
        await using var folder = await OpenAsync("maildir");
        await folder.AppendAllAsync(Letter.Number(1));
        Assert.False(File.Exists(list));
        Assert.False(File.Exists(leftover));
    }

    [Fact]
    public async Task Which_part_is_sampled_next_is_counted_and_not_told_by_the_clock()
    {
        var parts = new List<uint>();
        for (var run = 0; run < 5; run++)
        {
            var rotation = await SampleCursor.ReadAsync(new FileMedium(new StateLocation(directory.Path), TimeProvider.System), 0.25, Token);
            parts.Add(rotation.Part);
            await rotation.SaveNextAsync(Token);
            File.SetLastWriteTimeUtc(Path.Combine(directory.Path, "verify"), DateTime.UnixEpoch.AddYears(run % 2 == 0 ? 100 : 1));
        }

        Assert.Equal([0u, 1, 2, 3, 0], parts);
    }

    private async Task<IWritableFolder> OpenAsync(string format)
    {
        Endpoint endpoint = format switch { "mbox" => new MboxEndpoint(directory.Path), "eml" => new EmlEndpoint(directory.Path), _ => new MaildirEndpoint(directory.Path) };
        var store = await StoreRegistry.OpenTargetAsync(endpoint, forWriting: true, new StoreContext(clock, _ => { }), Token);
        await store.CreateFolderAsync(FolderPath.Inbox, SpecialFolder.None, Token);
        return await store.OpenForWritingAsync(FolderPath.Inbox, Token);
    }

    /// <summary>A clock whose date the test sets; its timers run normally.</summary>
    private sealed class SetClock : TimeProvider
    {
        public static DateTimeOffset Noon { get; } = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

        public DateTimeOffset Now { get; set; } = Noon;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
