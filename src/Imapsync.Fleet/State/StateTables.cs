using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.State;

/// <summary>
/// An attempt (one run of an account on a worker) that writes state. The database refuses its writes once it has lost its lease.
/// </summary>
/// <param name="Require">
/// Throws <see cref="OperationCanceledException"/> if the attempt's lease may have expired by this machine's clocks.
/// </param>
internal sealed record StateWriter(long Account, long Attempt, string Worker, Action Require);

/// <summary>A stored piece of state: the number of its row, which changes with each replacement, and its length in octets.</summary>
internal readonly record struct StoredPiece(long Id, long Length);

/// <summary>
/// The tables of the jobs' state: (1) a row for each job's state, (2) a row for each piece of a state (such as a journal), (3) the piece's
/// octets in parts, one for each appended batch. Every change is one transaction, and is refused unless the attempt's lease is valid.
/// Pieces that only the holder may write also need the hold, the lock on the state. Lease and hold can't change until the transaction ends.
/// </summary>
internal sealed class StateTables(Medium medium)
{
    /// <summary>The most octets in one row.</summary>
    private const int MaxPart = 256 * 1024;

    /// <summary>The most rows that are read at once.</summary>
    private const int PartsAtOnce = 16;

    /// <summary>How many damaged journals of a pair of folders are kept.</summary>
    private const int DamagedKept = 3;

    private static readonly TimeSpan TurnTime = TimeSpan.FromMinutes(1);

    private string Lease => $"l.account = @account and l.attempt = @attempt and l.worker = @worker and l.until > {medium.Now}";

    private string Held => $"select s.id from job_state s join lease l on {Lease} where s.id = @state and s.hold = @hold{medium.KeepHeld}";

    private string Leased => $"select l.account from lease l where {Lease}{medium.KeepLease}";

    public string Display => medium.Display;

    public bool IsAway(Exception e) => medium.IsAway(e);

    public async Task<long?> FindAsync(string job, string part, CancellationToken cancellationToken) =>
        (await medium.ReadAsync("select id from job_state where job = @job and part = @part", r => r.GetInt64(0), cancellationToken, ("job", job), ("part", part))).Cast<long?>().SingleOrDefault();

    /// <summary>Creates an empty state if there is none.</summary>
    /// <returns>The state's number; null if the lease is lost.</returns>
    public Task<long?> MakeAsync(string job, string part, StateWriter writer, CancellationToken cancellationToken) =>
        medium.WriteAsync(async (connection, transaction) => (await connection.QueryAsync(
            transaction,
            $"""
            with fence as ({Leased}) insert into job_state (job, part, account, attempt, holder, begun) select @job, @part, @account, @attempt, '', 1 from fence where true
            on conflict (job, part) do update set begun = job_state.begun returning id
            """,
            r => r.GetInt64(0), cancellationToken, [("job", job), ("part", part), .. Of(writer)])).Cast<long?>().SingleOrDefault(), cancellationToken);

    /// <summary>
    /// Takes the hold (the lock) of a state, and creates the state if there is none. Another attempt's hold counts only while its lease is
    /// valid. A repeated call with the same number has the same result.
    /// </summary>
    /// <param name="hold">The number of the hold, which no other hold has.</param>
    /// <param name="holder">Describes the holder for people.</param>
    /// <param name="begun">Whether a new state is ready for use, so that nothing has to be copied into it first.</param>
    /// <returns>Null if another attempt holds the state, or the lease is lost.</returns>
    public Task<(long State, bool Begun)?> HoldAsync(string job, string part, StateWriter writer, long hold, string holder, bool begun, CancellationToken cancellationToken) =>
        medium.WriteAsync(async (connection, transaction) => (await connection.QueryAsync(
            transaction,
            $"""
            with fence as ({Leased}) insert into job_state (job, part, account, attempt, hold, holder, begun) select @job, @part, @account, @attempt, @hold, @holder, @begun from fence where true
            on conflict (job, part) do update set account = excluded.account, attempt = excluded.attempt, hold = excluded.hold, holder = excluded.holder,
              begun = case when job_state.begun = 1 then 1 else excluded.begun end
            where job_state.hold is null or job_state.hold = excluded.hold or not exists (
              select 1 from lease where lease.account = job_state.account and lease.attempt = job_state.attempt and lease.until > {medium.Now})
            returning id, begun
            """,
            r => ((long, bool)?)(r.GetInt64(0), r.GetInt64(1) != 0), cancellationToken,
            [("job", job), ("part", part), ("hold", hold), ("holder", holder), ("begun", begun), .. Of(writer)])).SingleOrDefault(), cancellationToken);

    /// <summary>
    /// Replaces the number of a hold (a lock on a state), so that late statements with the old number change nothing. When this returns,
    /// the effect of all earlier statements is final. A repeated call with the same numbers has the same result.
    /// </summary>
    /// <returns>False if the hold or the lease is lost.</returns>
    public async Task<bool> RenumberAsync(long state, long hold, long next, StateWriter writer, CancellationToken cancellationToken) =>
        await medium.ExecuteAsync(
            $"update job_state set hold = @next where id = @state and hold in (@hold, @next) and exists (select 1 from lease l where {Lease})",
            cancellationToken, [("state", state), ("hold", hold), ("next", next), .. Of(writer)]) == 1;

