using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Engine.Stores.Views;

namespace Imapsync.Engine.Stores.Turns;

/// <summary>
/// A store that several programs, and several tasks of one, look into at the same time. Whoever opens a folder gives UIDs to mail that has
/// none and remembers them: one after the other, or two messages could get the same.
/// </summary>
public static class StoreInTurns
{
    /// <param name="store">The new store owns it.</param>
    /// <param name="memory">The store's <see cref="StoreContext.MemoryDirectory"/>.</param>
    public static IMessageStore Of(IMessageStore store, string memory, TimeProvider time) => new OpenedInTurns(store, memory, time);

    private sealed class OpenedInTurns(IMessageStore store, string memory, TimeProvider time) : StoreView(store)
    {
        /// <summary>Named as the files of numbers are, since it lies among them.</summary>
        private const string LockName = "turn.names.lock";
        private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
        private readonly SemaphoreSlim here = new(1);

        public override Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken) =>
            InTurnAsync(() => Store.OpenAsync(path, cancellationToken), cancellationToken);

        public override Task<IMessageFolder> OpenAgainAsync(FolderPath path, CancellationToken cancellationToken) =>
            InTurnAsync(() => Store.OpenAgainAsync(path, cancellationToken), cancellationToken);

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            here.Dispose();
        }

        private async Task<IMessageFolder> InTurnAsync(Func<Task<IMessageFolder>> open, CancellationToken cancellationToken)
        {
            await here.WaitAsync(cancellationToken);
            try
            {
                using var turn = await TakeAsync(cancellationToken);
                return await open();
            }
            finally
            {
                here.Release();
            }
        }

        /// <summary>Null where there can be no lock: there no number can be written down either.</summary>
        private async Task<JobLock?> TakeAsync(CancellationToken cancellationToken)
        {
            while (true)
            {
                try
                {
                    await DurableFiles.CreateDirectoryAsync(memory, cancellationToken);
                    return JobLock.Take(Path.Combine(memory, LockName), time);
                }
                catch (CheckpointLockedException)
                {
                    await Task.Delay(Pause, time, cancellationToken);
                }
                catch (Exception e) when (FileErrors.Is(e))
                {
                    return null;
                }
            }
        }
    }
}
