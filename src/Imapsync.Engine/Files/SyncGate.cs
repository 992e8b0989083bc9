using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Files;

/// <summary>
/// Limits how many files of one store are synced at once. While files wait, their data is already written. A journalling file system that
/// syncs one file then commits the waiting ones in the same transaction, which saves time.
/// </summary>
internal sealed class SyncGate : IDisposable
{
    /// <summary>How many syncs run at once; few, since each blocks a thread of the pool.</summary>
    private const int Concurrent = 4;

    private readonly SemaphoreSlim places = new(Concurrent);

    public async Task SyncAsync(SafeFileHandle file)
    {
        await places.WaitAsync(CancellationToken.None);
        try
        {
            await DurableFiles.SyncAsync(file, CancellationToken.None);
        }
        finally
        {
            places.Release();
        }
    }

    public void Dispose() => places.Dispose();
}
