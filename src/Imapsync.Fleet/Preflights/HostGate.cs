using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Preflights;

/// <summary>
/// Keeps the connections of this process's preflights within what each host of the list allows, beside those that workers have. The feeder
/// does not know of them: an account that is given out while a row is checked may take its host above the limit by the rows that are checked
/// there at that time.
/// </summary>
internal sealed class HostGate(FleetStore store, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim turn = new(1);
    private readonly Dictionary<string, int> own = new(StringComparer.Ordinal);
    private Dictionary<string, HostView> known = [];
    private long? readAt;

    /// <summary>Waits until each host has room for one connection, and takes it.</summary>
    /// <param name="hosts">A host that is needed twice stands in it twice.</param>
    /// <returns>The host that is to be left alone; null where all was taken, which is then to be left again.</returns>
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

    /// <summary>Whether the list's limits are known; while the database is away no row is begun.</summary>
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

    /// <summary>A row that needs more than a host ever allows is checked while nobody else is there.</summary>
    private bool HasRoom(string host, int needed)
    {
        if (known.GetValueOrDefault(host)?.Connections is not { } most)
            return true;
        var taken = known[host].Claimed + own.GetValueOrDefault(host);
        return taken == 0 || taken + needed <= most;
    }
}
