using System.Collections.Concurrent;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Imap;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace Imapsync.Engine.Retrying;

/// <summary>
/// Performs all retries of a job. Two things are retried: the opening of a store, and a piece of work such as the copying of a folder. Such
/// work can safely be repeated as a whole, since the checkpoint records which messages are done. The store decides which failures are
/// transient; <see cref="RetryPolicy"/> decides how long to retry.
/// </summary>
/// <param name="onLimit">
/// Called with the reason (a fixed word for programs) and a text for people when a server demands a longer wait than the job allows.
/// </param>
internal sealed class RetryPipeline(RetrySettings settings, TimeProvider time, JobReporter report, Action<string, string> onLimit)
{
    private static readonly ResiliencePropertyKey<Attempt> Current = new("attempt");

    private readonly ResiliencePipeline pipeline = Build(time);

    // A wait that a server demands on one folder's connection applies to the whole account.
    private readonly Lock gate = new();
    private DateTimeOffset quietUntil;
    private string quietReason = "";

    /// <param name="giveUp">Ends a wait between attempts; an attempt in progress continues.</param>
    public Task<T> OpenStoreAsync<T>(string what, Func<Task<T>> open, CancellationToken giveUp) =>
        RunAsync(what, open, new RetryPolicy(settings, time, () => 0, wasReached: false), giveUp);

    /// <param name="progress">Returns a number that grows as the work progresses.</param>
    /// <inheritdoc cref="OpenStoreAsync"/>
    public Task<T> WorkAsync<T>(string what, Func<Task<T>> work, Func<long> progress, CancellationToken giveUp) =>
        RunAsync(what, work, new RetryPolicy(settings, time, progress, wasReached: true), giveUp);

    /// <summary>Returns true if the server demands a longer wait before the next attempt than the job allows.</summary>
    public bool IsTooLong(MailException trouble) => trouble.RetryAfter > settings.GiveUpAfter;

    /// <summary>
    /// Waits before messages that a server temporarily refused are tried again. The wait is as long as the server demands; if it demands
    /// none, each wait is twice as long as the one before. All other messages are at the target by then.
    /// </summary>
    /// <param name="attempt">The number of the attempt, from 1.</param>
    /// <returns>False when <paramref name="stop"/> ended the wait.</returns>
    public async Task<bool> PauseAsync(string what, MailException trouble, int attempt, CancellationToken stop, CancellationToken abort)
    {
        var delay = trouble.RetryAfter ?? settings.BackOff(attempt);
        report.Wait(About(what, trouble.Message), delay);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, abort);
        await Task.Delay(delay, time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        abort.ThrowIfCancellationRequested();
        return !stop.IsCancellationRequested;
    }

    /// <summary>
    /// Combines the name of the affected store or folder with the failure's text. If the name is a URL that the text already contains, it
    /// is left out.
    /// </summary>
    private static string About(string what, string trouble) =>
        what.Contains("://", StringComparison.Ordinal) && trouble.Contains(what, StringComparison.Ordinal) ? trouble : $"{what}: {trouble}";

    private static Attempt Of(ResilienceContext context) => context.Properties.GetValue(Current, null!);

