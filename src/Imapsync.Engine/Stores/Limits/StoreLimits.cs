using System.Collections.Concurrent;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Stores.Limits;

/// <summary>
/// Wraps stores in the limits of their endpoints. All jobs of a run share one instance, so that jobs that use the same account share its rate.
/// </summary>
internal sealed class StoreLimits(TimeProvider time)
{
    private readonly ConcurrentDictionary<(string Account, bool IsTarget, TransferLimits Limits), TransferPace> paces = new();

    /// <param name="open">Opens the store that is to be limited.</param>
    /// <param name="isTarget">Whether the day's budget counts messages written; otherwise it counts messages read.</param>
    /// <param name="onLimit">See <see cref="StoreContext.OnLimit"/>.</param>
    public async Task<IMessageStore> ApplyAsync(
        Endpoint endpoint, bool isTarget, IStateMedium state, Action<string, string> onLimit, Func<Task<IMessageStore>> open, CancellationToken cancellationToken)
    {
        if ((endpoint as ServerEndpoint)?.HostLimits is { Pace: var shared } host && shared != TransferLimits.None)
        {
            // Host limits: one rate for all accounts and both directions.
            var all = new TransferGate(endpoint.Display, paces.GetOrAdd((host.Host, false, shared), _ => TransferPace.Of(shared, time)), null, onLimit);
            var inner = open;
            open = async () => new LimitedStore(await inner(), reading: all, writing: all);
        }

        var limits = endpoint.Limits;
        if (limits == TransferLimits.None)
            return await open();
        var pace = paces.GetOrAdd((endpoint.Identity, isTarget, limits), _ => TransferPace.Of(limits, time));
        var budget = limits.BytesPerDay is { } bytes
            ? await DayBudget.ReadAsync(state, isTarget ? StateName.TargetBudget : StateName.SourceBudget, bytes, time, cancellationToken)
            : null;
        var counted = new TransferGate(endpoint.Display, pace, budget, onLimit);
        var uncounted = new TransferGate(endpoint.Display, pace, null, onLimit);
        return new LimitedStore(await open(), reading: isTarget ? uncounted : counted, writing: counted);
    }
}
