namespace Imapsync.Tests.Support;

/// <summary>Counts the octets of all connections, and runs an action once when exactly a given number have passed.</summary>
internal sealed class OctetAlarm
{
    private readonly Lock gate = new();
    private long total;
    private long callAt = long.MaxValue;
    private Action? call;

    public long Total => Interlocked.Read(ref total);

    /// <summary>The number of octets, at least 1, that may pass at once so that the action runs at exactly its octet.</summary>
    public long Room => Math.Max(1, Volatile.Read(ref callAt) - Total);

    public void Set(long octets, Action action)
    {
        lock (gate)
            (callAt, call) = (octets, action);
    }

    public void Reset()
    {
        lock (gate)
        {
            (callAt, call) = (long.MaxValue, null);
            Interlocked.Exchange(ref total, 0);
        }
    }

    public void Count(int octets)
    {
        Action? now = null;
        lock (gate)
        {
            total += octets;
            if (total >= callAt)
                (now, call, callAt) = (call, null, long.MaxValue);
        }

        now?.Invoke();
    }
}