    public Task ReleaseAsync(long state, long hold, CancellationToken cancellationToken) =>
        medium.ExecuteAsync("update job_state set hold = null, holder = '' where id = @state and hold = @hold", cancellationToken, ("state", state), ("hold", hold));

    public async Task<string> HolderAsync(string job, string part, CancellationToken cancellationToken) =>
        (await medium.ReadAsync("select holder from job_state where job = @job and part = @part", r => r.GetString(0), cancellationToken, ("job", job), ("part", part))).SingleOrDefault() ?? "";

    /// <summary>Records that the state kept by an earlier version of this program was completely copied into this state.</summary>
    public Task<bool> BeginAsync(long state, long? hold, StateWriter writer, CancellationToken cancellationToken) =>
        ChangeAsync(state, hold, writer, (connection, transaction) => connection.ExecuteAsync(transaction, "update job_state set begun = 1 where id = @state", cancellationToken, ("state", state)), cancellationToken);

    /// <summary>Finds a stored piece; null if there is none.</summary>
    public async Task<StoredPiece?> LookAsync(long state, string name, CancellationToken cancellationToken) =>
        (await medium.ReadAsync(Look, Piece, cancellationToken, ("state", state), ("name", name))).Cast<StoredPiece?>().SingleOrDefault();

    public Task<List<string>> NamesAsync(long state, string beginning, CancellationToken cancellationToken) =>
        medium.ReadAsync("select name from state_piece where state = @state and name like @beginning", r => r.GetString(0), cancellationToken, ("state", state), ("beginning", beginning + "%"));

    /// <summary>
    /// Reads the next few parts (rows) of a piece, from the part that contains the octet at <paramref name="offset"/>. Empty if another
    /// piece has replaced this one.
    /// </summary>
    public Task<List<(long Start, byte[] Octets)>> ReadAsync(long piece, long offset, CancellationToken cancellationToken) =>
        medium.ReadAsync(
            "select start, octets from state_part where piece = @piece and start >= (select max(start) from state_part where piece = @piece and start <= @offset) order by start limit @most",
            r => (r.GetInt64(0), r.GetFieldValue<byte[]>(1)), cancellationToken, ("piece", piece), ("offset", offset), ("most", PartsAtOnce));

    /// <summary>
    /// Appends a batch, all of it or nothing, in one statement and one round trip. A repeated call with the same batch has the same result,
    /// unless the holder has written in between.
    /// </summary>
    /// <param name="hold">The hold's number; null for a piece that attempts without the hold may write, too.</param>
    /// <returns>False if the hold or the lease is lost; then nothing was written.</returns>
    public async Task<bool> AppendAsync(long state, long? hold, StateWriter writer, long piece, long at, ReadOnlyMemory<byte> batch, CancellationToken cancellationToken)
    {
        var rows = new StringBuilder();
        var parameters = new List<(string, object?)>([("state", state), ("hold", hold), ("piece", piece), .. Of(writer)]);
        foreach (var (start, octets) in Parts(at, batch))
        {
            var n = parameters.Count;
            rows.Append(CultureInfo.InvariantCulture, $"{(rows.Length > 0 ? ", " : "")}(@at{n}, @octets{n})");
            parameters.AddRange([($"at{n}", start), ($"octets{n}", octets)]);
        }

        return rows.Length == 0 || await medium.ExecuteAsync(
            $"""
            with fence as ({(hold is null ? Leased : Held)}), rows (start, octets) as (values {rows})
            insert into state_part (piece, start, octets) select @piece, rows.start, rows.octets from fence, rows where true
            on conflict (piece, start) do update set octets = excluded.octets
            """,
            cancellationToken, [.. parameters]) > 0;
    }

    /// <summary>Replaces a piece by a new one.</summary>
    /// <returns>Null if the hold or the lease is lost; then nothing was written.</returns>
    public async Task<StoredPiece?> ReplaceAsync(long state, long? hold, StateWriter writer, string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var piece = 0L;
        var isDone = await ChangeAsync(state, hold, writer, async (connection, transaction) =>
        {
            await connection.ExecuteAsync(transaction, "delete from state_piece where state = @state and name = @name", cancellationToken, ("state", state), ("name", name));
            piece = await connection.NumberAsync(transaction, "insert into state_piece (state, name) values (@state, @name) returning id", cancellationToken, ("state", state), ("name", name));
            foreach (var (start, octets) in Parts(0, content))
                await connection.ExecuteAsync(transaction, "insert into state_part (piece, start, octets) values (@piece, @start, @octets)", cancellationToken, ("piece", piece), ("start", start), ("octets", octets));
        }, cancellationToken);
        return isDone ? new StoredPiece(piece, content.Length) : null;
    }

