using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.History;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Watching;

namespace Imapsync.CommandLine;

/// <summary>
/// Records the runs of a watched job in its history, notifications and metrics. Runs may follow each other within seconds, so several runs
/// are combined into one entry. An entry is written (1) at once if a run ends differently from the run before it, (2) otherwise every five
/// minutes, or after each run if the job runs less often.
/// </summary>
/// <param name="file">The job file, which has the notifications and the path of the metrics file.</param>
internal sealed class WatchRecord(HostContext surroundings, JobFile file, JobDefinition job, string? metricsPath, StopSignals signals, Action<string> say)
{
    /// <summary>How often a lasting failure is notified again. A notification with <c>on: always</c> is sent for each entry.</summary>
    private static readonly TimeSpan Reminder = TimeSpan.FromDays(1);

    private static readonly TimeSpan Least = TimeSpan.FromMinutes(5);

    private readonly TimeSpan period = job.Watch.Every > Least ? job.Watch.Every : Least;
    private RunSum sum = new();
    private DateTimeOffset? added;
    private JobReport? last;

    // The exit statuses of the failed runs since the last success, each with the time of its last notification.
    private readonly Dictionary<int, DateTimeOffset> bad = [];

    // Whether every run added to the sum was stopped before its end. Then no notification is sent.
    private bool isOfStopOnly = true;
    private Task telling = Task.CompletedTask;

    /// <summary>Adds a run. Waits until files are written, but not until notifications are sent.</summary>
    public async Task AddAsync(JobReport run)
    {
        // Another run holds the job's lock, and that run writes its own entry.
        if (run.Stop == StopReason.Locked)
            return;
        if (run.Outcome == JobOutcome.Cancelled || run.Stop == StopReason.Cancelled)
        {
            // A stopped run has neither failed nor succeeded. So add its counts with the outcome of the run before it.
            sum.Add(last is null ? run : run with { Outcome = last.Outcome, Stop = last.Stop, Problems = last.Problems });
            return;
        }

        var now = surroundings.Time.GetUtcNow();
        var isOther = (last?.Outcome, last?.Stop) != (run.Outcome, run.Stop);
        // The runs before the change of outcome get an entry of their own, because counts may not be comparable: the report of a run
        // that can't connect has no folders.
        if (isOther && sum.Report is not null)
            await WriteAsync(now);
        last = run;
        isOfStopOnly = false;
        sum.Add(run);
        if (isOther || added is not { } then || now - then >= period)
            await WriteAsync(now);
    }

    /// <summary>Writes what has not been written yet, and waits until all notifications are sent.</summary>
    public async Task EndAsync()
    {
        if (sum.Report is not null)
            await WriteAsync(surroundings.Time.GetUtcNow());
        await telling;
    }

    private async Task WriteAsync(DateTimeOffset now)
    {
        var report = sum.Report!;
        var isTold = !isOfStopOnly;
        (sum, added, isOfStopOnly) = (new RunSum(), now, true);
        var status = ExitStatus.Of(report, signals.InterruptedStatus);
        var isNews = status == ExitStatus.Ok || !bad.TryGetValue(status, out var since) || now - since >= Reminder;
        if (isTold && status == ExitStatus.Ok)
            bad.Clear();
        else if (isTold && isNews)
            bad[status] = now;
        bool IsTold(Notice notice) => isTold && (isNews || notice.On == NoticeOccasion.Always);
        var told = job with { Notices = [.. job.Notices.Where(IsTold)] };
        var notices = new RunNotices(surroundings, file with { Jobs = [told], Notices = [.. file.Notices.Where(IsTold)] }, signals, r => ExitStatus.Of(r, signals.InterruptedStatus)) { Say = say };
        await notices.LookBackAsync(CancellationToken.None);
        await new HistoryKeeping(surroundings, job, HistoryKind.Run, isKept: true, say).AddAsync(report.Started, begun => begun.End(report, status));
        telling = TellAsync(telling);

        async Task TellAsync(Task before)
        {
            await before;
            if ((metricsPath ?? file.MetricsFile) is { } metrics)
                await MetricsText.TryWriteAsync(metrics, await NamedStanding.ReadAsync(file.Places, maxAge: null, surroundings.Time, CancellationToken.None), say);
            await Task.WhenAll(notices.EndAsync(told, report), notices.EndAsync([report], status));
        }
    }
}
