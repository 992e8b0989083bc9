namespace Imapsync.Engine.Stores.Imap;

// This part is about the permitted connections ("places") that the pool shares with pools of other accounts on the same host.
internal sealed partial class ConnectionPool
{
    // Used only where the pool shares the host's limit with other accounts: how many connections (places) the pool is permitted to have,
    // idle or in use, and how many callers wait for one.
    private int granted = 1;
    private int waiting;

    private async Task TakePlaceAsync(CancellationToken cancellationToken)
    {
        if (share is null)
        {
            await places.WaitAsync(cancellationToken);
            return;
        }

        // The caller is counted as waiting before it looks for a free place (a permitted connection). Otherwise it would not be told of a
        // place that becomes free right after it looked.
        Interlocked.Increment(ref waiting);
        try
        {
            if (!places.Wait(0, CancellationToken.None) && !TryGrow())
                await places.WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
        }
    }

    private bool TryGrow()
    {
        lock (gate)
        {
            if (isDisposed || granted >= size - lowered || !share!.TryTake())
                return false;
            granted++;
            return true;
        }
    }

    /// <summary>
    /// Gives up one of the pool's permitted connections (places) for use by other accounts. Returns false if it is the pool's last one, or
    /// if the pool does not share the host's limit.
    /// </summary>
    private bool TryGiveUpPlace()
    {
        lock (gate)
        {
            if (share is null || granted <= 1)
                return false;
            granted--;
        }

        share.GiveBack();
        return true;
    }

    private void OnSpare()
    {
        lock (gate)
        {
            if (!isDisposed && Volatile.Read(ref waiting) > 0 && TryGrow())
                places.Release();
        }
    }

    private void OnWanted() => _ = Task.Run(ShedAsync, CancellationToken.None);

    /// <summary>Closes idle connections as long as other accounts wait for a place (a permitted connection to the host).</summary>
    private async Task ShedAsync()
    {
        while (share!.IsWanted)
        {
            lock (gate)
            {
                if (isDisposed || granted <= 1 || !places.Wait(0, CancellationToken.None))
                    return;
            }

            if (TakeIdle() is { } client)
                await client.DisposeAsync();
            if (!TryGiveUpPlace())
            {
                lock (gate)
                {
                    if (!isDisposed)
                        places.Release();
                }

                return;
            }
        }
    }
}
