using Imapsync.Engine.Files;

namespace Imapsync.Engine.Stores.Local;

/// <summary>
/// Makes the files of a window (a batch of appended messages) durable together. For many files one sync of their file system is cheapest (half the
/// cost of as many parallel fsyncs, measured on ext4). But such a sync also waits for other programs' data. Where other programs write much to that
/// file system, one fsync for each file is cheaper.
/// </summary>
internal sealed class GroupSync(TimeProvider time)
{
    private const int WorthFileSystemSync = 16;
    private const int AtOnce = 8;
    private static readonly TimeSpan TooSlow = TimeSpan.FromSeconds(1);
    private readonly SyncPace pace = new(TimeProvider.System);
    private volatile bool syncEachFile;

    /// <param name="directory">The directory of the files.</param>
    public async Task SyncFilesAsync(string directory, IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        if (files.Count >= WorthFileSystemSync && !syncEachFile)
        {
            var began = time.GetTimestamp();
            var isDone = await Task.Run(() => Posix.TrySyncFileSystem(directory), cancellationToken);
            syncEachFile = !isDone || time.GetElapsedTime(began) > TooSlow;
            if (isDone)
                return;
        }

        if (files.Count <= AtOnce)
        {
            await Task.WhenAll(files.Select(f => pace.RunAsync(() => Posix.SyncFile(f), cancellationToken)));
            return;
        }

        // The files are synced in parallel, so that the file system's journal commits several at once.
        await Parallel.ForEachAsync(files, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, (file, _) =>
        {
            Posix.SyncFile(file);
            return ValueTask.CompletedTask;
        });
    }
}
