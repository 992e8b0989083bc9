using System.Text;
using Imapsync.Engine.State;
using Imapsync.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Imapsync.Engine.Tests.State;

/// <summary>
/// State in a database that several machines share. A run holds its job by a lease that expires. Each new lease gets a higher number, and
/// only the run with the highest number may write.
/// </summary>
public sealed class SqliteMedium(string database, StateLocation location, TimeProvider time) : IStateMedium
{
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    private readonly string job = $"{location.Job}\n{location.Part}";
    private long attempt;

    public string Display => $"the state of {location.Job} in the database";

    public string Where(StateName name) => Where(Key(name));

    public Task<bool> ExistsAsync(CancellationToken cancellationToken) =>
        DoAsync(() => Scalar("select count(*) from job where name = $job") is > 0L);

    public Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task MakeAsync(CancellationToken cancellationToken) => DoAsync(() => Execute("insert or ignore into job values ($job, 0, null, 0)"));

    public async Task HoldAsync(CancellationToken cancellationToken)
    {
        await MakeAsync(cancellationToken);
        attempt = await DoAsync(() =>
        {
            var holder = $"pid {Environment.ProcessId} on {Environment.MachineName}";
            return Scalar(
                "update job set attempt = attempt + 1, holder = $holder, until = $until where name = $job and (holder is null or until < $now) returning attempt",
                ("$holder", holder), ("$until", Ticks(Lease)), ("$now", Ticks(default))) as long?;
        }) ?? throw new CheckpointLockedException($"another run holds this job: {await DoAsync(() => Scalar("select holder from job where name = $job"))}");
    }

    public Task<bool> HasAsync(StateName name, CancellationToken cancellationToken) =>
        DoAsync(() => Scalar("select count(*) from piece where job = $job and name = $name", ("$name", Key(name))) is > 0L);

    public Task<IStateContent?> OpenAsync(StateName name, CancellationToken cancellationToken, bool willWrite = false) => DoAsync<IStateContent?>(() => Read(Key(name), Where(name)));

