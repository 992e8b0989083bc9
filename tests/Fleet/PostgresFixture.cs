using Imapsync.Tests.Support;
using Npgsql;

namespace Imapsync.Fleet.Tests;

/// <summary>One PostgreSQL server for all tests that need a real one; each test has its own database.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private readonly TempDir dir = new();
    private int databases;

    public PostgresServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await PostgresServer.StartAsync(dir["postgres"]);

    /// <summary>Creates a database and returns its connection string.</summary>
    public async Task<string> NewDatabaseAsync()
    {
        var name = $"test{Interlocked.Increment(ref databases)}";
        // The connection is not taken from the pool, because a test may have killed the server of a pooled connection.
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Server.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"create database {name}", connection);
        await command.ExecuteNonQueryAsync();
        return new NpgsqlConnectionStringBuilder(Server.ConnectionString) { Database = name }.ConnectionString;
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await Server.DisposeAsync();
        dir.Dispose();
    }
}

[CollectionDefinition(Name)]
public sealed class PostgresCollection : ICollectionFixture<PostgresFixture>
{
    public const string Name = "PostgreSQL";
}

/// <summary>A second PostgreSQL server, for tests that wait most of their time or kill the server while it is used.</summary>
[CollectionDefinition(Name)]
public sealed class OtherPostgresCollection : ICollectionFixture<PostgresFixture>
{
    public const string Name = "another PostgreSQL";
}
