using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Files;

/// <summary>
/// Lets a few files of one store be synced at once. What waits here is written already, so a journalling file system
/// makes it durable with the transaction of those before it: many pairs' commits cost about one.
/// </summary>
internal sealed class SyncGate : IDisposable
{
    /// <summary>Each sync blocks a thread of the pool.</summary>
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
