namespace Imapsync.Engine.Files;

/// <summary>
/// Chooses the thread on which a sync is done. A slow sync gets a thread of its own, so that several files are synced in parallel. A fast
/// one (file system in memory, disk with a protected cache) runs on the caller's thread, which costs less.
/// </summary>
internal sealed class SyncPace(TimeProvider time)
{
    private static readonly TimeSpan NoTime = TimeSpan.FromMicroseconds(100);
    private volatile bool takesNoTime;

    /// <summary>Syncs on this thread if the last sync took almost no time, otherwise on another thread.</summary>
    public async Task RunAsync(Action sync, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (takesNoTime)
            Measure(sync);
        else
            await Task.Run(() => Measure(sync), cancellationToken);
    }

    private void Measure(Action sync)
    {
        var began = time.GetTimestamp();
        sync();
        takesNoTime = time.GetElapsedTime(began) < NoTime;
    }
}
