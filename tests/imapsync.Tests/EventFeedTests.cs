using System.Text;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.History;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.CommandLine.Tests;

/// <summary>Events are written in parallel to the jobs, so that a slow output does not delay a job.</summary>
public sealed class EventFeedTests : CommandLineFixture
{
    private static readonly FolderPath[] Folders = [new("A"), new("B"), new("C")];

    [Fact]
    public async Task An_output_that_nobody_reads_holds_up_neither_the_jobs_nor_another_output()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        using var opened = new ManualResetEventSlim();
        var (blocked, free) = (new Recorder(opened), new Recorder(null));
        var feed = new EventFeed([blocked, free], TimeProvider.System);
        var told = new List<JobEvent>();
        for (var n = 0; n < 500; n++)
        {
            JobEvent happened = random.Next(3) == 0
                ? new NoteRaised($"job{random.Next(2)}", null, $"note {n}")
                : new MessagesCopied($"job{random.Next(2)}", Folders[random.Next(Folders.Length)], random.Next(100), random.Next(10_000));
            told.Add(happened);
            feed.Show(happened);
        }

        feed.Say("Stopping");
        var done = feed.CompleteAsync();
        await free.Ended.Task.WaitAsync(TestContext.Current.CancellationToken);
        Assert.False(done.IsCompleted);
        opened.Set();
        await done;
        foreach (var output in new[] { blocked, free })
        {
            Assert.True(told.OfType<NoteRaised>().SequenceEqual(output.Shown.OfType<NoteRaised>()), $"seed {seed}");
            Assert.True(Sums(told).SetEquals(Sums(output.Shown)), $"seed {seed}");
        }
    }

    [Fact]
    public async Task The_order_is_kept_and_windows_of_one_folder_that_wait_are_one()
    {
        using var opened = new ManualResetEventSlim();
        var output = new Recorder(opened);
        var feed = new EventFeed([output], TimeProvider.System);
        feed.Show(new NoteRaised("j", null, "first"));
        await output.Entered.Task.WaitAsync(TestContext.Current.CancellationToken);
        for (var n = 1; n <= 4; n++)
            feed.Show(new MessagesCopied("j", Folders[0], n, 10 * n));
        feed.Show(new NoteRaised("j", null, "second"));
        feed.Show(new MessagesCopied("j", Folders[0], 5, 50));
        opened.Set();
        await feed.CompleteAsync();
        Assert.Equal(
            [new NoteRaised("j", null, "first"), new MessagesCopied("j", Folders[0], 10, 100), new NoteRaised("j", null, "second"), new MessagesCopied("j", Folders[0], 5, 50)],
            output.Shown);
    }

    [Fact]
    public async Task Of_windows_of_many_folders_and_jobs_in_turn_only_the_sums_wait()
    {
        using var opened = new ManualResetEventSlim();
        var output = new Recorder(opened);
        var feed = new EventFeed([output], TimeProvider.System);
        feed.Show(new NoteRaised("j0", null, "first"));
        await output.Entered.Task.WaitAsync(TestContext.Current.CancellationToken);
        for (var n = 0; n < 6000; n++)
            feed.Show(new MessagesCopied($"j{n % 20}", Folders[n % 3], 1, 10));
        opened.Set();
        await feed.CompleteAsync();
        Assert.Equal(1 + (20 * 3), output.Shown.Count);
        Assert.All(output.Shown.OfType<MessagesCopied>(), e => Assert.Equal((100, 1000), (e.Count, e.Bytes)));
    }

    [Fact]
    public async Task A_run_whose_terminal_takes_nothing_has_written_and_told_all_before_it_waits_for_it()
    {
        using var terminal = new Stuck();
        Terminal = terminal;
        KeepsHistory = true;
        var (told, report) = (Path.Combine(Directory, "told"), Path.Combine(Directory, "report.json"));
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watcher = new FileSystemWatcher(Directory, "told");
        watcher.Renamed += (_, _) => written.TrySetResult();
        watcher.EnableRaisingEvents = true;
        var file = Write("told.yaml", $$"""
            jobs:
              - name: alice
                source: { url: "maildir:a" }
                target: { url: "maildir:b" }
            notify: [{ command: 'cat > {{told}}.tmp; mv {{told}}.tmp {{told}}', on: always }]
            """);
        RunJob = (job, _, onEvent, _, _) =>
        {
            onEvent(new NoteRaised(job.Name, null, "a note"));
            return Task.FromResult(Reports.Of(job.Name));
        };
        var run = Task.Run(() => InvokeAsync("run", file, "--state", Path.Combine(Directory, "states"), "--report", report), TestContext.Current.CancellationToken);
        await written.Task.WaitAsync(TestContext.Current.CancellationToken);
        Assert.False(run.IsCompleted);
        Assert.Contains("\"alice\"", await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        var entries = await new JobHistory(Path.Combine(Directory, "states", "alice"), TimeProvider.System).ReadAsync(TestContext.Current.CancellationToken);
        Assert.NotNull(Assert.Single(entries).Ended);
        terminal.Open();
        Assert.Equal(0, await run);
        Assert.Contains("alice", terminal.Text, StringComparison.Ordinal);
    }

    /// <summary>The run writes more output than a pipe can hold before anybody reads it.</summary>
    [Theory]
    [InlineData("--output json 2>/dev/null")]
    [InlineData("2>&1 >/dev/null")]
    public async Task A_run_whose_output_nobody_reads_copies_all_and_ends_when_it_is_read(string options)
    {
        const int folders = 700;
        using var dir = new TempDir();
        var source = new MaildirWriter(dir.Create("source"));
        source.AddFolder("INBOX");
        for (var i = 0; i < folders; i++)
        {
            var name = $"a folder whose name is long enough to fill a pipe with what is told of it, number {i}";
            source.AddFolder(name);
            source.Add(name, "From: a@example.org\r\n\r\ntext\r\n"u8, DateTimeOffset.UnixEpoch);
        }

        var program = Path.Combine(AppContext.BaseDirectory, "imapsync.dll");
        var reader = $"until [ \"$(find target -path '*/new/*' -type f 2>/dev/null | wc -l)\" = {folders} ]; do :; done; cat >told";
        await Command.RunAsync("sh", ["-c", $"cd '{dir.Path}' && {{ dotnet '{program}' copy maildir:source maildir:target --state state {options}; echo $? >status; }} | {{ {reader}; }}"]);
        Assert.Equal("0", (await File.ReadAllTextAsync(dir["status"], TestContext.Current.CancellationToken)).Trim());
        Assert.True(new FileInfo(dir["told"]).Length > 64 << 10);
    }

    private static HashSet<(string, FolderPath, long, long)> Sums(IEnumerable<JobEvent> events) =>
        [.. events.OfType<MessagesCopied>().GroupBy(e => (e.Job, e.Source)).Select(g => (g.Key.Job, g.Key.Source, g.Sum(e => (long)e.Count), g.Sum(e => e.Bytes)))];

    /// <summary>A writer that blocks until it is opened.</summary>
    private sealed class Stuck : TextWriter
    {
        private readonly ManualResetEventSlim opened = new();
        private readonly StringBuilder text = new();

        public override Encoding Encoding => Encoding.UTF8;

        public string Text => text.ToString();

        public void Open() => opened.Set();

        public override void Write(char value)
        {
            opened.Wait();
            text.Append(value);
        }

        protected override void Dispose(bool disposing)
        {
            opened.Dispose();
            base.Dispose(disposing);
        }
    }

    private sealed class Recorder(ManualResetEventSlim? opened) : IProgressOutput
    {
        public List<JobEvent> Shown { get; } = [];

        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Show(JobEvent happened, DateTimeOffset at)
        {
            Entered.TrySetResult();
            opened?.Wait();
            Shown.Add(happened);
        }

        public void Say(string text) => Ended.TrySetResult();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
