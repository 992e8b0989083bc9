using Imapsync.Engine.Progress;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Imapsync.CommandLine.Output;

/// <summary>A table on the terminal that is drawn again a few times a second: one row for each job at work.</summary>
internal sealed class LiveDisplay : IProgressOutput
{
    /// <summary>More rows than a terminal has lines could not be drawn over again.</summary>
    private const int MaxRows = 10;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly Lock gate = new();
    private readonly List<JobProgress> jobs = [];
    private readonly TimeProvider time;
    private readonly CancellationTokenSource end = new();
    private readonly Task drawing;
    private string? word;

    public LiveDisplay(TextWriter output, TimeProvider time)
    {
        this.time = time;
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        drawing = DrawAsync(console);
    }

    public void Show(JobEvent happened)
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            var job = jobs.Find(j => j.Name == happened.Job);
            if (job is null)
                jobs.Add(job = new JobProgress(happened.Job, now));
            job.Apply(happened, now);
        }
    }

    public void Say(string text)
    {
        lock (gate)
            word = text;
    }

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        await drawing;
        end.Dispose();
    }

    /// <summary>What is shown for one job: name, folders, messages, octets, rate, time left or what it waits for.</summary>
    internal static string[] Row(JobProgress job, DateTimeOffset now)
    {
        var rate = job.BytesPerSecond(now) is { } speed ? $"{Quantities.Octets(speed)}/s" : "";
        var left = job.Wait is { } wait
            ? $"waiting {Quantities.Duration(wait.Until - now)}: {wait.Reason}"
            : job.TimeLeft(now) is { } rest ? $"{Quantities.Duration(rest)} left" : "";
        string[] cells =
        [
            job.Name,
            job.Folders is { } folders ? $"{Quantities.Count(job.FoldersFinished)} / {Quantities.Count(folders, "folder")}" : "connecting",
            $"{Quantities.Count(job.Copied)} copied",
            Quantities.Octets(job.CopiedBytes),
            rate,
            left,
            job.CurrentFolder?.ToString() ?? "",
        ];
        return [.. cells.Select(TerminalText.Escape)];
    }

    private async Task DrawAsync(IAnsiConsole console)
    {
        try
        {
            await console.Live(Draw()).AutoClear(true).StartAsync(async context =>
            {
                using var timer = new PeriodicTimer(Interval, time);
                while (!end.IsCancellationRequested)
                {
                    await ((Task)timer.WaitForNextTickAsync(end.Token).AsTask()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    context.UpdateTarget(Draw());
                }
            });
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A picture that can't be drawn, on a terminal that went away for one, must not cost the run its report.
        }
    }

    private Rows Draw()
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            var table = new Grid();
            for (var column = 0; column < 7; column++)
                table.AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(0, 0, 2, 0) });
            var atWork = jobs.Where(j => j.Report is null).ToList();
            foreach (var job in atWork.Take(MaxRows))
                table.AddRow([.. Row(job, now).Select(cell => (IRenderable)new Text(cell) { Overflow = Overflow.Ellipsis })]);
            // Spectre can't draw a grid without rows.
            var lines = new List<IRenderable> { atWork.Count > 0 ? table : new Text("…") };
            var problems = jobs.Sum(j => j.Problems);
            // Always: a picture of one line makes some terminals go up a line each time it is drawn again.
            lines.Add(new Text($"{Quantities.Count(jobs.Count - atWork.Count, "job")} finished, {Quantities.Count(atWork.Count)} at work, {Quantities.Count(problems, "problem")}"));
            if (word is not null)
                lines.Add(new Text(TerminalText.Escape(word)));
            return new Rows(lines);
        }
    }
}
