using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Serialization;
using Imapsync.Fleet.SigningIn;
using Imapsync.Fleet.State;

namespace Imapsync.Fleet.Listing;

/// <summary>
/// The fleet's list: batches, accounts, hosts, and which worker has which account. Every change is one transaction. An account's attempt
/// number increases each time the account is given to a worker. A worker's writes name their attempt, and are accepted only while its lease
/// is valid. All times are those of the database's clock.
/// </summary>
public sealed partial class FleetStore : IAsyncDisposable
{
    /// <summary>How long a lease is valid without being renewed.</summary>
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(20);

    /// <summary>How long a worker may take to begin an account that was given to it.</summary>
    public static readonly TimeSpan ReadyTime = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan StartPause = TimeSpan.FromSeconds(1);

    private readonly Medium medium;
    private readonly FleetTimes times;

    private FleetStore(Medium medium, FleetTimes times) => (this.medium, this.times) = (medium, times);

    /// <summary>Where the list is stored, for display; contains no password.</summary>
    public string Display => medium.Display;

    /// <param name="connectionString">A connection string of Npgsql.</param>
    public static Task<FleetStore> OpenPostgresAsync(string connectionString, FleetTimes? times, CancellationToken cancellationToken) =>
        OpenAsync(new PostgresMedium(connectionString), times, cancellationToken);

    /// <param name="file">The SQLite file; created if it does not exist.</param>
    public static Task<FleetStore> OpenFileAsync(string file, FleetTimes? times, CancellationToken cancellationToken) =>
        OpenAsync(new SqliteMedium(file), times, cancellationToken);

    /// <summary>How long a lease of this list is valid without being renewed.</summary>
    public TimeSpan Lease => times.Lease;

    public ValueTask DisposeAsync() => medium.DisposeAsync();

    /// <summary>Whether the error means that the database can't be reached now, so that a retry may help.</summary>
    public bool IsAway(Exception e) => medium.IsAway(e);

    /// <summary>The connection string, for components that keep tables in the same database; null if the list is in a file.</summary>
    internal string? PostgresConnectionString => (medium as PostgresMedium)?.ConnectionString;

    /// <summary>The tables that hold the state of jobs.</summary>
    internal StateTables States => new(medium);

    /// <summary>The table that holds the sign-ins of accounts.</summary>
    internal SignInTables SignIns => new(medium);

    /// <summary>
    /// Runs work that two programs must not do at the same time, such as creating tables. Repeats it if the connection to the database
    /// breaks.
    /// </summary>
    internal Task AloneAsync(Func<Task> work, CancellationToken cancellationToken) => medium is PostgresMedium
        ? PatientAsync(medium, () => LockedAsync(work, cancellationToken), cancellationToken)
        : work();

    /// <summary>
    /// Repeats work for up to a minute until the database can be reached. When a program starts, the database may still be starting, or
    /// other programs may be creating the tables.
    /// </summary>
    internal Task PatientAsync(Func<Task> work, CancellationToken cancellationToken) => PatientAsync(medium, work, cancellationToken);

    private static async Task PatientAsync(Medium medium, Func<Task> work, CancellationToken cancellationToken)
    {
        for (var began = TimeProvider.System.GetTimestamp(); ; await Task.Delay(StartPause, TimeProvider.System, cancellationToken))
        {
            try
            {
                await work();
                return;
            }
            catch (Exception e) when (TimeProvider.System.GetElapsedTime(began) < StartPatience && (medium.IsAway(e) || medium.IsAway(e.GetBaseException())))
            {
                // The database may be reachable at the next try.
            }
        }
    }

    private async Task LockedAsync(Func<Task> work, CancellationToken cancellationToken)
    {
        await using var connection = await medium.OpenAsync(cancellationToken);
        await using var transaction = await medium.BeginAsync(connection, cancellationToken);
        await connection.ExecuteAsync(transaction, "set local idle_in_transaction_session_timeout = '60s'", cancellationToken);
        await medium.LockAsync(connection, transaction, FleetLock.Schema, cancellationToken);
        await work();
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task<FleetStore> OpenAsync(Medium medium, FleetTimes? times, CancellationToken cancellationToken)
    {
        try
        {
            await PatientAsync(medium, () => FleetSchema.CreateAsync(medium, cancellationToken), cancellationToken);
            return new FleetStore(medium, times ?? new FleetTimes());
        }
        catch
        {
            await medium.DisposeAsync();
            throw;
        }
    }

    private Task<T> WriteAsync<T>(Func<DbConnection, DbTransaction, Task<T>> work, CancellationToken cancellationToken) => medium.WriteAsync(work, cancellationToken);

    private Task<List<T>> ReadAsync<T>(string text, Func<DbDataReader, T> read, CancellationToken cancellationToken, params (string Name, object? Value)[] parameters) =>
        medium.ReadAsync(text, read, cancellationToken, parameters);

    private Task<long> NowAsync(DbConnection connection, DbTransaction transaction, CancellationToken cancellationToken) =>
        connection.NumberAsync(transaction, $"select {medium.Now}", cancellationToken);

    private static string Json<T>(IEnumerable<T> values) => JsonSerializer.Serialize(values, Lines);

    private static readonly JsonSerializerOptions Lines = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Converters = { new StorableText() } };

    /// <summary>
    /// Replaces the characters that PostgreSQL can't store (such as U+0000) before a text becomes JSON, because JSON escapes and so hides
    /// them.
    /// </summary>
    private sealed class StorableText : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString();

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(Sql.Storable(value));
    }
}

/// <summary>The time limits of leases, offers and workers.</summary>
public sealed record FleetTimes
{
    public TimeSpan Lease { get; init; } = FleetStore.LeaseTime;

    public TimeSpan Ready { get; init; } = FleetStore.ReadyTime;

    /// <summary>A worker that has been silent for this long gets no accounts.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A worker that has been silent for this long is removed from the list of workers.</summary>
    public TimeSpan Forgotten { get; init; } = TimeSpan.FromDays(1);
}
