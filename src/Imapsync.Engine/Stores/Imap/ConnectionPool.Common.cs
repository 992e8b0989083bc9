using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

// Commands that need no folder of their own.
internal sealed partial class ConnectionPool
{
    private CommonLease? common;

    /// <summary>Runs commands that need no folder of their own. Many at once share one connection and its round trips.</summary>
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
                // Whoever began to connect gave up; this one did not.
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

    /// <summary>The connection of the commands under way, or a new lease; null where all are out and one of those has to do.</summary>
    private CommonLease? JoinCommon(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            // Not even one that is still waited for will do: it may wait for the very connection that the caller holds.
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
            // Nobody joins a connection any more that has seen too many refusals.
            if (connected is not null && !IsKept(connected))
                lease.IsClean = false;
            if (--lease.Users > 0)
                return;
            if (common == lease)
                common = null;
        }

        // Its connecting was cancelled with the caller that began it, or it is there.
        await ((Task)lease.Client).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (lease.Client.IsCompletedSuccessfully)
            await ReturnAsync(await lease.Client, lease.IsClean);
    }

    private ImapClient? Shared()
    {
        lock (gate)
            return leased.Find(c => !c.IsBroken);
    }

    /// <summary>A connection that several callers run commands on at once; the last of them gives it back.</summary>
    private sealed class CommonLease(Task<ImapClient> client)
    {
        public Task<ImapClient> Client { get; } = client;

        public int Users { get; set; }

        public volatile bool IsClean = true;

        public bool IsUsable => IsClean && !Client.IsFaulted && !Client.IsCanceled;
    }
}
