using System.Collections.Concurrent;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Stores.Limits;

/// <summary>Puts endpoints' limits before their stores. One for all jobs of a run: jobs that use one account share its pace.</summary>
internal sealed class StoreLimits(TimeProvider time)
{
    private readonly ConcurrentDictionary<(string Account, bool IsTarget, TransferLimits Limits), TransferPace> paces = new();

    /// <param name="open">Opens the store that is limited.</param>
    /// <param name="isTarget">The day's budget is for what is written, else for what is read.</param>
    /// <param name="onLimit">See <see cref="StoreContext.OnLimit"/>.</param>
    public async Task<IMessageStore> ApplyAsync(
        Endpoint endpoint, bool isTarget, IStateMedium state, Action<string, string> onLimit, Func<Task<IMessageStore>> open, CancellationToken cancellationToken)
    {
        if ((endpoint as ServerEndpoint)?.HostLimits is { Pace: var shared } host && shared != TransferLimits.None)
        {
            // Both ways and for all accounts: one pace.
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
