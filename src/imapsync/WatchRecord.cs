using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.History;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Watching;

namespace Imapsync.CommandLine;

/// <summary>
/// What a watched job's runs leave behind for others: its history, notifications and figures. Runs may follow each other within seconds, so
/// they are put together: an entry at once when a run ends otherwise than the one before it, else every five minutes, or as seldom as the
/// job is looked at.
/// </summary>
/// <param name="file">With the notices and the file for figures.</param>
internal sealed class WatchRecord(HostContext surroundings, JobFile file, JobDefinition job, string? metricsPath, StopSignals signals, Action<string> say)
{
    /// <summary>A failure that lasts is told again so often; who wants each entry says so (<c>on: always</c>).</summary>
    private static readonly TimeSpan Reminder = TimeSpan.FromDays(1);

    private static readonly TimeSpan Least = TimeSpan.FromMinutes(5);

    private readonly TimeSpan period = job.Watch.Every > Least ? job.Watch.Every : Least;
    private RunSum sum = new();
    private DateTimeOffset? added;
    private JobReport? last;

    // The bad exit statuses since the last good one, each with the time when it was told last.
    private readonly Dictionary<int, DateTimeOffset> bad = [];

    // A run that a stop cut short is in the sum at most, so there is nothing that anybody is to be told.
    private bool isOfStopOnly = true;
    private Task telling = Task.CompletedTask;

    /// <summary>Takes a run in. Waits for what is written here, not for those who are told over a network.</summary>
    public async Task AddAsync(JobReport run)
    {
        // Another run has the job, and that one leaves its own entry.
        if (run.Stop == StopReason.Locked)
            return;
        if (run.Outcome == JobOutcome.Cancelled || run.Stop == StopReason.Cancelled)
        {
            // A stop changes nothing about how the job stands: what the run did is added to the sum, whose state stays that of the run before.
            sum.Add(last is null ? run : run with { Outcome = last.Outcome, Stop = last.Stop, Problems = last.Problems });
            return;
        }

        var now = surroundings.Time.GetUtcNow();
        var isOther = (last?.Outcome, last?.Stop) != (run.Outcome, run.Stop);
        // What was done before the state changed is an entry of its own: a run that can't connect knows no folders that it could be added to.
        if (isOther && sum.Report is not null)
            await WriteAsync(now);
        last = run;
        isOfStopOnly = false;
        sum.Add(run);
        if (isOther || added is not { } then || now - then >= period)
            await WriteAsync(now);
    }

    /// <summary>Writes what is left, and waits for those who are being told.</summary>
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
