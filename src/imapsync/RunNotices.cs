using System.Globalization;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Files;
using Imapsync.Engine.History;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;
using Imapsync.Notifying;

namespace Imapsync.CommandLine;

/// <summary>Sends a run's notifications to the recipients in its job file. Failures are reported, but don't affect the run.</summary>
/// <param name="statusOf">Returns a job's exit status.</param>
internal sealed class RunNotices(HostContext surroundings, JobFile file, StopSignals signals, Func<JobReport, int> statusOf)
{
    /// <summary>The time limits for notifications after a signal. They are short, since SIGTERM is usually followed by SIGKILL.</summary>
    private static readonly TimeSpan BudgetWhenStopped = TimeSpan.FromSeconds(3), BudgetWhenAborted = TimeSpan.FromSeconds(1), PatienceWithStarts = TimeSpan.FromSeconds(1);

    private readonly NoticeSender sender = new(surroundings.Time);
    private readonly Dictionary<string, PastRuns> past = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task> starts = new(StringComparer.Ordinal);
    private readonly List<string> failures = [];
    private readonly Lock gate = new();

    /// <summary>
    /// Called with the text of each failed notification. While a live table is on the terminal, the text must go through the table's own
    /// output.
    /// </summary>
    public Action<string> Say { get; set; } = text => surroundings.Error.WriteLine(TerminalText.Escape(text));

    /// <summary>The failed notifications so far.</summary>
    public IReadOnlyList<string> Failures
    {
        get
        {
            lock (gate)
                return [.. failures];
        }
    }

