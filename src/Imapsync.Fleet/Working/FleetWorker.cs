using System.Collections.Concurrent;
using Imapsync.Fleet.Executing;
using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Working;

/// <summary>
/// A worker: runs the accounts that are given to it, renews their leases, and stops each account whose lease may have expired. The loop
/// that checks the leases never waits for the database, so it stops accounts in time.
/// </summary>
internal sealed class FleetWorker(FleetStore store, IFleetExecutor executor, AccountRunner runner, WorkerOptions options, TimeProvider time, ILogger<FleetWorker> log) : IAsyncDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RenewInterval = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    /// <summary>An attempt ends itself this long before its lease expires, so that it has ended before another worker may begin.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<long, AccountAtWork> atWork = new();
    private readonly ConcurrentDictionary<Task, bool> running = new();
    private readonly ConcurrentDictionary<(string Schedule, string Zone), bool> unreadable = new();
    private readonly CancellationTokenSource ended = new();
    private readonly List<Task> loops = [];
    private volatile bool isDraining;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await store.PatientAsync(() => store.SeenAsync(options.Name, options.Slots, options.Version, isDraining: false, cancellationToken), cancellationToken);
        loops.Add(LoopAsync(LookInterval, _ => Look()));
        loops.Add(LoopAsync(RenewInterval, RenewAsync));
        loops.Add(LoopAsync(RenewInterval, c => store.SeenAsync(options.Name, options.Slots, options.Version, isDraining, c)));
        await executor.StartAsync(FeedAsync, RunAsync, cancellationToken);
    }

    /// <summary>
    /// Accepts no more accounts, lets the running accounts finish and save, and releases them. After the grace period, the remaining
    /// accounts are stopped at once.
    /// </summary>
    public async Task DrainAsync()
    {
        isDraining = true;
        try
        {
            await executor.DrainAsync(CancellationToken.None);
            await store.SeenAsync(options.Name, options.Slots, options.Version, isDraining: true, CancellationToken.None);
        }
        catch (Exception e)
        {
            log.LogWarning("draining is not known to the others: {Problem}", e.Message);
        }

        foreach (var run in atWork.Values)
            run.End(EndReason.Drain);
        var all = Task.WhenAll(running.Keys);
        if (await Task.WhenAny(all, Task.Delay(options.Grace, time, CancellationToken.None)) != all)
        {
            foreach (var run in atWork.Values)
                run.Drop();
            await Task.WhenAny(all, Task.Delay(TimeSpan.FromSeconds(10), time, CancellationToken.None));
        }

        try
        {
            await store.GoneAsync(options.Name, CancellationToken.None);
        }
        catch (Exception e)
        {
            log.LogWarning("{Problem}", e.Message);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await Task.WhenAll(loops);
        await executor.DisposeAsync();
        ended.Dispose();
    }

    private async Task FeedAsync(CancellationToken cancellationToken)
    {
        try
        {
            foreach (var offer in await store.FeedAsync(NextRun, cancellationToken))
                await executor.OfferAsync(offer, cancellationToken);
        }
        catch (Exception e) when (store.IsAway(e))
        {
            log.LogWarning("nothing is given out for now: {Problem}", e.Message);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // The executor would discard the exception without logging it.
            log.LogError(e, "accounts can't be given out");
        }
    }

    /// <summary>Returns when a schedule is due next. A schedule that this machine can't read is logged once.</summary>
    private long? NextRun(string schedule, string zone, long now)
    {
        try
        {
            return Schedules.Next(schedule, zone, now);
        }
        catch (Exception e)
        {
            if (unreadable.TryAdd((schedule, zone), true))
                log.LogError("the schedule '{Schedule}' in the time zone {Zone} can't be read on this machine, so its list is not begun by this worker: {Problem}", schedule, zone, e.Message);
            throw;
        }
    }

    private async Task RunAsync(long account, long attempt)
    {
        var task = RunAttemptAsync(account, attempt);
        running.TryAdd(task, true);
        try
        {
            await task;
        }
        finally
        {
            running.TryRemove(task, out _);
        }
    }

    private async Task RunAttemptAsync(long account, long attempt)
    {
        if (await BeginAsync(account, attempt) is not { } run)
            return;
        try
        {
            switch (run.Account.Wanted)
            {
                case Wanted.Pause:
                    run.End(EndReason.Pause);
                    break;
                case Wanted.Cancel:
                    run.End(EndReason.Cancel);
                    break;
            }

            if (isDraining)
                run.End(EndReason.Drain);
            AttemptEnd end;
            try
            {
                end = await runner.RunAsync(run);
            }
            catch (Exception e)
            {
                log.LogError(e, "account {Account}, attempt {Attempt}: a defect", account, attempt);
                end = AccountRunner.Broken(run.Account, e);
            }

            await FinishAsync(run, end);
        }
        catch (Exception e)
        {
            log.LogError(e, "account {Account}, attempt {Attempt}: its end can't be written; its lease runs out and it is tried again", account, attempt);
        }
        finally
        {
            atWork.TryRemove(new KeyValuePair<long, AccountAtWork>(account, run));
            run.Dispose();
        }
    }

    /// <summary>
    /// Begins an attempt on an account that was offered to this worker. It retries if the database can't be reached, because otherwise the
    /// account would wait until the offer expires.
    /// </summary>
    private async Task<AccountAtWork?> BeginAsync(long account, long attempt)
    {
        var first = time.GetTimestamp();
        while (true)
        {
            var (sent, sentAt) = (time.GetTimestamp(), time.GetUtcNow());
            try
            {
                if (await store.StartAsync(account, attempt, options.Name, CancellationToken.None) is not { } started)
                    return null;
                var run = new AccountAtWork(started, store.Lease - Margin, sent, sentAt, time);
                // An older attempt of this account, which has lost its lease, may still be ending on this worker.
                if (atWork.TryGetValue(account, out var older))
                    older.End(EndReason.Lost);
                atWork[account] = run;
                return run;
            }
            catch (Exception e) when (store.IsAway(e) && time.GetElapsedTime(first) < FleetStore.ReadyTime)
            {
                log.LogWarning("account {Account} can't be begun for now: {Problem}", account, e.Message);
                await Task.Delay(RetryInterval, time, CancellationToken.None);
            }
            catch (Exception e)
            {
                // The executor would discard the exception without logging it.
                log.LogError(e, "account {Account}, attempt {Attempt} can't be begun; it is given out again when its offer runs out", account, attempt);
                return null;
            }
        }
    }

    /// <summary>
    /// Stores how an attempt ended, and retries while the lease is valid. If that fails, the account is run again. Then the next attempt
    /// finds the copied messages at the target.
    /// </summary>
    private async Task FinishAsync(AccountAtWork run, AttemptEnd end)
    {
        while (run.IsHeld)
        {
            try
            {
                if (!await store.FinishAsync(options.Name, end with { Lines = run.Log.Pending }, CancellationToken.None))
                    log.LogWarning("account {Account}: attempt {Attempt} was no longer this worker's", end.Account, end.Attempt);
                return;
            }
            catch (Exception e) when (store.IsAway(e))
            {
                log.LogWarning("account {Account}: its end can't be written for now: {Problem}", end.Account, e.Message);
                await Task.Delay(RetryInterval, time, CancellationToken.None);
            }
        }
    }

    private Task Look()
    {
        foreach (var run in atWork.Values.Where(r => !r.IsHeld && r.Reason != EndReason.Lost))
        {
            log.LogWarning("account {Account}: the lease of attempt {Attempt} could not be renewed in time; it ends here", run.Account.Account, run.Account.Attempt);
            run.End(EndReason.Lost);
        }

        return Task.CompletedTask;
    }

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        var runs = atWork.Values.Where(r => r.Reason != EndReason.Lost).ToList();
        if (runs.Count == 0)
            return;
        // Take the time before the renewal is sent, because it is unknown how long the renewal takes to arrive.
        var (sent, sentAt) = (time.GetTimestamp(), time.GetUtcNow());
        var told = runs.ConvertAll(r => r.Progress with { Lines = r.Log.Pending });
        var held = await store.RenewAsync(options.Name, told, cancellationToken);
        foreach (var (run, progress) in runs.Zip(told))
        {
            if (!held.TryGetValue(run.Account.Account, out var wanted))
            {
                run.End(EndReason.Lost);
                continue;
            }

            run.Renew(sent, sentAt);
            run.Log.Written(progress.Lines!);
            if (wanted == Wanted.Pause)
                run.End(EndReason.Pause);
            else if (wanted == Wanted.Cancel)
                run.End(EndReason.Cancel);
        }
    }

    private async Task LoopAsync(TimeSpan interval, Func<CancellationToken, Task> step)
    {
        using var timer = new PeriodicTimer(interval, time);
        while (!ended.IsCancellationRequested)
        {
            try
            {
                await step(ended.Token);
                await timer.WaitForNextTickAsync(ended.Token);
            }
            catch (OperationCanceledException) when (ended.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                log.LogWarning("{Problem}", e.Message);
                await Task.Delay(RetryInterval, time, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}

/// <param name="Name">The worker's name, which no other worker of the fleet has.</param>
/// <param name="Slots">How many accounts may run at once.</param>
/// <param name="Grace">How long running accounts may take to finish when the worker drains.</param>
internal sealed record WorkerOptions(string Name, int Slots, string Version, TimeSpan Grace);
