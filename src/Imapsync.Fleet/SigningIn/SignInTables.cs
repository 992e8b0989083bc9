using System.Data.Common;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.State;

namespace Imapsync.Fleet.SigningIn;

/// <summary>A sign-in as it stands in the list.</summary>
/// <param name="Binding">A digest of the account, client and server it is for.</param>
/// <param name="Token">The refresh token, sealed.</param>
/// <param name="SignedIn">When a person signed in, in milliseconds since 1970.</param>
/// <param name="IsInTurn">Somebody has the turn to use it.</param>
internal sealed record StoredSignIn(string Binding, string Token, long SignedIn, bool IsInTurn);

/// <summary>
/// The table of the sign-ins that persons have made for accounts. Each who takes the turn to use one gives it a number of his own, and what he
/// writes counts only while the number is that: whoever is frozen in the middle overwrites nothing that is newer when he wakes.
/// </summary>
internal sealed class SignInTables(Medium medium)
{
    /// <summary>How long a turn lasts that nobody ends: longer than a provider's answer is waited for.</summary>
    private static readonly TimeSpan TurnTime = TimeSpan.FromMinutes(2);

    public string Display => medium.Display;

    public bool IsAway(Exception e) => medium.IsAway(e);

    public async Task<StoredSignIn?> FindAsync(long account, string side, CancellationToken cancellationToken) =>
        (await medium.ReadAsync(
            $"select binding, token, signed_in, case when turn_until > {medium.Now} then 1 else 0 end from sign_in where account = @account and side = @side",
            Read, cancellationToken, ("account", account), ("side", side))).SingleOrDefault();

    /// <summary>Stores a new sign-in in place of any older one, whoever has the turn.</summary>
    public Task KeepAsync(long account, string side, string binding, string token, long number, CancellationToken cancellationToken) =>
        medium.ExecuteAsync(
            $"""
            insert into sign_in (account, side, binding, token, number, signed_in) values (@account, @side, @binding, @token, @number, {medium.Now})
            on conflict (account, side) do update set binding = excluded.binding, token = excluded.token, number = excluded.number, signed_in = excluded.signed_in, turn_until = null
            """,
            cancellationToken, ("account", account), ("side", side), ("binding", binding), ("token", token), ("number", number));

    /// <summary>Takes the turn. Asked again with the same number it gives the same answer.</summary>
    /// <param name="writer">The attempt that uses it, which gets nothing once its lease is lost; null for none.</param>
    /// <param name="number">A number that nobody else uses.</param>
    /// <returns>Null where there is no sign-in, another has the turn, or the lease is lost.</returns>
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

    /// <returns>False where somebody else has taken a turn since, or a person has signed in again or out: nothing was written.</returns>
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