    /// <summary>Reads the jobs' past runs and sends the notification that the run has started, without waiting for it.</summary>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        await LookBackAsync(cancellationToken);
        Start("", file.Notices, NewsText.OfStart(null, [.. file.Jobs.Select(j => j.Name)], surroundings.Time.GetUtcNow()));
    }

    /// <summary>Reads the past runs of the jobs whose notifications depend on them.</summary>
    public async Task LookBackAsync(CancellationToken cancellationToken)
    {
        foreach (var job in file.Jobs.Where(j => file.Notices.Concat(j.Notices).Any(n => n.On is NoticeOccasion.Change or NoticeOccasion.Weekly)))
            past[job.Name] = await PastRuns.ReadAsync(surroundings, job.StateDirectory, cancellationToken);
    }

    public Task BeginAsync(JobDefinition job)
    {
        Start(job.Name, job.Notices, NewsText.OfStart(job.Name, [job.Name], surroundings.Time.GetUtcNow()));
        return Task.CompletedTask;
    }

    public Task EndAsync(JobDefinition job, JobReport report) => EndAsync(job.Name, job.Name, job.Notices, [job], [report], statusOf(report));

    public Task EndAsync(IReadOnlyList<JobReport> reports, int status) => EndAsync("", null, file.Notices, file.Jobs, reports, status);

    /// <summary>Sends the notification that the run ended before any job started.</summary>
    public static async Task TellMistakeAsync(HostContext surroundings, IReadOnlyList<Notice> notices, IReadOnlyList<string> mistakes, StopSignals signals)
    {
        var told = new RunNotices(surroundings, new JobFile([], []), signals, _ => ExitStatus.Usage);
        var news = NewsText.OfMistake(mistakes, surroundings.Time.GetUtcNow());
        await told.SendAsync(notices.Where(n => n.On != NoticeOccasion.Weekly), _ => news);
    }

    private void Start(string key, IReadOnlyList<Notice> notices, News news)
    {
        lock (gate)
            starts[key] = SendAsync(notices.Where(n => n is { Means: PingMeans, On: NoticeOccasion.Always }), _ => news);
    }

    private async Task EndAsync(string key, string? name, IReadOnlyList<Notice> notices, IReadOnlyList<JobDefinition> jobs, IReadOnlyList<JobReport> reports, int status)
    {
        Task? start;
        lock (gate)
            starts.Remove(key, out start);
        // Wait for the start notification, because otherwise it could arrive after the end notification.
        // After a signal the wait ends early.
        if (start is not null)
            await Task.WhenAny(start, JobQueue.AfterAbortAsync(PatienceWithStarts, surroundings.Time, signals.Stop));
        var before = jobs.Select(j => past.GetValueOrDefault(j.Name)).OfType<PastRuns>().ToList();
        var now = surroundings.Time.GetUtcNow();
        var news = NewsText.OfEnd(name, reports, status, statusOf, [], now);
        var weekly = new Lazy<News>(() => NewsText.OfEnd(name, reports, status, statusOf, PastRuns.WeekInWords(before), now));
        await SendAsync(notices.Where(n => IsDue(n, status == ExitStatus.Ok, before)), n => n.On == NoticeOccasion.Weekly ? weekly.Value : news);
    }

    private static bool IsDue(Notice notice, bool isGood, List<PastRuns> before) => notice.On switch
    {
        NoticeOccasion.Always => true,
        // When the previous result is unknown, this one may be a change, so the notification is sent.
        NoticeOccasion.Change => isGood == before.Exists(p => p.WasBad == true) || before.Exists(p => p.WasBad is null),
        // With --only-failed a run may have no jobs. Such a run sends no weekly notification.
        NoticeOccasion.Weekly => before.Count > 0 && !before.Exists(p => p.HasRunThisWeek),
        _ => !isGood,
    };

    private async Task SendAsync(IEnumerable<Notice> notices, Func<Notice, News> news)
    {
        using var giveUp = new CancellationTokenSource();
        await using var stopped = signals.Stop.Register(() => giveUp.CancelAfter(BudgetWhenStopped));
        await using var aborted = signals.Abort.Register(() => giveUp.CancelAfter(BudgetWhenAborted));
        await Task.WhenAll(notices.Select(async notice =>
        {
            var told = news(notice);
            if (await sender.SendAsync(notice, told, giveUp.Token) is not { } why)
                return;
            var text = $"not told of the {told.Event}: {why}";
            lock (gate)
                failures.Add(text);
            Say(text);
        }));
    }

    /// <summary>A job's runs before this one, according to its history.</summary>
    /// <param name="WasBad">Whether the previous run was unsuccessful or was killed; null when the history can't be read.</param>
    private sealed record PastRuns(bool? WasBad, bool HasRunThisWeek, IReadOnlyList<HistoryEntry> LastDays)
    {
        public static async Task<PastRuns> ReadAsync(HostContext surroundings, string stateDirectory, CancellationToken cancellationToken)
        {
            try
            {
                var runs = surroundings.HistoryOf is { } open
                    ? (await open(stateDirectory).ReadWithoutFoldersAsync(cancellationToken)).Where(e => e.Kind == HistoryKind.Run).ToList()
                    : [];
                var now = surroundings.Time.GetLocalNow();
                var zone = surroundings.Time.LocalTimeZone;
                return new PastRuns(
                    JobStanding.Of(runs, now, maxAge: null, JobStanding.IsAlive).Last is { IsSuccess: false },
                    runs.Exists(e => e.Ended is not null && Week(TimeZoneInfo.ConvertTime(e.Began, zone)) == Week(now)),
                    [.. runs.Where(e => e.Began > now - TimeSpan.FromDays(7) && e.Began <= now)]);
            }
            catch (Exception e) when (FileErrors.Is(e))
            {
                // That the history can't be read is not reported here, since the later attempt to write it reports the failure.
                return new PastRuns(WasBad: null, HasRunThisWeek: false, []);
            }
        }

        public static IReadOnlyList<string> WeekInWords(IReadOnlyList<PastRuns> jobs)
        {
            var runs = jobs.SelectMany(j => j.LastDays).ToList();
            return
            [
                "",
                $"In the seven days before: {Quantities.Count(runs.Count, "run")}, {Quantities.Count(runs.Count(e => e.IsSuccess))} of them all in place; "
                    + $"{Quantities.Count(runs.Sum(e => e.Totals.Copied), "message")} copied ({Quantities.Octets(runs.Sum(e => (double)e.Totals.Bytes))})",
            ];
        }

        private static (int Year, int Week) Week(DateTimeOffset time) => (ISOWeek.GetYear(time.DateTime), ISOWeek.GetWeekOfYear(time.DateTime));
    }
}