    public Task<bool> RemoveAsync(long state, long? hold, StateWriter writer, string name, CancellationToken cancellationToken) =>
        ChangeAsync(state, hold, writer, (connection, transaction) =>
            connection.ExecuteAsync(transaction, "delete from state_piece where state = @state and name = @name", cancellationToken, ("state", state), ("name", name)), cancellationToken);

    /// <summary>Shortens a piece.</summary>
    /// <returns>
    /// <c>IsDone</c> is false if the hold or the lease is lost. <c>Piece</c> is null if there is no piece of at least that length.
    /// </returns>
    public async Task<(bool IsDone, StoredPiece? Piece)> CutAsync(long state, long? hold, StateWriter writer, string name, long length, CancellationToken cancellationToken)
    {
        StoredPiece? found = null;
        var isDone = await ChangeAsync(state, hold, writer, async (connection, transaction) =>
        {
            found = (await connection.QueryAsync(transaction, Look, Piece, cancellationToken, ("state", state), ("name", name))).Where(p => p.Length >= length).Cast<StoredPiece?>().SingleOrDefault();
            if (found is not { } piece || piece.Length == length)
                return;
            await connection.ExecuteAsync(transaction, "delete from state_part where piece = @piece and start >= @length", cancellationToken, ("piece", piece.Id), ("length", length));
            await connection.ExecuteAsync(
                transaction, "update state_part set octets = substr(octets, 1, cast(@length - start as integer)) where piece = @piece and start + length(octets) > @length",
                cancellationToken, ("piece", piece.Id), ("length", length));
            found = piece with { Length = length };
        }, cancellationToken);
        return (isDone, found);
    }

    /// <summary>Renames a damaged journal, so that jobs no longer find it but people can.</summary>
    public Task<bool> SetAsideAsync(long state, long? hold, StateWriter writer, string name, CancellationToken cancellationToken) =>
        ChangeAsync(state, hold, writer, async (connection, transaction) =>
        {
            (string, object?)[] which = [("state", state), ("name", name), ("kept", DamagedKept)];
            await connection.ExecuteAsync(transaction, "update state_piece set name = 'damaged ' || id || ' ' || name where state = @state and name = @name", cancellationToken, which[..2]);
            await connection.ExecuteAsync(
                transaction,
                """
                delete from state_piece where state = @state and name like 'damaged % ' || @name
                  and id not in (select id from state_piece where state = @state and name like 'damaged % ' || @name order by id desc limit @kept)
                """,
                cancellationToken, which);
        }, cancellationToken);

    /// <summary>Takes the turn (a short lock) to write pieces that several jobs write. A turn that nobody ends expires by itself.</summary>
    /// <returns>The value that <see cref="EndTurnAsync"/> needs; null if another job has the turn.</returns>
    public Task<long?> TakeTurnAsync(long state, CancellationToken cancellationToken) =>
        medium.WriteAsync(async (connection, transaction) => (await connection.QueryAsync(
            transaction,
            $"update job_state set turn_until = {medium.Now} + @turn where id = @state and (turn_until is null or turn_until < {medium.Now}) returning turn_until",
            r => r.GetInt64(0), cancellationToken, ("turn", (long)TurnTime.TotalMilliseconds), ("state", state))).Cast<long?>().SingleOrDefault(), cancellationToken);

    public Task EndTurnAsync(long state, long turn, CancellationToken cancellationToken) =>
        medium.ExecuteAsync("update job_state set turn_until = null where id = @state and turn_until = @turn", cancellationToken, ("state", state), ("turn", turn));

    /// <summary>Creates the number of a hold (a lock on a state): random, so that no other hold has it, and never 0.</summary>
    public static long NewHold() => (BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long))) & long.MaxValue) | 1;

    private const string Look =
        "select id, coalesce((select start + length(octets) from state_part where piece = state_piece.id order by start desc limit 1), 0) from state_piece where state = @state and name = @name";

    private static StoredPiece Piece(DbDataReader row) => new(row.GetInt64(0), row.GetInt64(1));

    private static IEnumerable<(long Start, byte[] Octets)> Parts(long at, ReadOnlyMemory<byte> octets)
    {
        for (var taken = 0; taken < octets.Length; taken += MaxPart)
            yield return (at + taken, octets.Slice(taken, Math.Min(MaxPart, octets.Length - taken)).ToArray());
    }

    private static (string, object?)[] Of(StateWriter writer) => [("account", writer.Account), ("attempt", writer.Attempt), ("worker", writer.Worker)];

    private Task<bool> ChangeAsync(long state, long? hold, StateWriter writer, Func<DbConnection, DbTransaction, Task> change, CancellationToken cancellationToken) =>
        medium.WriteAsync(async (connection, transaction) =>
        {
            var mayWrite = await connection.QueryAsync(transaction, hold is null ? Leased : Held, r => r.GetInt64(0), cancellationToken, [("state", state), ("hold", hold), .. Of(writer)]);
            if (mayWrite.Count == 0)
                return false;
            await change(connection, transaction);
            return true;
        }, cancellationToken);
}
