namespace Imapsync.Fleet.Listing;

public sealed partial class FleetStore
{
    /// <summary>
    /// Applies a user's action to all accounts that a filter selects. A worker that is running such an account learns of the action when it
    /// renews the account's lease.
    /// </summary>
    /// <returns>The number of accounts that were changed.</returns>
    public Task<int> ActAsync(AccountAction action, AccountFilter filter, CancellationToken cancellationToken) =>
        WriteAsync(async (connection, transaction) =>
        {
            // Take the feeder's lock first, so that no feeder gives out an account by a plan that it made before this change.
            await medium.LockAsync(connection, transaction, FleetLock.Feeder, cancellationToken);
            var (where, parameters) = Where(filter);
            // The statuses to which the action applies, and SQL that sets the account's new status and the request to its worker. The
            // numbers are those of AccountStatus and Wanted.
            var (from, set) = action switch
            {
                AccountAction.Pause => ("0, 1, 2", "status = case status when 0 then 3 else status end, wanted = case when status = 0 then 0 when wanted = 2 then 2 else 1 end"),
                AccountAction.Resume => ("1, 2, 3", $"status = case status when 3 then 0 else status end, wanted = case when wanted = 2 then 2 else 0 end, due_at = case status when 3 then {medium.Now} else due_at end"),
                AccountAction.Cancel => ("0, 1, 2, 3", "status = case when status in (1, 2) then status else 7 end, wanted = case when status in (1, 2) then 2 else 0 end"),
                AccountAction.Retry => ("0, 4, 5, 6, 7", $"status = 0, wanted = 0, failures = 0, due_at = {medium.Now}"),
                _ => throw new ArgumentOutOfRangeException(nameof(action)),
            };
            if (filter is { Batch: { } batch, Statuses: null, Text: null or "", Ids: null } && action is AccountAction.Pause or AccountAction.Resume)
                await connection.ExecuteAsync(transaction, "update batch set paused = @paused where id = @batch", cancellationToken, ("paused", action == AccountAction.Pause), ("batch", batch));
            return await connection.ExecuteAsync(transaction, $"update account as a set {set} where a.status in ({from}) and {where}", cancellationToken, [.. parameters]);
        }, cancellationToken);

    /// <summary>Sets the most simultaneous connections to a host; null for no limit. False if no account has this host.</summary>
    public Task<bool> LimitHostAsync(string host, int? connections, CancellationToken cancellationToken) =>
        WriteAsync(async (connection, transaction) =>
        {
            await medium.LockAsync(connection, transaction, FleetLock.Feeder, cancellationToken);
            return await connection.ExecuteAsync(transaction, "update host set connections = @connections where name = @host", cancellationToken, ("connections", connections is { } most ? (long)most : null), ("host", host)) > 0;
        }, cancellationToken);
}
