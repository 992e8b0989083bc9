using System.Threading.Channels;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Watching;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Watching;

public sealed class JobWatcherTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan BigStep = TimeSpan.FromSeconds(5);

    private readonly WatchedSource source = new();
    private WatchSettings settings = new() { Every = TimeSpan.FromDays(1) };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task However_changes_come_and_lines_break_all_is_there_soon_after(int seed)
    {
        var random = new Random(seed);
        await using var watching = Start();
        for (var i = 0; i < 100; i++)
        {
            switch (random.Next(8))
            {
                case 0:
                    source.Cut();
                    break;
                case < 4:
                    source.Change();
                    break;
                default:
                    await PassAsync(TimeSpan.FromMilliseconds(random.Next(3000)));
                    break;
            }
        }

        await UntilAsync(() => source.IsCopied, $"seed {seed}: {source.Copied} of {source.Version}");
    }

    [Fact]
    public async Task A_source_that_tells_nothing_is_looked_at_every_so_often()
    {
        settings = settings with { Every = TimeSpan.FromMinutes(5) };
        source.Tells = false;
        await using var watching = Start();
        await UntilAsync(() => source.Began.Count == 1, "the first run");
        source.Change();
        await UntilAsync(() => source.Began.Count == 3, "two more", BigStep);
        Assert.True(source.IsCopied);
        Assert.All(source.Began.Zip(source.Began.Skip(1), (a, b) => b - a), gap => Assert.True(gap >= TimeSpan.FromMinutes(5), $"{gap}"));
        Assert.Equal(["looked at every 5 min: the source tells nothing of changes by itself"], source.Notes);
    }

    [Fact]
    public async Task A_feed_that_is_silent_is_not_trusted_for_ever()
    {
        settings = settings with { Every = TimeSpan.FromMinutes(5) };
        source.IsMute = true;
        await using var watching = Start();
        await UntilAsync(() => source.Began.Count > 0, "the first run");
        source.Change();
        await UntilAsync(() => source.IsCopied, "a change that nobody told of", BigStep);
        Assert.Contains("listened to by a test; looked at every 5 min in any case", source.Notes);
    }

    [Fact]
    public async Task While_changes_never_stop_runs_rest_ever_longer_and_a_quiet_time_ends_that()
    {
        await using var watching = Start();
        await UntilAsync(
            () =>
            {
                source.Change();
                return source.Began.Count >= 8;
            },
            "eight runs");
        var gaps = Gaps();
        Assert.Equal(gaps.Order(), gaps);
        Assert.True(gaps[^1] >= WatchPace.LongestRest, $"{gaps[^1]}");
        await UntilAsync(() => source.IsCopied, "the last change");
        await PassAsync(TimeSpan.FromMinutes(1));
        await UntilAsync(() => source.IsCopied, "the last change");
        var (quiet, count) = (source.Time.GetUtcNow(), source.Began.Count);
        source.Change();
        await UntilAsync(() => source.IsCopied, "a change after a quiet time");
        Assert.Equal(count + 1, source.Began.Count);
        Assert.True(source.Began[^1] - quiet >= WatchPace.Gathering);

        List<TimeSpan> Gaps() => [.. source.Began.Zip(source.Began.Skip(1), (a, b) => b - a).Skip(1)];
    }

    [Fact]
    public async Task A_job_that_another_run_has_is_tried_again_though_nothing_more_is_told()
    {
        await using var watching = Start();
        await UntilAsync(() => source.IsCopied && source.Began.Count > 0, "the first run");
        source.Next.Enqueue(StopReason.Locked);
        source.Next.Enqueue(StopReason.Locked);
        source.Change();
        await UntilAsync(() => source.IsCopied, "the change");
        Assert.All(source.Began.TakeLast(3).Zip(source.Began.TakeLast(2), (a, b) => b - a), gap => Assert.True(gap >= WatchPace.RestAfterLocked, $"{gap}"));
    }

    [Theory]
    [InlineData(StopReason.Connect)]
    [InlineData(StopReason.Limit)]
    [InlineData(StopReason.Authentication)]
    public async Task After_trouble_it_is_tried_again_ever_more_slowly(StopReason trouble)
    {
        settings = settings with { Every = TimeSpan.FromMinutes(1) };
        await using var watching = Start();
        await UntilAsync(() => source.IsCopied && source.Began.Count > 0, "the first run");
        for (var i = 0; i < 6; i++)
            source.Next.Enqueue(trouble);
        source.Change();
        await UntilAsync(() => source.IsCopied, "the change", TimeSpan.FromSeconds(1));
        var gaps = source.Began.TakeLast(7).Zip(source.Began.TakeLast(6), (a, b) => (b - a).TotalSeconds).ToList();
        Assert.All(gaps.Zip([5, 10, 20, 40, 60, 60]), g => Assert.True(g.First >= g.Second, string.Join(", ", gaps)));
    }

    [Theory]
    [InlineData(StopReason.Authentication)]
    [InlineData(StopReason.Configuration)]
    public async Task A_password_that_is_wrong_from_the_start_ends_it(StopReason stop)
    {
        source.Next.Enqueue(StopReason.Locked);
        source.Next.Enqueue(stop);
        await using var watching = Start();
        await UntilAsync(() => watching.Running.IsCompleted, "the end");
        Assert.Equal(stop, (await watching.Running)!.Stop);
    }

    [Fact]
    public async Task What_runs_removed_within_a_day_counts_for_the_limit_of_the_next()
    {
        source.Removes = 3;
        await using var watching = Start();
        await UntilAsync(() => source.Began.Count > 0 && source.IsCopied, "the first run");
        for (var i = 0; i < 3; i++)
        {
            source.Change();
            await UntilAsync(() => source.IsCopied, "a change");
        }

        var before = source.Options.Select(o => o.RemovedBefore).ToList();
        Assert.Equal(Enumerable.Range(0, before.Count).Select(i => 3L * i), before);
        await PassAsync(TimeSpan.FromDays(2), TimeSpan.FromHours(1));
        source.Change();
        await UntilAsync(() => source.IsCopied, "a change");
        Assert.True(source.Options[^1].RemovedBefore <= 6, $"{source.Options[^1].RemovedBefore}");
    }

    [Fact]
    public async Task Listening_takes_connections_from_runs()
    {
        source.Holds = 2;
        await using var watching = Start(listeners: 3);
        await UntilAsync(() => source.Began.Count > 0, "the first run");
        Assert.Equal(4 - 2, source.Endpoints[0].MostConnections);
        Assert.Equal(3, source.Asked[0].Connections);
        source.Cut();
        await UntilAsync(() => source.Asked.Count > 1, "another feed");
        // The new listener may ask for three connections again, because connections in use at the first attempt may be free now.
        Assert.Equal(3, source.Asked[^1].Connections);
    }

    [Fact]
    public async Task Connections_that_a_run_uses_are_not_asked_for_before_it_ends()
    {
        source.Holds = 2;
        await using var watching = Start(listeners: 3);
        await UntilAsync(() => source.Began.Count > 0 && source.IsCopied, "the first run");
        source.Hold = new TaskCompletionSource();
        source.Change();
        await UntilAsync(() => source.IsHeld, "a run");
        source.Cut();
        await PassAsync(TimeSpan.FromMinutes(1));
        Assert.Single(source.Asked);
        source.Hold.SetResult();
        await UntilAsync(() => source.Asked.Count > 1, "another feed");
        await UntilAsync(() => source.IsCopied, "the change");
        source.Change();
        await UntilAsync(() => source.IsCopied, "a change after it");
        Assert.Equal(4 - 2, source.Endpoints[^1].MostConnections);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(9_999_999)]
    [InlineData(922_337_203_685)]
    public async Task However_long_a_server_asks_to_wait_it_is_asked_again_within_a_day_and_not_at_once(double seconds)
    {
        settings = settings with { Every = TimeSpan.FromMinutes(5) };
        source.Refusal = new MailException(FailureScope.Store, isTransient: true, "not now") { RetryAfter = TimeSpan.FromSeconds(seconds) };
        await using var watching = Start();
        await UntilAsync(() => source.AskedAt.Count >= 3, "three attempts", TimeSpan.FromMilliseconds(seconds == 0 ? 100 : 600_000));
        var gap = source.AskedAt[2] - source.AskedAt[1];
        Assert.InRange(gap, TimeSpan.FromSeconds(seconds == 0 ? 0.9 : 86_400), TimeSpan.FromDays(1.01));
        await watching.StopAsync();
        Assert.Null(await watching.Running);
    }

    [Fact]
    public async Task After_trouble_the_last_line_says_that_it_is_listened_to_again()
    {
        await using var watching = Start();
        await UntilAsync(() => source.Began.Count > 0, "the first run");
        source.Cut();
        await UntilAsync(() => source.Asked.Count > 1 && source.Notes.Count > 2, "another feed");
        Assert.StartsWith("not listened to: cut; tried again in ", source.Notes[1], StringComparison.Ordinal);
        Assert.Equal([source.Notes[0]], source.Notes.Skip(2));
    }

    [Fact]
    public async Task Trouble_that_is_the_same_each_time_is_told_once()
    {
        settings = settings with { Every = TimeSpan.FromMinutes(5) };
        source.Refusal = new MailException(FailureScope.Store, isTransient: false, "no");
        await using var watching = Start();
        await UntilAsync(() => source.AskedAt.Count >= 4, "four attempts", BigStep);
        Assert.Equal(["not listened to: no; tried again in 300 s"], source.Notes);
    }

    [Fact]
    public async Task A_stop_ends_it_while_it_waits_for_anything()
    {
        foreach (var opens in (bool[])[true, false])
        {
            source.Opens = opens;
            await using var watching = Start();
            if (opens)
                await UntilAsync(() => source.Began.Count > 0, "the first run");
            await watching.StopAsync();
            Assert.Null(await watching.Running);
        }
    }

    private Watching Start(int listeners = 1)
    {
        var job = new JobDefinition("alice", new ImapEndpoint("imap.example.com", 993, TlsMode.Implicit, "alice"), new MaildirEndpoint("/target"))
        {
            StateDirectory = "/nowhere",
            Watch = settings,
        };
        return new Watching(new JobWatcher(new WatchPlan(job, listeners), source.ListenAsync, source.RunAsync, source.Time) { OnNote = source.Notes.Add });
    }

    private async Task PassAsync(TimeSpan time, TimeSpan? step = null)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += step ?? Step)
        {
            source.Time.Advance(step ?? Step);
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>
    /// Advances the clock in steps until the condition holds. Many steps are allowed, because other tasks need real time between them. All
    /// steps together are less than a day.
    /// </summary>
    private async Task UntilAsync(Func<bool> condition, string what, TimeSpan? step = null)
    {
        const int most = 15_000;
        for (var i = 0; i < most; i++)
        {
            if (condition())
                return;
            await PassAsync(step ?? Step, step);
        }

        Assert.Fail($"not within {most * (step ?? Step)}: {what}");
    }

    private sealed class Watching : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();

        public Watching(JobWatcher watcher) => Running = watcher.RunAsync(stop.Token);

        public Task<JobReport?> Running { get; }

        public Task StopAsync() => stop.CancelAsync();

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await Running.WaitAsync(TimeSpan.FromMinutes(2));
            stop.Dispose();
        }
    }

    /// <summary>
    /// A simulated source and target, whose content is only a version number. A successful run gives the target the source's version at the
    /// run's start.
    /// </summary>
    private sealed class WatchedSource
    {
        private readonly Lock gate = new();
        private readonly List<Channel<bool>> feeds = [];
        private readonly List<DateTimeOffset> began = [];

        public ManualClock Time { get; } = new();

        public List<string> Notes { get; } = [];

        public Queue<StopReason> Next { get; } = new();

        public List<RunOptions> Options { get; } = [];

        public List<Endpoint> Endpoints { get; } = [];

        public List<ListenRequest> Asked { get; } = [];

        public List<DateTimeOffset> AskedAt { get; } = [];

        public MailException? Refusal { get; set; }

        /// <summary>If set, runs that have begun do not end before this completes.</summary>
        public TaskCompletionSource? Hold { get; set; }

        public bool IsHeld { get; private set; }

        public bool Tells { get; set; } = true;

        public bool Opens { get; set; } = true;

        public bool IsMute { get; set; }

        public int Holds { get; set; } = 1;

        public int Removes { get; set; }

        public int Version { get; private set; } = 1;

        public int Copied { get; private set; }

        public bool IsCopied
        {
            get
            {
                lock (gate)
                    return Copied == Version;
            }
        }

        public IReadOnlyList<DateTimeOffset> Began
        {
            get
            {
                lock (gate)
                    return [.. began];
            }
        }

        public void Change()
        {
            lock (gate)
            {
                Version++;
                if (!IsMute)
                    feeds.ForEach(f => f.Writer.TryWrite(true));
            }
        }

        public void Cut()
        {
            lock (gate)
            {
                feeds.ForEach(f => f.Writer.TryComplete(new MailException(FailureScope.Folder, isTransient: true, "cut")));
                feeds.Clear();
            }
        }

        public async Task<IChangeFeed?> ListenAsync(Endpoint endpoint, ListenRequest request, StoreContext context, CancellationToken cancellationToken)
        {
            await Task.Yield();
            Asked.Add(request);
            AskedAt.Add(Time.GetUtcNow());
            if (Refusal is not null)
                throw Refusal;
            if (!Opens)
                await Task.Delay(Timeout.InfiniteTimeSpan, Time, cancellationToken);
            if (!Tells)
                return null;
            var feed = new Feed(Holds);
            lock (gate)
                feeds.Add(feed.News);
            return feed;
        }

        public async Task<JobReport> RunAsync(JobDefinition job, RunOptions options)
        {
            int seen;
            lock (gate)
            {
                began.Add(Time.GetUtcNow());
                seen = Version;
            }

            Options.Add(options);
            Endpoints.Add(job.Source);
            await Task.Yield();
            if (Hold is { } hold)
            {
                IsHeld = true;
                await hold.Task;
            }

            var now = Time.GetUtcNow();
            var stop = Next.Count > 0 ? Next.Dequeue() : StopReason.None;
            if (stop != StopReason.None)
                return new JobReport(job.Name, stop == StopReason.Limit ? JobOutcome.Incomplete : JobOutcome.Failed, now, now, new FolderCounts(), [], [], []) { Stop = stop };
            lock (gate)
                Copied = seen;
            return new JobReport(job.Name, JobOutcome.Ok, now, now, new FolderCounts { Deleted = Removes }, [], [], []);
        }

        private sealed class Feed(int connections) : IChangeFeed
        {
            public Channel<bool> News { get; } = Channel.CreateUnbounded<bool>();

            public string Display => "a test";

            public int Connections => connections;

            public async Task WaitAsync(CancellationToken cancellationToken)
            {
                await News.Reader.WaitToReadAsync(cancellationToken);
                News.Reader.TryRead(out _);
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
