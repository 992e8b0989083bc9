using Imapsync.Engine.Configuration;
using Imapsync.Engine.History;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.CommandLine.Tests;

/// <summary>The effects of a watched job's runs: the entries in its history, and its notifications.</summary>
public sealed class WatchRecordTests : IDisposable
{
    private readonly SetClock clock = new();
    private readonly string directory = System.IO.Directory.CreateTempSubdirectory("imapsync-record-").FullName;
    private readonly StopSignals signals = new(TimeProvider.System);
    private readonly WatchRecord record;

    public WatchRecordTests() => record = Record(new WatchSettings());

    public void Dispose()
    {
        signals.Dispose();
        System.IO.Directory.Delete(directory, recursive: true);
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(5, 5)]
    [InlineData(30, 30)]
    public async Task Runs_that_end_alike_are_one_entry_in_five_minutes_or_as_seldom_as_the_job_is_looked_at(int every, int period)
    {
        var kept = Record(new WatchSettings { Every = TimeSpan.FromMinutes(every) });
        await kept.AddAsync(Ok(copied: 1));
        for (var minute = 1; minute <= 2 * period; minute++)
        {
            clock.Advance(TimeSpan.FromMinutes(1));
            await kept.AddAsync(Ok(copied: 1));
        }

        await kept.EndAsync();
        Assert.Equal([(0, 1L), (0, (long)period), (0, (long)period)], await EntriesAsync());
    }

    [Fact]
    public async Task Another_end_is_an_entry_at_once_and_so_is_what_was_done_before_it()
    {
        await record.AddAsync(Ok(copied: 1));
        await record.AddAsync(Ok(copied: 2));
        await record.AddAsync(Ok(copied: 3));
        await record.AddAsync(Failed(StopReason.Connect));
        await record.AddAsync(Failed(StopReason.Connect));
        await record.AddAsync(Ok(copied: 4));
        await record.EndAsync();
        Assert.Equal([(0, 1L), (0, 5L), (11, 0L), (11, 0L), (0, 4L)], await EntriesAsync());
    }

    [Fact]
    public async Task A_run_that_meets_another_ones_lock_leaves_that_one_its_entry()
    {
        await record.AddAsync(Failed(StopReason.Locked));
        await record.EndAsync();
        Assert.Empty(await EntriesAsync());
    }

    [Fact]
    public async Task A_failure_that_lasts_is_told_once_a_day_and_anew_after_all_was_in_place()
    {
        for (var hour = 0; hour <= 49; hour++)
        {
            await record.AddAsync(Incomplete());
            clock.Advance(TimeSpan.FromHours(1));
        }

        await record.AddAsync(Ok());
        await record.AddAsync(Incomplete());
        await record.EndAsync();
        Assert.Equal([3, 3, 3, 3], Told("failure"));
        Assert.True(Told("always").Count >= 50);
    }

    [Theory]
    [InlineData(StopReason.Authentication, 12)]
    [InlineData(StopReason.DeletionLimit, 13)]
    [InlineData(StopReason.Connect, 11)]
    public async Task A_failure_of_another_kind_is_told_at_once_though_one_lasts(StopReason stop, int status)
    {
        await record.AddAsync(Incomplete());
        clock.Advance(TimeSpan.FromHours(1));
        await record.AddAsync(Failed(stop));
        // Two failures that alternate are each notified once a day.
        for (var minute = 0; minute < 60; minute++)
        {
            clock.Advance(TimeSpan.FromMinutes(1));
            await record.AddAsync(minute % 2 == 0 ? Incomplete() : Failed(stop));
        }

        await record.EndAsync();
        Assert.Equal([3, status], Told("failure"));
    }

    [Fact]
    public async Task A_run_that_a_stop_cut_short_adds_what_it_did_and_changes_nothing_else()
    {
        await record.AddAsync(Ok(copied: 1));
        await record.AddAsync(Run(JobOutcome.Cancelled, StopReason.Cancelled, copied: 5));
        await record.EndAsync();
        Assert.Equal([(0, 1L), (0, 5L)], await EntriesAsync());
        Assert.Empty(Told("failure"));
        Assert.Equal([0], Told("always"));
    }

    [Fact]
    public async Task A_first_run_that_a_stop_cut_short_is_kept_and_nobody_is_told()
    {
        await record.AddAsync(Run(JobOutcome.Cancelled, StopReason.Cancelled, copied: 5));
        await record.EndAsync();
        Assert.Equal([(130, 5L)], await EntriesAsync());
        Assert.Empty(Told("failure"));
        Assert.Empty(Told("always"));
    }

    private static JobReport Ok(long copied = 0) => Run(JobOutcome.Ok, StopReason.None, copied);

    private static JobReport Incomplete() => Run(JobOutcome.Incomplete, StopReason.None);

    /// <summary>Returns the report of a run that failed before it had listed any folder.</summary>
    private static JobReport Failed(StopReason stop) => Reports.Of("alice", JobOutcome.Failed, stop);

    private static JobReport Run(JobOutcome outcome, StopReason stop, long copied = 0)
    {
        var counts = new FolderCounts { SourceMessages = 1000, Copied = copied, AlreadyPresent = 1000 - copied };
        return Reports.Of("alice", outcome, stop) with { Totals = counts, Folders = [new FolderReport(FolderPath.Inbox, FolderPath.Inbox, counts)] };
    }

    private WatchRecord Record(WatchSettings settings)
    {
        var job = new JobDefinition("alice", new MaildirEndpoint("/s"), new MaildirEndpoint("/t"))
        {
            StateDirectory = Path.Combine(directory, "state"),
            Watch = settings,
            Notices = [Notice(NoticeOccasion.Failure), Notice(NoticeOccasion.Always)],
        };
        var surroundings = new HostContext
        {
            Out = TextWriter.Null,
            Error = TextWriter.Null,
            Environment = new Dictionary<string, string>(),
            Time = clock,
            OpenStore = Openers.Both(_ => throw new InvalidOperationException()),
            RunJob = (_, _, _, _, _) => throw new InvalidOperationException(),
            HistoryOf = states => new JobHistory(states, clock),
        };
        return new WatchRecord(surroundings, new JobFile([job], []), job, metricsPath: null, signals, text => Assert.Fail(text));
    }

    private Notice Notice(NoticeOccasion on) =>
        new("", new CommandMeans($"cat > /dev/null; echo $IMAPSYNC_EXIT_STATUS >> {directory}/{(on == NoticeOccasion.Failure ? "failure" : "always")}")) { On = on };

    private async Task<List<(int Status, long Copied)>> EntriesAsync() =>
        [.. (await new JobHistory(Path.Combine(directory, "state"), clock).ReadAsync(TestContext.Current.CancellationToken)).Select(e => (e.ExitStatus, e.Totals.Copied))];

    private List<int> Told(string occasion) =>
        Path.Combine(directory, occasion) is var path && File.Exists(path) ? [.. File.ReadLines(path).Select(int.Parse)] : [];

    /// <summary>
    /// A wall clock set by hand, with timers in real time. So setting the clock does not trigger a notification's time limit.
    /// </summary>
    private sealed class SetClock : TimeProvider
    {
        private DateTimeOffset now = Reports.Start;

        public void Advance(TimeSpan time) => now += time;

        public override DateTimeOffset GetUtcNow() => now;
    }
}
