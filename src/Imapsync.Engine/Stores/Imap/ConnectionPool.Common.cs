using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

// This part runs the commands that need no selected folder.
internal sealed partial class ConnectionPool
{
    private CommonLease? common;

    /// <summary>Runs commands that need no selected folder. Callers that do so at the same time share one connection and its round trips.</summary>
    public async Task<T> RunAsync<T>(Func<ImapClient, Task<T>> commands, CancellationToken cancellationToken)
    {
        while (true)
        {
            var lease = JoinCommon(cancellationToken);
            if (lease is null)
            {
                if (Shared() is { } shared)
                    return await commands(shared);
                continue;
            }

            try
            {
                return await commands(await lease.Client.WaitAsync(cancellationToken));
            }
            catch (OperationCanceledException) when (lease.Client.IsCanceled && !cancellationToken.IsCancellationRequested)
            {
                // This caller was waiting for a connection that another caller was making, and the other caller was cancelled. So this
                // caller tries again.
            }
            catch (Exception e) when (e is not ImapCommandException)
            {
                lease.IsClean = false;
                throw;
            }
            finally
            {
                await LeaveAsync(lease);
            }
        }
    }

    /// <summary>
    /// Joins the connection that is already used for commands without a selected folder, or leases a connection for them. Returns null
    /// where all connections are leased; then the caller has to use one of those.
    /// </summary>
    private CommonLease? JoinCommon(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            // The caller does not wait for a shared connection that is still being made. The pool may be able to make it only after this
            // caller has returned a leased connection, and the two would wait for each other.
            if (common is not { IsUsable: true, Client.IsCompleted: true } && places.CurrentCount == 0 && leased.Exists(c => !c.IsBroken))
                return null;
            if (common is not { IsUsable: true })
                common = new CommonLease(Task.Run(() => LeaseAsync(cancellationToken), cancellationToken));
            common.Users++;
            return common;
        }
    }

    private async ValueTask LeaveAsync(CommonLease lease)
    {
        var connected = lease.Client.IsCompletedSuccessfully ? await lease.Client : null;
        lock (gate)
        {
            // A connection on which the server refused too many commands is closed instead of being used by further callers.
            if (connected is not null && !IsKept(connected))
                lease.IsClean = false;
            if (--lease.Users > 0)
                return;
            if (common == lease)
                common = null;
        }

        // By now the connecting has either completed or been cancelled by the caller that began it.
        await ((Task)lease.Client).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (lease.Client.IsCompletedSuccessfully)
            await ReturnAsync(await lease.Client, lease.IsClean);
    }

    private ImapClient? Shared()
    {
        lock (gate)
            return leased.Find(c => !c.IsBroken);
    }

    /// <summary>A connection on which several callers run commands at once; the last of them returns it.</summary>
    private sealed class CommonLease(Task<ImapClient> client)
    {
        public Task<ImapClient> Client { get; } = client;

        public int Users { get; set; }

        public volatile bool IsClean = true;

        public bool IsUsable => IsClean && !Client.IsFaulted && !Client.IsCanceled;
    }
}
