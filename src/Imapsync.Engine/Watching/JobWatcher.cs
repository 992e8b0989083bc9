using System.Threading.Channels;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Watching;

/// <summary>
/// Decides when a watched job is run: when its source reports a change, and at intervals in any case. Each run covers all folders, because
/// a run of one folder could not distinguish moved messages from removed ones. A run without changes costs only one or two round trips.
/// </summary>
public sealed class JobWatcher(WatchPlan plan, FeedOpener listen, Func<JobDefinition, RunOptions, Task<JobReport>> run, TimeProvider time)
{
    /// <summary>
    /// If a feed (the connection on which the source reports changes) lasted this long, the retries after its loss are counted from 1
    /// again.
    /// </summary>
    private static readonly TimeSpan GoodFeed = TimeSpan.FromMinutes(1);

    /// <summary>The longest pause before the next attempt, even if a server asks for a longer one.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromDays(1);

    private readonly Lock gate = new();
    private readonly JobDefinition job = plan.Job;
    private readonly WatchPace pace = new(plan.Job.Watch.Every);
    private readonly RemovedLately removed = new(time);
    private readonly Channel<bool> news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int reserved = plan.Listeners;
    private Task running = Task.CompletedTask;
    private HashSet<string> toldBefore = [];
    private string? lastState;

    /// <summary>
    /// Called with a text for the user: how the source reports changes, and any problem with that. Called by one task at a time.
    /// </summary>
    public Action<string> OnNote { get; init; } = _ => { };

    /// <summary>Called once, just before the first run begins. By then the source reports changes, or it is known why it can't.</summary>
    public Action OnReady { get; init; } = () => { };

    /// <summary>
    /// Watches until <paramref name="stop"/> is cancelled. A run in progress is not stopped by this; the caller has to stop it.
    /// </summary>
    /// <returns>Null after a stop; the first run's report if it shows that no run can ever succeed.</returns>
    public async Task<JobReport?> RunAsync(CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var listening = ListenAsync(over.Token);
        try
        {
            await ready.Task;
            OnReady();
            return await RunAgainAsync(stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            await over.CancelAsync();
            await listening;
        }
    }

    /// <summary>
    /// Returns whether no run can succeed. A wrong name or password ends the watch only in the first run. In a later run the log-in is
    /// retried, because it worked before and somebody may correct it.
    /// </summary>
    private static bool IsHopeless(JobReport report) => report.Stop is StopReason.Authentication or StopReason.Configuration;

    private async Task<JobReport?> RunAgainAsync(CancellationToken stop)
    {
        var (isFirst, isBusy) = (true, false);
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            // This run finds the changes reported so far, so their report is discarded. A change reported from here on leads to another
            // run.
            news.Reader.TryRead(out _);
            var since = time.GetTimestamp();
            var report = await RunOnceAsync();
            removed.Add(report.Totals.Deleted);
            if (isFirst && IsHopeless(report))
                return report;
            isFirst &= report.Stop == StopReason.Locked;
            var took = time.GetElapsedTime(since);
            if (report.Stop == StopReason.Locked)
                await Task.Delay(WatchPace.RestAfterLocked, time, stop);
            else if (report.Outcome == JobOutcome.Failed || report.Stop == StopReason.Limit)
                await Task.Delay(pace.AfterTrouble(), time, stop);
            else
                isBusy = await AwaitNewsAsync(pace.AfterRun(took, isBusy), job.Watch.Every - took, stop);
        }
    }

    private async Task<JobReport> RunOnceAsync()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Endpoint source;
        lock (gate)
        {
            running = ended.Task;
            source = job.Source.WithFewer(reserved);
        }