    public async IAsyncEnumerable<IStateContent> OpenJournalsAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var names = await DoAsync(() =>
        {
            using var connection = Connect();
            using var command = Command(connection, "select distinct name from piece where job = $job and name like 'journal%'");
            using var reader = command.ExecuteReader();
            var found = new List<string>();
            while (reader.Read())
                found.Add(reader.GetString(0));
            return found;
        });
        foreach (var name in names)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Read(name, Where(name)) is { } content)
                yield return content;
        }
    }

    public async Task ReplaceAsync(StateName name, Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream();
        await write(content, cancellationToken);
        if (!name.IsHeld)
            await MakeAsync(cancellationToken);
        await WriteAsync(name, ("delete from piece where job = $job and name = $name", []), ("insert into piece values ($job, $name, 0, $octets)", content.ToArray()));
    }

    public Task MarkAsync(StateName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        ReplaceAsync(name, async (stream, c) => await stream.WriteAsync(content, c), cancellationToken);

    public Task RemoveAsync(StateName name, CancellationToken cancellationToken) => WriteAsync(name, ("delete from piece where job = $job and name = $name", []));

    public async Task<string?> SetAsideAsync(StateName name, CancellationToken cancellationToken)
    {
        await WriteAsync(name, ("update piece set name = 'damaged ' || hex(randomblob(4)) || name where job = $job and name = $name", []));
        return "a damaged piece";
    }

    public IStateLog Continue(StateName name, long length)
    {
        var octets = Read(Key(name), "")?.Octets ?? throw new IOException($"{Where(name)} is not there");
        if (octets.Length > length)
            Write(name, ("delete from piece where job = $job and name = $name", []), ("insert into piece values ($job, $name, 0, $octets)", octets[..(int)length]));
        return new Log(this, name);
    }

    public IDisposable? TryTakeTurn()
    {
        var now = ("$now", (object)Ticks(default));
        var taken = Execute("insert into turn values ($job, $until) on conflict (job) do update set until = $until where until < $now", ("$until", Ticks(Lease)), now);
        return taken == 1 ? new Turn(this) : null;
    }

    public string? LocalDirectory(string use) => null;

    public async ValueTask DisposeAsync()
    {
        if (attempt != 0)
            await DoAsync(() => Execute("update job set holder = null where name = $job and attempt = $attempt", ("$attempt", attempt)));
        attempt = 0;
    }

    private string Where(string key) => $"{key} of {location.Job} in the database";

    private static string Key(StateName name) => name.Pair is { } pair ? $"{name.Word}\n{pair.Source}\n{pair.Target}" : name.Word;

    private long Ticks(TimeSpan after) => (time.GetUtcNow() + after).UtcTicks;

    private Task WriteAsync(StateName name, params (string Sql, byte[] Octets)[] commands) => DoAsync(() =>
    {
        Write(name, commands);
        return true;
    });

    /// <summary>
    /// Executes all commands or none. Some state may be written only by the run with the job's latest lease. A write to that state renews
    /// the lease, or is refused if another run has the latest lease.
    /// </summary>
    private void Write(StateName name, params (string Sql, byte[] Octets)[] commands)
    {
        using var connection = Connect();
        using var transaction = connection.BeginTransaction();
        if (name.IsHeld)
        {
            using var fence = Command(connection, "update job set until = $until where name = $job and attempt = $attempt", ("$until", Ticks(Lease)), ("$attempt", attempt));
            if (attempt == 0 || fence.ExecuteNonQuery() == 0)
                throw new CheckpointLockedException($"another run holds {location.Job} by now");
        }

        foreach (var (sql, octets) in commands)
        {
            using var command = Command(connection, sql, ("$name", Key(name)), ("$octets", octets));
            command.ExecuteNonQuery();
        }

        transaction.Commit();
    }

    private MemoryContent? Read(string key, string display)
    {
        using var connection = Connect();
        using var command = Command(connection, "select octets from piece where job = $job and name = $name order by n", ("$name", key));
        using var reader = command.ExecuteReader();
        var octets = new MemoryStream();
        var isThere = false;
        while (reader.Read())
        {
            isThere = true;
            octets.Write(reader.GetFieldValue<byte[]>(0));
        }

        return isThere ? new MemoryContent(octets.ToArray(), display) : null;
    }

    private object? Scalar(string sql, params (string Name, object Value)[] values)
    {
        using var connection = Connect();
        using var command = Command(connection, sql, values);
        return command.ExecuteScalar();
    }

    private int Execute(string sql, params (string Name, object Value)[] values)
    {
        using var connection = Connect();
        using var command = Command(connection, sql, values);
        return command.ExecuteNonQuery();
    }

    private SqliteConnection Connect()
    {
        var connection = new SqliteConnection(database);
        connection.Open();
        return connection;
    }

    private SqliteCommand Command(SqliteConnection connection, string sql, params (string Name, object Value)[] values)
    {
        var command = connection.CreateCommand();
#pragma warning disable CA2100 // Every text is a constant of this class.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.Parameters.AddWithValue("$job", job);
        foreach (var (name, value) in values)
            command.Parameters.AddWithValue(name, value);
        return command;
    }

    private static async Task<T> DoAsync<T>(Func<T> work)
    {
        await Task.Yield();
        try
        {
            return work();
        }
        catch (SqliteException e)
        {
            throw new IOException($"the database: {e.Message}", e);
        }
    }

    private sealed class MemoryContent(byte[] octets, string display) : IStateContent
    {
        public byte[] Octets => octets;

        public string Display => display;

        public long Length => octets.Length;

        public ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken cancellationToken)
        {
            var some = octets.AsMemory((int)Math.Min(offset, octets.Length));
            some = some[..Math.Min(some.Length, buffer.Length)];
            some.CopyTo(buffer);
            return ValueTask.FromResult(some.Length);
        }

        public void Dispose()
        {
        }
    }

    private sealed class Log(SqliteMedium medium, StateName name) : IStateLog
    {
        public Task AppendAsync(ReadOnlyMemory<byte> batch) => medium.WriteAsync(
            name, ("insert into piece select $job, $name, max(n) + 1, $octets from piece where job = $job and name = $name", batch.ToArray()));

        public void Dispose()
        {
        }
    }

    private sealed class Turn(SqliteMedium medium) : IDisposable
    {
        public void Dispose() => medium.Execute("delete from turn where job = $job");
    }
}

/// <summary>A database that is deleted after the test.</summary>
public sealed class SqliteDatabase : IDisposable
{
    private readonly TempDir dir = new();
    private readonly string source;

    public SqliteDatabase()
    {
        source = $"Data Source={dir["state.db"]}";
        using var connection = new SqliteConnection(source);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = """
            pragma journal_mode = wal;
            create table job (name text primary key, attempt integer not null, holder text, until integer not null);
            create table piece (job text not null, name text not null, n integer not null, octets blob not null, primary key (job, name, n));
            create table turn (job text primary key, until integer not null);
            """;
        command.ExecuteNonQuery();
    }

    public StateOpener Opener(TimeProvider time) => location => new SqliteMedium(source, location, time);

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        dir.Dispose();
    }
}
