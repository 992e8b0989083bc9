using System.Data.Common;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.State;

namespace Imapsync.Fleet.SigningIn;

/// <summary>An OAuth sign-in as the database stores it.</summary>
/// <param name="Binding">A digest of the account, OAuth client and server that the refresh token is for.</param>
/// <param name="Token">The refresh token, encrypted.</param>
/// <param name="SignedIn">When a person signed in, in milliseconds since 1970.</param>
/// <param name="IsInTurn">Whether some process holds the turn, that is, the right to use and replace the refresh token.</param>
internal sealed record StoredSignIn(string Binding, string Token, long SignedIn, bool IsInTurn);

/// <summary>
/// The table of the sign-ins that persons have made for accounts. Only one process at a time has the turn to use a sign-in. Taking the turn
/// stores a new number in the row, and later writes need this number. So a suspended process overwrites nothing newer when it resumes.
/// </summary>
internal sealed class SignInTables(Medium medium)
{
    /// <summary>How long a turn lasts if nobody ends it. This is longer than the time limit for a provider's answer.</summary>
    private static readonly TimeSpan TurnTime = TimeSpan.FromMinutes(2);

    public string Display => medium.Display;

    public bool IsAway(Exception e) => medium.IsAway(e);

    public async Task<StoredSignIn?> FindAsync(long account, string side, CancellationToken cancellationToken) =>
        (await medium.ReadAsync(
            $"select binding, token, signed_in, case when turn_until > {medium.Now} then 1 else 0 end from sign_in where account = @account and side = @side",
            Read, cancellationToken, ("account", account), ("side", side))).SingleOrDefault();

    /// <summary>Stores a new sign-in in place of any older one, even if another process has the turn.</summary>
    public Task KeepAsync(long account, string side, string binding, string token, long number, CancellationToken cancellationToken) =>
        medium.ExecuteAsync(
            $"""
            insert into sign_in (account, side, binding, token, number, signed_in) values (@account, @side, @binding, @token, @number, {medium.Now})
            on conflict (account, side) do update set binding = excluded.binding, token = excluded.token, number = excluded.number, signed_in = excluded.signed_in, turn_until = null
            """,
            cancellationToken, ("account", account), ("side", side), ("binding", binding), ("token", token), ("number", number));

    /// <summary>Takes the turn to use a sign-in. A repeated call with the same number has the same result.</summary>
    /// <param name="writer">The attempt that uses the sign-in and must still have its lease; null outside an attempt.</param>
    /// <param name="number">A number for this turn that no other turn has.</param>
    /// <returns>Null if there is no sign-in, another process has the turn, or the lease is lost.</returns>
    public Task<StoredSignIn?> TakeAsync(long account, string side, StateWriter? writer, long number, CancellationToken cancellationToken)
    {
        var leased = writer is null ? "" : $"and exists (select 1 from lease l where l.account = @account and l.attempt = @attempt and l.worker = @worker and l.until > {medium.Now})";
        return medium.WriteAsync(
            async (connection, transaction) => (await connection.QueryAsync(
                transaction,
                $"""
                update sign_in set number = @number, turn_until = {medium.Now} + @turn
                where account = @account and side = @side and (number = @number or turn_until is null or turn_until <= {medium.Now}) {leased}
                returning binding, token, signed_in, 1
                """,
                Read, cancellationToken,
                ("account", account), ("side", side), ("number", number), ("turn", (long)TurnTime.TotalMilliseconds), ("attempt", writer?.Attempt), ("worker", writer?.Worker))).SingleOrDefault(),
            cancellationToken);
    }

    /// <returns>
    /// False if another process has taken the turn since, or a person has signed in again or out. Then nothing was written.
    /// </returns>
    public async Task<bool> ReplaceAsync(long account, string side, long number, string token, CancellationToken cancellationToken) =>
        await medium.ExecuteAsync(
            "update sign_in set token = @token where account = @account and side = @side and number = @number",
            cancellationToken, ("token", token), ("account", account), ("side", side), ("number", number)) > 0;

    public Task EndTurnAsync(long account, string side, long number, CancellationToken cancellationToken) =>
        medium.ExecuteAsync("update sign_in set turn_until = null where account = @account and side = @side and number = @number", cancellationToken, ("account", account), ("side", side), ("number", number));

    public async Task<bool> RemoveAsync(long account, string side, CancellationToken cancellationToken) =>
        await medium.ExecuteAsync("delete from sign_in where account = @account and side = @side", cancellationToken, ("account", account), ("side", side)) > 0;

    private static StoredSignIn Read(DbDataReader row) => new(row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3) != 0);
}