    private static ResiliencePipeline Build(TimeProvider time) => new ResiliencePipelineBuilder { TimeProvider = time }
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = a => ValueTask.FromResult(a.Outcome.Exception is MailException e && Of(a.Context).RetryPolicy.Allows(e)),
            MaxRetryAttempts = int.MaxValue,
            DelayGenerator = a => ValueTask.FromResult<TimeSpan?>(Of(a.Context).RetryPolicy.Wait),
            OnRetry = a =>
            {
                Of(a.Context).OnWait(a.Outcome.Exception!, a.RetryDelay);
                return ValueTask.CompletedTask;
            },
        })
        .Build();

    private async Task<T> RunAsync<T>(string what, Func<Task<T>> work, RetryPolicy patience, CancellationToken giveUp)
    {
        giveUp.ThrowIfCancellationRequested();
        var context = ResilienceContextPool.Shared.Get(giveUp);
        try
        {
            context.Properties.Set(Current, new Attempt(patience, (failure, delay) => Tell(what, (MailException)failure, delay)));
            return await pipeline.ExecuteAsync(
                async _ =>
                {
                    await WaitOutThrottleAsync(what, giveUp);
                    return await work();
                },
                context);
        }
        catch (MailException e) when (patience.IsOutOfTime && e.Kind != FailureKind.Connect)
        {
            onLimit(Reasons.Throttled, $"{what}: {e.Message}; to wait {patience.Wait.TotalSeconds:0} seconds more would go beyond retry.give_up_after");
            throw new OperationCanceledException("a server wants to be left alone", e, giveUp);
        }
        catch (MailException e) when (e.IsTransient && giveUp.IsCancellationRequested)
        {
            throw new OperationCanceledException("given up before another try", e, giveUp);
        }
        catch (MailException e) when (e.IsTransient)
        {
            // All attempts are used up, so the failure is thrown as permanent. Otherwise a caller that retries a larger piece of work would
            // begin again.
            throw new MailException(e.Scope, isTransient: false, $"{e.Message} (given up, tries: {patience.Tries})", e) { Kind = e.Kind };
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private void Tell(string what, MailException failure, TimeSpan delay)
    {
        report.Wait(About(what, failure.Message), delay);
        if (failure is not { Scope: FailureScope.Store, RetryAfter: not null, Kind: not FailureKind.Connect })
            return;
        lock (gate)
        {
            var until = time.GetUtcNow() + delay;
            if (until > quietUntil)
                (quietUntil, quietReason) = (until, failure.Message);
        }
    }

    private async Task WaitOutThrottleAsync(string what, CancellationToken giveUp)
    {
        TimeSpan left;
        string reason;
        lock (gate)
            (left, reason) = (quietUntil - time.GetUtcNow(), quietReason);
        if (left <= TimeSpan.Zero)
            return;
        report.Wait(About(what, reason), left);
        await Task.Delay(left, time, giveUp);
    }

    private sealed record Attempt(RetryPolicy RetryPolicy, Action<Exception, TimeSpan> OnWait);
}

/// <summary>
/// Circuit breakers, one per host, shared by all jobs of the process. After several connections to a host have failed within a short time,
/// no job connects to it for a while; then one connection tests for all jobs whether the host can be reached again.
/// </summary>
internal sealed class HostCircuits(TimeProvider time)
{
    private const int Failures = 5;
    private static readonly TimeSpan FirstBreak = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestBreak = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, ResiliencePipeline> hosts = new();

    /// <summary>Connects to a host unless its circuit is open.</summary>
    /// <exception cref="MailException">
    /// The failure of <paramref name="connect"/>, or, if the circuit is open, a transient failure with the time until the next attempt.
    /// </exception>
    public async Task ConnectAsync(string host, Func<Task> connect)
    {
        try
        {
            await hosts.GetOrAdd(host, _ => Build()).ExecuteAsync(async _ => await connect());
        }
        catch (BrokenCircuitException e)
        {
            // The cause comes first in the text, since a narrow terminal cuts off the end.
            throw new MailException(FailureScope.Store, true, $"{WhyNot(e.InnerException)}: {host} is left alone for now, connections to it failed", e)
            {
                Kind = FailureKind.Connect,
                RetryAfter = e.RetryAfter ?? FirstBreak,
            };
        }
    }

    /// <summary>
    /// Returns the reason without the name of the account whose connection failed, since jobs of other accounts report the reason too.
    /// </summary>
    private static string? WhyNot(Exception? failure) => failure?.InnerException switch
    {
        ImapConnectionException { Unreachable: { } why } => why,
        ImapConnectionException other => other.Message,
        _ => failure?.Message,
    };

    private ResiliencePipeline Build() => new ResiliencePipelineBuilder { TimeProvider = time }
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions
        {
            // A failure with RetryAfter does not open the circuit: a server that asks one account to wait is still available to other
            // accounts.
            ShouldHandle = new PredicateBuilder().Handle<MailException>(e => e is { Scope: FailureScope.Store, IsTransient: true, RetryAfter: null }),
            FailureRatio = 0.5,
            MinimumThroughput = Failures,
            SamplingDuration = TimeSpan.FromMinutes(2),
            BreakDurationGenerator = a => ValueTask.FromResult(
                FirstBreak * Math.Pow(2, Math.Min(a.HalfOpenAttempts, 10)) is var pause && pause < LongestBreak ? pause : LongestBreak),
        })
        .Build();
}
