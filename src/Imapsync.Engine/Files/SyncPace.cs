namespace Imapsync.Engine.Files;

/// <summary>
/// Chooses the thread on which a sync is done. A sync to a device takes time, so the syncs of several files run in parallel, each blocking
/// a thread of its own. On a file system in memory, or on a disk whose cache survives a power cut, a sync takes almost no time: passing it
/// to another thread and waiting would cost more than the sync itself.
/// </summary>
internal sealed class SyncPace(TimeProvider time)
{
    private static readonly TimeSpan NoTime = TimeSpan.FromMicroseconds(100);
    private volatile bool takesNoTime;

    /// <summary>
    /// Syncs on this thread if the last sync took no time, otherwise on another thread. After one slow sync the next goes to another thread
    /// again.
    /// </summary>
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
