using System.Collections.Immutable;
using Imapsync.Engine.Files;
using Imapsync.Engine.History;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.History;

public sealed class JobHistoryTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2024, 3, 1, 2, 15, 0, TimeSpan.Zero);

    private readonly TempDir dir = new();
    private readonly SetTime time = new(Start);

    private CancellationToken Token => TestContext.Current.CancellationToken;

    private string FilePath => Path.Combine(dir["state"], "history");

    [Fact]
    public async Task What_was_noted_is_read_again_as_it_was()
    {
        var history = new JobHistory(dir["state"], time);
        var begun = await history.BeginAsync(HistoryKind.Run, makesState: true, Token);
        time.Now += TimeSpan.FromMinutes(3);
        var report = Report("INBOX", 7) with
        {
            Outcome = JobOutcome.Incomplete,
            Problems =
            [
                new Problem(FailureScope.Message, new FolderPath("A b", "ü%\\"), 17, "refused", "the server's\nwords %41 <script>")
                {
                    Envelope = new Envelope("Grüße \u202E<script>alert(1)</script>", "Jörg", "j@example.org", new DateTimeOffset(2026, 1, 30, 9, 12, 0, TimeSpan.FromHours(1))),
                },
                new Problem(FailureScope.Store, null, null, "failed", ""),
            ],
        };
        var ended = begun!.End(report, 3);
        await history.EndAsync(ended, Token);

        var read = Assert.Single(await history.ReadAsync(Token));

        Assert.Equal(ended.Problems, read.Problems);
        Assert.Equal(ended.Folders, read.Folders);
        Assert.Equal(
            ended with { Problems = [], Folders = [], Began = read.Began },
            read with { Problems = [], Folders = [] });
        Assert.False(read.IsSuccess);

        var quick = Assert.Single(await history.ReadWithoutFoldersAsync(Token));
        Assert.Empty(quick.Folders);
        Assert.Equal(read.Problems, quick.Problems);
        Assert.Equal(read with { Problems = [], Folders = [] }, quick with { Problems = [], Folders = [] });
    }

    [Fact]
    public async Task A_run_that_was_killed_has_no_end_and_looking_makes_no_state()
    {
        var history = new JobHistory(dir["state"], time);
        Assert.Null(await history.BeginAsync(HistoryKind.Verify, makesState: false, Token));
        Assert.Empty(await history.ReadAsync(Token));
        Assert.False(Directory.Exists(dir["state"]));

        await history.BeginAsync(HistoryKind.Run, makesState: true, Token);

        var read = Assert.Single(await history.ReadAsync(Token));
        Assert.Null(read.Ended);
        Assert.False(read.IsSuccess);
        Assert.Equal(Environment.ProcessId, read.Process!.Id);
    }

    [Fact]
    public async Task Nothing_is_written_into_somebody_elses_directory()
    {
        Directory.CreateDirectory(dir["state"]);
        dir.Write("state/precious.txt", "mine");
        await Assert.ThrowsAsync<IOException>(() => new JobHistory(dir["state"], time).BeginAsync(HistoryKind.Run, makesState: true, Token));
        Assert.Equal(["precious.txt"], Directory.EnumerateFileSystemEntries(dir["state"]).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData(24, 1000, 12)]
    [InlineData(1, 1000, 12)]
    [InlineData(24, 1000, 300)]
    public async Task A_thousand_runs_stay_within_the_stated_size_and_their_sums_are_kept(int hoursApart, int runs, int folders)
    {
        var history = new JobHistory(dir["state"], time);
        long copied = 0, most = 0;
        for (var run = 0; run < runs; run++)
        {
            var begun = await history.BeginAsync(HistoryKind.Run, makesState: true, Token);
            time.Now += TimeSpan.FromMinutes(1);
            var isKilled = run % 50 == 17;
            if (!isKilled)
            {
                var report = Report("folder", run, folders) with { Outcome = run % 7 == 3 ? JobOutcome.Failed : JobOutcome.Ok };
                copied += report.Totals.Copied;
                await history.EndAsync(begun!.End(report, 0), Token);
            }

            most = Math.Max(most, new FileInfo(FilePath).Length);
            time.Now += TimeSpan.FromHours(hoursApart) - TimeSpan.FromMinutes(1);
        }

        Assert.InRange(most, 1, JobHistory.MostBytes);
        var entries = await history.ReadAsync(Token);
        Assert.Equal(entries.OrderBy(e => e.Began), entries);
        Assert.Equal(runs, entries.Sum(e => 1 + e.LeftOut.Count));
        Assert.Equal(copied, entries.Sum(e => e.Totals.Copied + e.LeftOut.Copied));
        if (folders <= 12)
        {
            // Every run of the last 90 days must be there, however much the older runs were thinned out.
            var recent = Enumerable.Range(0, runs).Count(run => Start + TimeSpan.FromHours((double)run * hoursApart) > time.Now - TimeSpan.FromDays(89));
            Assert.InRange(entries.Count(e => e.Began > time.Now - TimeSpan.FromDays(89)), Math.Min(recent, 80), recent + 1);
        }
    }

    [Fact]
    public async Task Cut_off_at_any_octet_it_tells_what_was_whole_and_goes_on()
    {
        var history = new JobHistory(dir["state"], time);
        for (var run = 0; run < 3; run++)
        {
            var begun = await history.BeginAsync(HistoryKind.Run, makesState: true, Token);
            time.Now += TimeSpan.FromMinutes(1);
            await history.EndAsync(begun!.End(Report("INBOX", run), 0), Token);
        }

        var whole = await File.ReadAllBytesAsync(FilePath, Token);
        var all = await history.ReadAsync(Token);
        for (var length = 0; length <= whole.Length; length++)
        {
            await File.WriteAllBytesAsync(FilePath, whole[..length], Token);
            var before = await history.ReadAsync(Token);
            foreach (var entry in before.Where(e => e.Ended is not null))
                Assert.Equal(entry with { Folders = [], Problems = [] }, all.Single(e => e.Id == entry.Id) with { Folders = [], Problems = [] });

            var begun = await history.BeginAsync(HistoryKind.Run, makesState: true, Token);
            await history.EndAsync(begun!.End(Report("after", 1), 0), Token);

            var after = await history.ReadAsync(Token);
            Assert.Equal(before.Select(e => (e.Id, e.Ended)).Append((begun.Id, begun.End(Report("after", 1), 0).Ended)), after.Select(e => (e.Id, e.Ended)));
        }
    }

    [Fact]
    public async Task Changed_at_any_octet_it_costs_what_stood_there_and_nothing_fails()
    {
        var history = new JobHistory(dir["state"], time);
        for (var run = 0; run < 3; run++)
            await history.EndAsync((await history.BeginAsync(HistoryKind.Run, makesState: true, Token))!.End(Report("INBOX", run), 0), Token);
        var whole = await File.ReadAllBytesAsync(FilePath, Token);
        var all = (await history.ReadAsync(Token)).ToDictionary(e => e.Id, e => e.Totals);
        for (var at = 0; at < whole.Length; at++)
        {
            var changed = whole.ToArray();
            changed[at] ^= 0x15;
            await File.WriteAllBytesAsync(FilePath, changed, Token);
            var read = await history.ReadAsync(Token);
            Assert.InRange(read.Length, 2, 3);
            Assert.All(read.Where(e => e.Ended is not null), e => Assert.Equal(all[e.Id], e.Totals));
        }
    }

    [Fact]
    public async Task A_newer_versions_history_is_left_as_it_is()
    {
        var history = new JobHistory(dir["state"], time);
        await history.BeginAsync(HistoryKind.Run, makesState: true, Token);
        var lines = new RecordWriter(isChained: false);
        lines.Begin("imapsync-history"u8).Add(2).End();
        await File.WriteAllBytesAsync(FilePath, lines.Written.ToArray(), Token);

        await Assert.ThrowsAsync<NewerHistoryException>(() => history.ReadAsync(Token));
        await Assert.ThrowsAsync<NewerHistoryException>(() => history.BeginAsync(HistoryKind.Run, makesState: true, Token));

        Assert.Equal(lines.Written.ToArray(), await File.ReadAllBytesAsync(FilePath, Token));
    }

    [Fact]
    public async Task Many_at_once_lose_nothing()
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, 40), Token, async (run, token) =>
        {
            var history = new JobHistory(dir["state"], TimeProvider.System);
            await history.EndAsync((await history.BeginAsync(HistoryKind.Run, makesState: true, token))!.End(Report("INBOX", run), 0), token);
        });
        var read = await new JobHistory(dir["state"], time).ReadAsync(Token);
        Assert.Equal(Enumerable.Range(0, 40).Select(i => (long)i), read.Where(e => e.Ended is not null).Select(e => e.Totals.Copied).Order());
    }

    public void Dispose() => dir.Dispose();

    private JobReport Report(string folder, int copied, int folders = 1)
    {
        var counts = new FolderCounts { SourceMessages = 100 + copied, Copied = copied, AlreadyPresent = 100, Bytes = 1000L * copied };
        ImmutableArray<FolderReport> each = [.. Enumerable.Range(0, folders).Select(i => new FolderReport(new FolderPath(folder, $"Number {i}"), new FolderPath(folder, $"Number {i}"), counts))];
        return new JobReport("alice", JobOutcome.Ok, time.Now.AddMinutes(-1), time.Now, counts, each, [], []);
    }

    private sealed class SetTime(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
