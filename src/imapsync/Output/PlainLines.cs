using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>Prints events as lines of text. While a large folder is copied, it prints a line from time to time.</summary>
/// <param name="form">Formats a line from a text and its event; <see cref="LogForm.OfScreen"/> by default.</param>
internal sealed class PlainLines(TextWriter output, TimeProvider time, Func<JobEvent?, string, DateTimeOffset, string>? form = null) : IProgressOutput
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, (JobProgress Progress, DateTimeOffset LastLine)> jobs = [];
    private readonly Dictionary<string, string> waits = [];
    private readonly RecentLines recent = new();
    private readonly Lock writing = new();

    public void Show(JobEvent happened, DateTimeOffset at)
    {
        var (progress, lastLine) = jobs.TryGetValue(happened.Job, out var known) ? known : (new JobProgress(happened.Job, at), at);
        progress.Apply(happened, at);
        var text = happened switch
        {
            MessagesCopied or MessagesVerified when at - lastLine < Interval => null,
            MessagesCopied => Interim(progress, at),
            MessagesVerified verified => $"{Quantities.Count(progress.Verified, "message")} compared, now {verified.Source}",
            Waiting waiting => Wait(waiting),
            _ => JobText.Line(happened, progress.IsDryRun),
        };
        if (text is not null)
            Write($"{happened.Job}: {text}", at, happened);
        if (happened is JobFinished)
            jobs.Remove(happened.Job);
        else
            jobs[happened.Job] = (progress, text is null ? lastLine : at);
    }

    public bool HasJustTold(string text, int linesSince)
    {
        lock (writing)
            return recent.Has(text, linesSince);
    }

    /// <summary>Formats a wait, without repeating the same reason in consecutive lines.</summary>
    private string Wait(Waiting waiting)
    {
        var isKnown = waits.TryGetValue(waiting.Job, out var last) && last == waiting.Wait.Reason;
        waits[waiting.Job] = waiting.Wait.Reason;
        return isKnown ? JobText.WaitingAgain(waiting.Wait) : JobText.Line(waiting)!;
    }

    public void Say(string text) => Write(text, time.GetUtcNow());

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static string Interim(JobProgress progress, DateTimeOffset now)
    {
        var rate = progress.BytesPerSecond(now) is { } speed ? $", {Quantities.Octets(speed)}/s" : "";
        var left = progress.TimeLeft(now) is { } rest ? $", about {Quantities.Duration(rest)} left" : "";
        return $"{progress.FoldersFinished} of {Quantities.Count(progress.Folders ?? 0, "folder")}, {Quantities.Count(progress.Copied, "message")} {(progress.IsDryRun ? "would be copied" : "copied")}, {Quantities.Octets(progress.CopiedBytes)}{rate}{left}";
    }

    private void Write(string text, DateTimeOffset at, JobEvent? happened = null)
    {
        lock (writing)
        {
            recent.Add(happened is null ? null : Summary.Told(happened));
            output.WriteLine((form ?? LogForm.OfScreen)(happened, text, TimeZoneInfo.ConvertTime(at, time.LocalTimeZone)));
        }
    }
}
