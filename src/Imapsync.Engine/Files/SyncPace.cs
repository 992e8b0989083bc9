namespace Imapsync.Engine.Files;

/// <summary>
/// Where syncs are done. A device takes its time, so the syncs of several files go side by side, each on a thread that it blocks. A file
/// system in memory, or a disk whose cache outlasts a power cut, takes none: to hand such a sync to another thread and to wait for it
/// costs more than the sync.
/// </summary>
internal sealed class SyncPace(TimeProvider time)
{
    private static readonly TimeSpan NoTime = TimeSpan.FromMicroseconds(100);
    private volatile bool takesNoTime;

    /// <summary>Syncs on this thread if the last sync took no time, else on another. One that turns out to be slow is the last one here.</summary>
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
