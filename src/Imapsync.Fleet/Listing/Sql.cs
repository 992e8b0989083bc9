using System.Data.Common;
using System.Globalization;
using System.Text;

namespace Imapsync.Fleet.Listing;

/// <summary>Statements with their parameters; a value never becomes part of a statement's text.</summary>
internal static class Sql
{
    public static async Task<int> ExecuteAsync(
        this DbConnection connection, DbTransaction? transaction, string text, CancellationToken cancellationToken, params (string Name, object? Value)[] parameters)
    {
        await using var command = connection.Command(transaction, text, parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public static async Task<List<T>> QueryAsync<T>(
        this DbConnection connection, DbTransaction? transaction, string text, Func<DbDataReader, T> read, CancellationToken cancellationToken, params (string Name, object? Value)[] parameters)
    {
        await using var command = connection.Command(transaction, text, parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(read(reader));
        return rows;
    }

    public static async Task<long> NumberAsync(
        this DbConnection connection, DbTransaction? transaction, string text, CancellationToken cancellationToken, params (string Name, object? Value)[] parameters)
    {
        await using var command = connection.Command(transaction, text, parameters);
        return Convert.ToInt64(await command.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture);
    }

    public static int Int(this DbDataReader reader, int column) => checked((int)reader.GetInt64(column));

    public static long? MaybeLong(this DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetInt64(column);

    public static string? MaybeText(this DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    /// <summary>
    /// Returns the text with U+FFFD in place of the characters that PostgreSQL can't store in a text: U+0000, and half of a surrogate pair.
    /// </summary>
    public static string Storable(string text)
    {
        var plain = text.Replace('\0', '\uFFFD');
        return plain.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF') ? Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(plain)) : plain;
    }

    private static DbCommand Command(this DbConnection connection, DbTransaction? transaction, string text, (string Name, object? Value)[] parameters)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = text;
        foreach (var (name, value) in parameters)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = name;
            // All columns of numbers are bigint, so integers and enums are passed as long.
            parameter.Value = value switch { null => DBNull.Value, int n => (long)n, Enum e => Convert.ToInt64(e, CultureInfo.InvariantCulture), bool b => b ? 1L : 0L, string s => Storable(s), _ => value };
            command.Parameters.Add(parameter);
        }

        return command;
    }
}
