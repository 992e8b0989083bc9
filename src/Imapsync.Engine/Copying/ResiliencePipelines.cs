using Imapsync.Engine.Mail;
using Polly;
using Polly.Retry;

namespace Imapsync.Engine.Copying;

/// <summary>
/// All retrying there is. Two rings: opening a store, and working on one folder, which is safe to redo whole because the
/// checkpoint knows what is done. What is transient was decided by the store that failed.
/// </summary>
public sealed class ResiliencePipelines
{
    private static readonly ResiliencePropertyKey<Action<Exception, TimeSpan>> OnWait = new("on-wait");

    private readonly ResiliencePipeline store;
    private readonly ResiliencePipeline folder;

    public ResiliencePipelines(TimeProvider time)
    {
        store = Build(time, attempts: 4, TimeSpan.FromSeconds(2));
        folder = Build(time, attempts: 6, TimeSpan.FromSeconds(1));
    }

    /// <param name="onWait">Told the failure and the wait before each new try.</param>
    /// <param name="giveUp">Ends a wait; a try in progress it leaves alone.</param>
    public Task<T> OpenStoreAsync<T>(Func<Task<T>> open, Action<Exception, TimeSpan> onWait, CancellationToken giveUp) =>
        RunAsync(store, open, onWait, giveUp);

    /// <inheritdoc cref="OpenStoreAsync"/>
    public Task<T> WorkOnFolderAsync<T>(Func<Task<T>> work, Action<Exception, TimeSpan> onWait, CancellationToken giveUp) =>
        RunAsync(folder, work, onWait, giveUp);

    private static ResiliencePipeline Build(TimeProvider time, int attempts, TimeSpan firstDelay) =>
        new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<MailException>(e => e.IsTransient),
                MaxRetryAttempts = attempts - 1,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = firstDelay,
                MaxDelay = TimeSpan.FromMinutes(2),
                DelayGenerator = a => ValueTask.FromResult((a.Outcome.Exception as MailException)?.RetryAfter),
                OnRetry = a =>
                {
                    if (a.Context.Properties.TryGetValue(OnWait, out var tell))
                        tell(a.Outcome.Exception!, a.RetryDelay);
                    return ValueTask.CompletedTask;
                },
            })
            .Build();

    private static async Task<T> RunAsync<T>(
        ResiliencePipeline pipeline, Func<Task<T>> work, Action<Exception, TimeSpan> onWait, CancellationToken giveUp)
    {
        var context = ResilienceContextPool.Shared.Get(giveUp);
        try
        {
            context.Properties.Set(OnWait, onWait);
            return await pipeline.ExecuteAsync(async _ => await work(), context);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }
}