        try
        {
            return await run(job with { Source = source }, new RunOptions { RemovedBefore = removed.Count });
        }
        finally
        {
            ended.SetResult();
        }
    }

    /// <summary>
    /// Reserves all connections that may be used for listening. If fewer were reserved, a run in progress may use the rest. Then this
    /// method waits for the run's end, to keep the account's limit.
    /// </summary>
    private Task ReserveAsync(CancellationToken stop)
    {
        lock (gate)
        {
            var before = reserved < plan.Listeners ? running : Task.CompletedTask;
            reserved = plan.Listeners;
            return before.WaitAsync(stop);
        }
    }

    private void Reserve(int connections)
    {
        lock (gate)
            reserved = connections;
    }

    /// <param name="rest">The shortest wait, even if a change is reported.</param>
    /// <param name="most">The longest wait, even if no change is reported.</param>
    /// <returns>True if a change had been reported by the end of <paramref name="rest"/>.</returns>
    private async Task<bool> AwaitNewsAsync(TimeSpan rest, TimeSpan most, CancellationToken stop)
    {
        await Task.Delay(rest, time, stop);
        if (news.Reader.TryPeek(out _))
            return true;
        if (most > rest)
        {
            // Returns the memory of the runs before a wait that may be long, because the garbage collector would keep it for hours.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            using var due = new CancellationTokenSource(most - rest, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(due.Token, stop);
            try
            {
                await news.Reader.WaitToReadAsync(either.Token);
                await Task.Delay(WatchPace.Gathering, time, stop);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                // The wait reached its maximum without any news.
            }
        }

        return false;
    }

    /// <summary>Opens a feed (a connection on which the source reports changes), and a new one whenever it is lost. Never throws.</summary>
    private async Task ListenAsync(CancellationToken stop)
    {
        await Task.Yield();
        try
        {
            for (var tries = 1; plan.Listeners > 0; tries++)
            {
                await ReserveAsync(stop);
                var since = time.GetTimestamp();
                var trouble = await HearAsync(stop);
                if (trouble is null)
                    Reserve(0);
                if (trouble is null || stop.IsCancellationRequested)
                    break;
                if (time.GetElapsedTime(since) >= GoodFeed)
                    tries = 1;
                var pause = Pause(trouble, tries);
                TellState($"not listened to: {trouble.Message}; tried again in {pause.TotalSeconds:0.#} s");
                ready.TrySetResult();
                await Task.Delay(pause, time, stop);
            }

            if (!stop.IsCancellationRequested)
                TellState($"looked at every {Span(job.Watch.Every)}: {(plan.Listeners == 0 ? "there is no connection to spare for listening" : "the source tells nothing of changes by itself")}");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The watch was stopped during the wait.
        }
        finally
        {
            ready.TrySetResult();
        }
    }

    /// <summary>Listens until the feed fails.</summary>
    /// <returns>Why the feed failed; null where the source can't report changes.</returns>
    private async Task<Exception?> HearAsync(CancellationToken stop)
    {
        HashSet<string> told = [];
        try
        {
            var request = new ListenRequest(plan.Listeners, listed => WatchedFolders.Choose(job, listed));
            await using var feed = await listen(job.Source, request, new StoreContext(time, Tell), stop);
            if (feed is null)
                return null;
            Reserve(feed.Connections);
            TellState($"listened to by {feed.Display}; looked at every {Span(job.Watch.Every)} in any case");
            // The feed does not report changes made before it was opened, so opening it counts as a change.
            news.Writer.TryWrite(true);
            ready.TrySetResult();
            while (true)
            {
                await feed.WaitAsync(stop);
                news.Writer.TryWrite(true);
            }
        }
        catch (Exception e)
        {
            return e;
        }
        finally
        {
            toldBefore = told;
        }

        // A note that is the same at each opening is reported only once.
        void Tell(string text)
        {
            if (told.Add(text) && !toldBefore.Contains(text))
                OnNote(text);
        }
    }

    /// <summary>
    /// Calls <see cref="OnNote"/> with the way in which the source reports changes, if the text differs from the last one.
    /// </summary>
    private void TellState(string text)
    {
        if (text != lastState)
            OnNote(text);
        lastState = text;
    }

    private TimeSpan Pause(Exception trouble, int tries)
    {
        // The pause is shortened by up to half at random, so that many jobs do not reconnect at the same moment.
        var pause = job.Retry.BackOff(tries) * (1 - (Random.Shared.NextDouble() / 2));
        if (trouble is MailException { RetryAfter: { } asked })
            return asked < pause ? pause : asked > LongestPause ? LongestPause : asked;
        return trouble is MailException { IsTransient: true } || pause > job.Watch.Every ? pause : job.Watch.Every;
    }

    private static string Span(TimeSpan span) =>
        span.TotalHours >= 1 && span.Minutes == 0 && span.Seconds == 0 ? $"{span.TotalHours:0} h" : span.Seconds == 0 ? $"{span.TotalMinutes:0} min" : $"{span.TotalSeconds:0} s";
}
