using System.Collections.Concurrent;
using System.Security.Cryptography;
using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Preflights;

/// <summary>The preflights of this process. They end with the process, and each is removed a day after it began.</summary>
internal sealed class PreflightDesk(FleetStore store, TimeProvider time, ILogger<PreflightDesk> log) : IAsyncDisposable
{
    public static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    private const int MostRunning = 3;
    private const int MostKept = 20;

    private readonly HostGate gate = new(store, time);
    private readonly ConcurrentDictionary<string, (Preflight Preflight, Task Task, ITimer Timer)> preflights = new(StringComparer.Ordinal);
    private readonly Lock sync = new();

    /// <summary>All preflights, newest first.</summary>
    public IReadOnlyList<PreflightView> All => [.. preflights.Values.Select(p => p.Preflight.View).OrderByDescending(v => v.Began)];

    /// <returns>Null if there are already as many preflights as permitted.</returns>
    public Preflight? Begin(PreflightRequest request, out string id)
    {
        id = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var key = id;
        lock (sync)
        {
            if (preflights.Count >= MostKept || preflights.Values.Count(p => p.Preflight.IsRunning) >= MostRunning)
                return null;
            var preflight = new Preflight(id, request, gate, time, log);
            preflights[id] = (preflight, Task.Run(preflight.RunAsync), time.CreateTimer(_ => Forget(key), null, Kept, Timeout.InfiniteTimeSpan));
            return preflight;
        }
    }

    public Preflight? Find(string id) => preflights.TryGetValue(id, out var found) ? found.Preflight : null;

    /// <summary>Cancels the preflight if it is still running, and removes it. Returns false if there is no such preflight.</summary>
    public bool Forget(string id)
    {
        if (!preflights.TryRemove(id, out var found))
            return false;
        found.Preflight.Cancel();
        found.Timer.Dispose();
        _ = DisposeAfterAsync(found.Preflight, found.Task);
        return true;
    }

    private static async Task DisposeAfterAsync(Preflight preflight, Task task)
    {
        await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        preflight.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        var all = preflights.Values.ToList();
        foreach (var id in preflights.Keys)
            Forget(id);
        await Task.WhenAll(all.Select(p => p.Task));
        gate.Dispose();
    }
}
