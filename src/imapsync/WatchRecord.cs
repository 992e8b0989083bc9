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
    private (JobOutcome Outcome, StopReason Stop)? last;
    private DateTimeOffset? badSince;
    private Task telling = Task.CompletedTask;

    /// <summary>Takes a run in. Waits for what is written here, not for those who are told over a network.</summary>
    public async Task AddAsync(JobReport run)
    {
        // Another run has the job, and that one leaves its own entry.
        if (run.Stop == StopReason.Locked)
            return;
        var now = surroundings.Time.GetUtcNow();
        var isOther = last != (run.Outcome, run.Stop);
        last = (run.Outcome, run.Stop);
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
        (sum, added) = (new RunSum(), now);
        var status = ExitStatus.Of(report, signals.InterruptedStatus);
        var isReminder = status == ExitStatus.Ok || badSince is not { } since || now - since >= Reminder;
        badSince = status == ExitStatus.Ok ? null : isReminder ? now : badSince;
        bool IsTold(Notice notice) => isReminder || notice.On == NoticeOccasion.Always;
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
