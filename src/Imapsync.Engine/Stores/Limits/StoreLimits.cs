using System.Collections.Concurrent;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Stores.Limits;

/// <summary>
/// Wraps stores in the limits of their endpoints. All jobs of a run share one instance, so that jobs that use the same account together
/// keep to its rate.
/// </summary>
internal sealed class StoreLimits(TimeProvider time)
{
    private readonly ConcurrentDictionary<(string Account, bool IsTarget, TransferLimits Limits), TransferPace> paces = new();

    /// <summary>Opens a source within its limits. The messages read count against its budget of octets per day.</summary>
    /// <param name="open">Opens the store that is to be limited.</param>
    /// <param name="onLimit">See <see cref="StoreContext.OnLimit"/>.</param>
    public async Task<IMessageStore> OpenSourceAsync(
        Endpoint endpoint, IStateMedium state, Action<string, string> onLimit, Func<Task<IMessageStore>> open, CancellationToken cancellationToken)
    {
        var gates = await MakeGatesAsync(endpoint, isTarget: false, state, onLimit, cancellationToken);
        return gates.Aggregate(await open(), (store, gate) => new LimitedStore(store, gate.Reading));
    }

    /// <summary>Opens a target within its limits. The messages written count against its budget of octets per day.</summary>
    /// <param name="open">Opens the target that is to be limited.</param>
    /// <param name="onLimit">See <see cref="StoreContext.OnLimit"/>.</param>
    public async Task<ITargetStore> OpenTargetAsync(
        Endpoint endpoint, IStateMedium state, Action<string, string> onLimit, Func<Task<ITargetStore>> open, CancellationToken cancellationToken)
    {
        var gates = await MakeGatesAsync(endpoint, isTarget: true, state, onLimit, cancellationToken);
        return gates.Aggregate(await open(), (target, gate) => new LimitedTarget(target, gate.Reading, gate.Writing));
    }

    /// <summary>Returns a pair of gates for each limit: one for messages that are read, one for messages that are written.</summary>
    private async Task<List<(TransferGate Reading, TransferGate Writing)>> MakeGatesAsync(
        Endpoint endpoint, bool isTarget, IStateMedium state, Action<string, string> onLimit, CancellationToken cancellationToken)
    {
        var gates = new List<(TransferGate Reading, TransferGate Writing)>();
        if ((endpoint as ServerEndpoint)?.HostLimits is { Pace: var shared } host && shared != TransferLimits.None)
        {
            // The limits of a host are one rate for all its accounts and for both directions.
            var all = new TransferGate(endpoint.Display, paces.GetOrAdd((host.Host, false, shared), _ => TransferPace.Of(shared, time)), null, onLimit);
            gates.Add((all, all));
        }

        var limits = endpoint.Limits;
        if (limits == TransferLimits.None)
            return gates;
        var pace = paces.GetOrAdd((endpoint.Identity, isTarget, limits), _ => TransferPace.Of(limits, time));
        var budget = limits.BytesPerDay is { } bytes
            ? await DayBudget.ReadAsync(state, isTarget ? StateName.TargetBudget : StateName.SourceBudget, bytes, time, cancellationToken)
            : null;
        var counted = new TransferGate(endpoint.Display, pace, budget, onLimit);
        var uncounted = new TransferGate(endpoint.Display, pace, null, onLimit);
        gates.Add((isTarget ? uncounted : counted, counted));
        return gates;
    }
}
