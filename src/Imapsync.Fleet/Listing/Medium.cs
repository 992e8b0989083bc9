using System.Data.Common;

namespace Imapsync.Fleet.Listing;

/// <summary>A database that holds the fleet's tables: what differs between them and nothing else.</summary>
internal abstract class Medium : IAsyncDisposable
{
    /// <summary>The database's clock in milliseconds since 1970, as SQL.</summary>
    public abstract string Now { get; }

    /// <summary>The SQL type of an automatically increasing key.</summary>
    public abstract string Key { get; }

    /// <summary>SQL appended to the definition of a table whose rows change every few seconds.</summary>
    public virtual string RoomToUpdate => "";

    /// <summary>The SQL type of octets.</summary>
    public abstract string Octets { get; }

    /// <summary>
    /// SQL appended to a select from a job's state <c>s</c> and a lease <c>l</c>: until the transaction ends nobody takes the hold of the state
    /// or the lease away, while the lease may be renewed.
    /// </summary>
    public virtual string KeepHeld => "";

    /// <summary>Like <see cref="KeepHeld"/>, for a select from a lease alone.</summary>
    public virtual string KeepLease => "";

    /// <summary>SQL that creates the schema that holds all tables; null where the database has none.</summary>
    public virtual string? CreateSchema => null;

    /// <summary>Where the database is, for people, without a password.</summary>
    public abstract string Display { get; }

    /// <summary>Prepares the database before the tables are looked for.</summary>
    public abstract Task PrepareAsync(CancellationToken cancellationToken);

    /// <summary>A writer's turn among those of this process; null where the database sees to that itself.</summary>
    public virtual Task<IDisposable?> EnterAsync(CancellationToken cancellationToken) => Task.FromResult<IDisposable?>(null);

    public abstract Task<DbConnection> OpenAsync(CancellationToken cancellationToken);

    public abstract Task<DbTransaction> BeginAsync(DbConnection connection, CancellationToken cancellationToken);

    /// <summary>Takes a lock that is held until the transaction ends; other transactions wait for it.</summary>
    public abstract Task LockAsync(DbConnection connection, DbTransaction transaction, FleetLock what, CancellationToken cancellationToken);

    /// <summary>An array of JSON objects as a table <c>x</c>.</summary>
    /// <param name="columns">Names, those of texts with a <c>$</c> behind; the others are whole numbers.</param>
    public abstract string Rows(string parameter, params IReadOnlyList<string> columns);

    /// <summary>SQL that is true where a column is one of the numbers of a JSON array.</summary>
    public abstract string IsAmong(string column, string parameter);

    /// <summary>Whether the error is a conflict between transactions, after which the same transaction may be tried again.</summary>
    public abstract bool IsConflict(DbException e);

    /// <summary>Whether the error means that the database can't be reached for now.</summary>
    public abstract bool IsAway(Exception e);

    /// <summary>Runs a transaction, and once more where it lost a conflict with another.</summary>
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
                // As above.
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
