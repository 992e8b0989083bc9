using System.Data.Common;

namespace Imapsync.Fleet.Listing;

/// <summary>A database for the fleet's tables. This class has only what differs between databases.</summary>
internal abstract class Medium : IAsyncDisposable
{
    /// <summary>The database's clock in milliseconds since 1970, as SQL.</summary>
    public abstract string Now { get; }

    /// <summary>The SQL type of an automatically increasing key.</summary>
    public abstract string Key { get; }

    /// <summary>
    /// SQL for the definition of a table whose rows change every few seconds. It keeps room in each disk page, so that updates are cheap.
    /// </summary>
    public virtual string RoomToUpdate => "";

    /// <summary>The SQL type of octets.</summary>
    public abstract string Octets { get; }

    /// <summary>
    /// SQL appended to a select from a job's state <c>s</c> and a lease <c>l</c>. Until the transaction ends, nobody can take the state or
    /// the lease away. The lease can still be renewed.
    /// </summary>
    public virtual string KeepHeld => "";

    /// <summary>Like <see cref="KeepHeld"/>, for a select from a lease alone.</summary>
    public virtual string KeepLease => "";

    /// <summary>SQL that creates the schema that holds all tables; null if this kind of database has no schemas.</summary>
    public virtual string? CreateSchema => null;

    /// <summary>Where the database is, for people, without a password.</summary>
    public abstract string Display { get; }

    /// <summary>Prepares the database before its tables are created or checked.</summary>
    public abstract Task PrepareAsync(CancellationToken cancellationToken);

    /// <summary>Waits for this writer's turn among the writers of this process; null if the database itself orders them.</summary>
    public virtual Task<IDisposable?> EnterAsync(CancellationToken cancellationToken) => Task.FromResult<IDisposable?>(null);

    public abstract Task<DbConnection> OpenAsync(CancellationToken cancellationToken);

    public abstract Task<DbTransaction> BeginAsync(DbConnection connection, CancellationToken cancellationToken);

    /// <summary>Takes a lock that is held until the transaction ends; other transactions wait for it.</summary>
    public abstract Task LockAsync(DbConnection connection, DbTransaction transaction, FleetLock what, CancellationToken cancellationToken);

    /// <summary>Returns SQL for a JSON array of objects as a table <c>x</c>.</summary>
    /// <param name="columns">The names of the columns. A trailing <c>$</c> marks a text; the others are whole numbers.</param>
    public abstract string Rows(string parameter, params IReadOnlyList<string> columns);

    /// <summary>Returns SQL that is true if a column is one of the numbers of a JSON array.</summary>
    public abstract string IsAmong(string column, string parameter);

    /// <summary>Whether the error is a conflict between transactions, after which the same transaction may be tried again.</summary>
    public abstract bool IsConflict(DbException e);

    /// <summary>Whether the error means that the database can't be reached for now.</summary>
    public abstract bool IsAway(Exception e);

    /// <summary>Runs a transaction, and runs it again if it conflicts with another one, at most five times in all.</summary>
    public async Task<T> WriteAsync<T>(Func<DbConnection, DbTransaction, Task<T>> work, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                using var turn = await EnterAsync(cancellationToken);
                await using var connection = await OpenAsync(cancellationToken);
                await using var transaction = await BeginAsync(connection, cancellationToken);
                var result = await work(connection, transaction);
                await transaction.CommitAsync(cancellationToken);
                return result;
            }
            catch (DbException e) when (tries < 5 && IsConflict(e))
            {
                // Two transactions changed the same rows in different orders, so one of them starts again.
            }
        }
    }

    /// <summary>Runs one statement that changes rows, as a transaction of its own: one round trip.</summary>
    /// <returns>How many rows it changed.</returns>
    public async Task<int> ExecuteAsync(string text, CancellationToken cancellationToken, params (string Name, object? Value)[] parameters)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                using var turn = await EnterAsync(cancellationToken);
                await using var connection = await OpenAsync(cancellationToken);
                return await connection.ExecuteAsync(null, text, cancellationToken, parameters);
            }
            catch (DbException e) when (tries < 5 && IsConflict(e))
            {
                // The statement conflicted with a transaction, so it is run again.
            }
        }
    }

    public async Task<List<T>> ReadAsync<T>(string text, Func<DbDataReader, T> read, CancellationToken cancellationToken, params (string Name, object? Value)[] parameters)
    {
        await using var connection = await OpenAsync(cancellationToken);
        return await connection.QueryAsync(null, text, read, cancellationToken, parameters);
    }

    public abstract ValueTask DisposeAsync();
}

internal enum FleetLock
{
    Schema = 4711_0001,
    Feeder = 4711_0002,
    Submitting = 4711_0003,
}
