using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Engine.Stores.Views;

namespace Imapsync.Engine.Stores.Turns;

/// <summary>
/// A view of a store that several programs or tasks read at the same time. Only one of them at a time opens a folder. Opening assigns UIDs
/// to new mail, and otherwise two messages could get the same UID.
/// </summary>
public static class StoreInTurns
{
    /// <param name="store">The store to wrap. It is disposed together with the view.</param>
    /// <param name="memory">The store's <see cref="StoreContext.MemoryDirectory"/>.</param>
    public static IMessageStore Of(IMessageStore store, string memory, TimeProvider time) => new OpenedInTurns(store, memory, time);

    private sealed class OpenedInTurns(IMessageStore store, string memory, TimeProvider time) : StoreView(store)
    {
        /// <summary>
        /// The name of the lock file, which is stored beside the files of remembered UIDs (<c>*.names</c>). The name must contain
        /// <c>.names</c>. Otherwise the file would count as another program's file, and the job's state directory would be refused.
        /// </summary>
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

        /// <summary>
        /// Acquires the lock. Null if the directory can't be written to, because then no UIDs are stored and no lock is needed.
        /// </summary>
        /// <exception cref="MailException">The lock could not be acquired for another reason.</exception>
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
                catch (Exception e) when (FileErrors.IsUnwritable(e))
                {
                    return null;
                }
                catch (Exception e) when (FileErrors.Is(e))
                {
                    throw new MailException(FailureScope.Folder, isTransient: false, $"{memory}: {FileErrors.Explain(e)}", e);
                }
            }
        }
    }
}
