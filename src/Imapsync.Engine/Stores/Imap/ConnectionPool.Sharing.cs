namespace Imapsync.Engine.Stores.Imap;

// Places that are shared with other accounts of the host.
internal sealed partial class ConnectionPool
{
    // Of a share: how many places the pool has, idle or in use, and how many callers wait for one.
    private int granted = 1;
    private int waiting;

    private async Task TakePlaceAsync(CancellationToken cancellationToken)
    {
        if (share is null)
        {
            await places.WaitAsync(cancellationToken);
            return;
        }

        // Counted before it asks: a place that comes free between asking and waiting is not missed.
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

    /// <summary>Makes one place fewer of those that the caller has in hand; false where it is the last, or there is no share.</summary>
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

    /// <summary>Closes what is idle, as long as others wait.</summary>
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
