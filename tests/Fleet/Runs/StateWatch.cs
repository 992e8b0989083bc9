using Npgsql;

namespace Imapsync.Fleet.Tests.Runs;

/// <summary>One write of a part of a job's state.</summary>
/// <param name="Number">Increases with each write, in the order in which the database executes the writes.</param>
/// <param name="Attempt">The attempt that has locked the state.</param>
/// <param name="Writer">The worker whose session wrote the part.</param>
/// <param name="Holder">The worker that held the attempt's lease at that time; null for none.</param>
internal readonly record struct WrittenPart(long Number, long Account, long Attempt, string Writer, string? Holder);

/// <summary>Records with a database trigger which worker writes each part of a job's state.</summary>
internal sealed class StateWatch : IAsyncDisposable
{
    private readonly NpgsqlDataSource source;

    private StateWatch(NpgsqlDataSource source) => this.source = source;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<StateWatch> BeginAsync(string database)
    {
        // Pooling is off, because a test may kill the server.
        var watch = new StateWatch(NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database) { Pooling = false }));
        await using var command = watch.source.CreateCommand("""
            create table public.written (number bigint generated always as identity, account bigint not null, attempt bigint not null, writer text not null, holder text);
            create function public.note_part() returns trigger language plpgsql as $$ begin
              insert into public.written (account, attempt, writer, holder)
              select s.account, s.attempt, current_setting('application_name'), (select l.worker from fleet.lease l where l.account = s.account and l.attempt = s.attempt)
              from fleet.state_piece p join fleet.job_state s on s.id = p.state where p.id = new.piece;
              return new;
            end $$;
            create trigger noted after insert or update on fleet.state_part for each row execute function public.note_part();
            """);
        await command.ExecuteNonQueryAsync(Stop);
        return watch;
    }

    /// <summary>
    /// Returns a number above those of all writes so far, including writes in open transactions. Every later write gets a higher number.
    /// </summary>
    public async Task<long> MarkAsync()
    {
        await using var command = source.CreateCommand("select nextval(pg_get_serial_sequence('public.written', 'number'))");
        return (long)(await command.ExecuteScalarAsync(Stop))!;
    }

    public async Task<IReadOnlyList<WrittenPart>> ReadAsync()
    {
        await using var command = source.CreateCommand("select number, account, attempt, writer, holder from public.written order by number");
        await using var reader = await command.ExecuteReaderAsync(Stop);
        var found = new List<WrittenPart>();
        while (await reader.ReadAsync(Stop))
            found.Add(new WrittenPart(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetString(3), await reader.IsDBNullAsync(4, Stop) ? null : reader.GetString(4)));
        return found;
    }

    public ValueTask DisposeAsync() => source.DisposeAsync();
}
