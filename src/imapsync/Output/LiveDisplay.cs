using Imapsync.Engine.Progress;
using Spectre.Console;

namespace Imapsync.CommandLine.Output;

/// <summary>A table on the terminal with one row per running job, redrawn several times a second.</summary>
internal sealed class LiveDisplay : IProgressOutput
{
    /// <summary>The most rows in the table. Rows beyond the terminal's height could not be redrawn, and nobody reads more than this.</summary>
    private const int MaxRows = 40;
    private const int LinesBeside = 4;

    private const int RoomForReason = 44;
    private const int RoomForFolder = 16;

    /// <summary>
    /// After this time without an event, the job's row says so. Normally each copied batch of messages causes an event much sooner.
    /// </summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly Lock gate = new();
    private readonly Dictionary<string, JobProgress> atWork = new(StringComparer.Ordinal);
    private readonly JobTotals totals;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource end = new();
    private readonly Task drawing;
    private readonly TextWriter output;
    private readonly List<string> words = [];

    /// <param name="total">The total number of jobs.</param>
    public LiveDisplay(TextWriter output, TimeProvider time, int total)
    {
        this.output = output;
        this.time = time;
        totals = new JobTotals(total, time.GetUtcNow());
        // Drawing has its own task, so that a blocked terminal delays nothing else.
        drawing = Task.Run(DrawAsync, CancellationToken.None);
    }

    public void Show(JobEvent happened, DateTimeOffset at)
    {
        lock (gate)
        {
            if (!atWork.TryGetValue(happened.Job, out var job))
                atWork.Add(happened.Job, job = new JobProgress(happened.Job, at));
            job.Apply(happened, at);
            totals.Apply(happened);
            if (job.Report is not null)
                atWork.Remove(happened.Job);
        }
    }

    public void Say(string text)
    {
        lock (gate)
            words.Add(text);
    }

    /// <summary>Removes the table; messages that were shown in it are printed.</summary>
    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        await drawing;
        end.Dispose();
        foreach (var word in words)
            await output.WriteLineAsync(TerminalText.Escape(word));
    }

    /// <summary>
    /// Returns the cells of a job's row: name, folders, messages, octets, rate, and a last cell. The last cell shows what the job waits
    /// for; else how long nothing has happened; else the time left and the folder.
    /// </summary>
    internal static string[] Row(JobProgress job, DateTimeOffset now)
    {
        var rate = job.BytesPerSecond(now) is { } speed ? $"{Quantities.Octets(speed)}/s" : "";
        var left = job.TimeLeft(now) is { } time ? $"{Quantities.Duration(time)} left" : "";
        var rest = job.Queue is { } queue ? $"waiting: {queue}" : job.Wait is { } wait
            ? $"waiting {Quantities.Duration(wait.Until - now)}: {Reason(job, wait)}"
            : now - job.LastNews is var silence && silence >= Silence ? $"nothing new for {Quantities.Duration(silence)}  {job.CurrentFolder}".TrimEnd()
            : string.Join("  ", new[] { left, job.CurrentFolder?.ToString() ?? "" }.Where(p => p.Length > 0));
        string[] cells =
        [
            job.Name,
            job.Folders is { } folders ? $"{Quantities.Count(job.FoldersFinished)} / {Quantities.Count(folders, "folder")}" : job.Queue is null ? "connecting" : "queued",
            job.ToCopy > job.Copied ? $"{Quantities.Count(job.Copied)} / {Quantities.Count(job.ToCopy)} copied" : $"{Quantities.Count(job.Copied)} copied",
            Quantities.Octets(job.CopiedBytes),
            rate,
            rest,
        ];
        return [.. cells.Select(TerminalText.Escape)];
    }

    /// <summary>Removes the store's URL from the reason, since it is long and already known from the job.</summary>
    private static string Reason(JobProgress job, Wait wait) =>
        job.Stores.Aggregate(wait.Reason, (reason, url) => reason.Replace($" to {url}:", ":", StringComparison.Ordinal));

    /// <summary>Returns the rows of the running jobs, one terminal line each.</summary>
    internal static IEnumerable<string> Lines(IReadOnlyCollection<JobProgress> jobs, DateTimeOffset now, int width) =>
        LiveRows.Lay([.. jobs.Select(j => Row(j, now))], width, jobs.Any(j => j.Wait is not null || j.Queue is not null || now - j.LastNews >= Silence) ? RoomForReason : RoomForFolder, 4, 3, 2, 1);

    private async Task DrawAsync()
    {
        try
        {
            var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new NarrowerOutput(output) });
            await console.Live(Draw(console.Profile)).AutoClear(true).StartAsync(async context =>
            {
                using var timer = new PeriodicTimer(Interval, time);
                while (!end.IsCancellationRequested)
                {
                    await ((Task)timer.WaitForNextTickAsync(end.Token).AsTask()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    context.UpdateTarget(Draw(console.Profile));
                }
            });
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A failure to draw, for example on a closed terminal, must not prevent the run's report.
        }
    }

    private Rows Draw(Profile profile)
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            // Jobs that make progress come before jobs that wait in the queue. Within both groups, the job that started first comes first.
            var shown = atWork.Values.OrderBy(j => j.Queue is not null).ThenBy(j => j.Started).Take(Math.Clamp(profile.Height - LinesBeside, 1, MaxRows)).ToList();
            var lines = Lines(shown, now, profile.Width).DefaultIfEmpty("…").ToList();
            if (atWork.Count > shown.Count)
                lines.Add($"and {Quantities.Count(atWork.Count - shown.Count)} more at work");
            // Always draw the totals line, so that the table has at least two lines. Some terminals move up a line
            // whenever a single line is redrawn.
            lines.Add(LiveRows.Fit(totals.Line(atWork.Values, now), profile.Width));
            if (words.Count > 0)
                lines.Add(TerminalText.Escape(words[^1]));
            return new Rows(lines.Select(line => new Text(line) { Overflow = Overflow.Ellipsis }));
        }
    }

    /// <summary>
    /// Makes the terminal appear a little narrower than it is. On Ctrl-C the terminal shows <c>^C</c> at the cursor, which
    /// stands at the end of the table's last line. At the terminal's edge <c>^C</c> would begin a new line, and the next
    /// drawing would leave a row of the table behind.
    /// </summary>
    private sealed class NarrowerOutput(TextWriter writer) : IAnsiConsoleOutput
    {
        private const int Margin = 3;

        private readonly AnsiConsoleOutput terminal = new(writer);

        public TextWriter Writer => terminal.Writer;

        public bool IsTerminal => terminal.IsTerminal;

        public int Width => Math.Max(1, terminal.Width - Margin);

        public int Height => terminal.Height;

        public void SetEncoding(System.Text.Encoding encoding) => terminal.SetEncoding(encoding);
    }
}
