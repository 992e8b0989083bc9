using Imapsync.Engine.Progress;
using Spectre.Console;

namespace Imapsync.CommandLine.Output;

/// <summary>A table on the terminal that is drawn again a few times a second: one row for each job at work.</summary>
internal sealed class LiveDisplay : IProgressOutput
{
    /// <summary>More rows than a terminal has lines could not be drawn over again, and more than these nobody reads.</summary>
    private const int MaxRows = 40;
    private const int LinesBeside = 4;

    private const int RoomForReason = 44;
    private const int RoomForFolder = 16;

    /// <summary>A window of messages takes a moment; what takes longer than this is told.</summary>
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

    /// <param name="total">How many jobs there will be.</param>
    public LiveDisplay(TextWriter output, TimeProvider time, int total)
    {
        this.output = output;
        this.time = time;
        totals = new JobTotals(total, time.GetUtcNow());
        // A terminal that takes nothing holds up the drawing alone.
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

    /// <summary>Clears the table; what was said in it stays.</summary>
    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        await drawing;
        end.Dispose();
        foreach (var word in words)
            await output.WriteLineAsync(TerminalText.Escape(word));
    }

    /// <summary>What is shown for one job: name, folders, messages, octets, rate, and what it waits for, how long nothing has come, or time left and folder.</summary>
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

    /// <summary>Without the URL, which is long and the job's own.</summary>
    private static string Reason(JobProgress job, Wait wait) =>
        job.Stores.Aggregate(wait.Reason, (reason, url) => reason.Replace($" to {url}:", ":", StringComparison.Ordinal));

    /// <summary>The rows of the jobs at work, each in a line of the terminal.</summary>
    internal static IEnumerable<string> Lines(IReadOnlyCollection<JobProgress> jobs, DateTimeOffset now, int width) =>
        LiveRows.Lay([.. jobs.Select(j => Row(j, now))], width, jobs.Any(j => j.Wait is not null || j.Queue is not null || now - j.LastNews >= Silence) ? RoomForReason : RoomForFolder, 4, 3, 2, 1);

    private async Task DrawAsync()
    {
        try
        {
            var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
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
            // A picture that can't be drawn, on a terminal that went away for one, must not cost the run its report.
        }
    }

    private Rows Draw(Profile profile)
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            // Those that get on before those that wait; else in the order they were begun.
            var shown = atWork.Values.OrderBy(j => j.Queue is not null).ThenBy(j => j.Started).Take(Math.Clamp(profile.Height - LinesBeside, 1, MaxRows)).ToList();
            var lines = Lines(shown, now, profile.Width).DefaultIfEmpty("…").ToList();
            if (atWork.Count > shown.Count)
                lines.Add($"and {Quantities.Count(atWork.Count - shown.Count)} more at work");
            // Always: a picture of one line makes some terminals go up a line each time it is drawn again.
            lines.Add(LiveRows.Fit(totals.Line(atWork.Values, now), profile.Width));
            if (words.Count > 0)
                lines.Add(TerminalText.Escape(words[^1]));
            return new Rows(lines.Select(line => new Text(line) { Overflow = Overflow.Ellipsis }));
        }
    }
}
