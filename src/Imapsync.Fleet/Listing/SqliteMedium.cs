using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Imapsync.Fleet.Listing;

/// <summary>The tables in one SQLite file, for a fleet of one process.</summary>
internal sealed class SqliteMedium(string file) : Medium
{
    private readonly string connectionString = new SqliteConnectionStringBuilder { DataSource = file, ForeignKeys = true, DefaultTimeout = 30 }.ConnectionString;

    public override string Display => file;

    public override string Now => "cast(unixepoch('subsec') * 1000 as integer)";

    public override string Key => "integer primary key autoincrement";

    public override string Octets => "blob";

    // Writers queue here, because SQLite itself would let them poll for the lock.
    private static readonly ConcurrentDictionary<string, SemaphoreSlim> Writers = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim writing = Writers.GetOrAdd(Path.GetFullPath(file), _ => new SemaphoreSlim(1));

    public override async Task<IDisposable?> EnterAsync(CancellationToken cancellationToken)
    {
        await writing.WaitAsync(cancellationToken);
        return new Turn(writing);
    }

    public override async Task<DbConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = new SqliteConnection(connectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            // A commit is on the disk before it is reported as done.
            await connection.ExecuteAsync(null, "pragma synchronous = full", cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public override async Task PrepareAsync(CancellationToken cancellationToken)
    {
        // Only the owner may read the file; SQLite creates its companion files with the same rights.
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await File.Open(file, options).DisposeAsync();
        await using var connection = await OpenAsync(cancellationToken);
        await connection.ExecuteAsync(null, "pragma journal_mode = wal", cancellationToken);
    }

    /// <summary>Uses BEGIN IMMEDIATE, so that writers run one after the other from their first statement on.</summary>
    public override Task<DbTransaction> BeginAsync(DbConnection connection, CancellationToken cancellationToken) =>
        Task.FromResult<DbTransaction>(((SqliteConnection)connection).BeginTransaction(deferred: false));

    public override Task LockAsync(DbConnection connection, DbTransaction transaction, FleetLock what, CancellationToken cancellationToken) => Task.CompletedTask;

    public override string Rows(string parameter, params IReadOnlyList<string> columns) =>
        $"(select {string.Join(", ", columns.Select(c => c.TrimEnd('$')).Select(c => $"json_extract(value, '$.{c}') as {c}"))} from json_each({parameter})) as x";

    public override string IsAmong(string column, string parameter) => $"{column} in (select value from json_each({parameter}))";

    public override bool IsConflict(DbException e) => e is SqliteException { SqliteErrorCode: 5 or 6 };

    public override bool IsAway(Exception e) => e is SqliteException { SqliteErrorCode: 5 or 6 or 10 or 13 };

    public override ValueTask DisposeAsync()
    {
        SqliteConnection.ClearPool(new SqliteConnection(connectionString));
        return ValueTask.CompletedTask;
    }

    private sealed class Turn(SemaphoreSlim writing) : IDisposable
    {
        public void Dispose() => writing.Release();
    }
}
