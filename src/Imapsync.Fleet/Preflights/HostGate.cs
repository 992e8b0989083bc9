using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Preflights;

/// <summary>
/// Keeps the connections of this process's preflights and of the workers within each host's limit. The feeder does not know of preflights.
/// If it gives out an account meanwhile, a host may exceed its limit by the connections that the checks have open.
/// </summary>
internal sealed class HostGate(FleetStore store, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim turn = new(1);
    private readonly Dictionary<string, int> own = new(StringComparer.Ordinal);
    private Dictionary<string, HostView> known = [];
    private long? readAt;

    /// <summary>Waits until each host has room for one more connection, and reserves it.</summary>
    /// <param name="hosts">The hosts; a host that needs two connections occurs twice.</param>
    /// <returns>
    /// Null if the connections are reserved; call <see cref="LeaveAsync"/> when they are closed. Otherwise a host that must not be used.
    /// </returns>
    public async Task<string?> EnterAsync(IReadOnlyList<string> hosts, CancellationToken cancellationToken)
    {
        while (true)
        {
            await turn.WaitAsync(cancellationToken);
            try
            {
                if (await KnowAsync(cancellationToken))
                {
                    if (hosts.FirstOrDefault(h => known.GetValueOrDefault(h)?.Connections == 0) is { } closed)
                        return closed;
                    if (hosts.Distinct().All(h => HasRoom(h, hosts.Count(x => x == h))))
                    {
                        foreach (var host in hosts)
                            own[host] = own.GetValueOrDefault(host) + 1;
                        return null;
                    }
                }
            }
            finally
            {
                turn.Release();
            }

            await Task.Delay(LookInterval, time, cancellationToken);
        }
    }

    public async Task LeaveAsync(IReadOnlyList<string> hosts)
    {
        await turn.WaitAsync(CancellationToken.None);
        foreach (var host in hosts)
            own[host]--;
        turn.Release();
    }

    public void Dispose() => turn.Dispose();

    /// <summary>Returns whether the limits of the hosts are known. While the database can't be reached, no row is begun.</summary>
    private async Task<bool> KnowAsync(CancellationToken cancellationToken)
    {
        if (readAt is { } at && time.GetElapsedTime(at) < LookInterval)
            return true;
        try
        {
            known = (await store.ReadHostsAsync(cancellationToken)).ToDictionary(h => h.Name, StringComparer.Ordinal);
            readAt = time.GetTimestamp();
            return true;
        }
        catch (Exception e) when (store.IsAway(e))
        {
            return false;
        }
    }

    /// <summary>
    /// Whether the host has room. A row that needs more connections than the host's limit is checked while no other connection is reserved.
    /// </summary>
    private bool HasRoom(string host, int needed)
    {
        if (known.GetValueOrDefault(host)?.Connections is not { } most)
            return true;
        var taken = known[host].Claimed + own.GetValueOrDefault(host);
        return taken == 0 || taken + needed <= most;
    }
}
