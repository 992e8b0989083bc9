using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.SigningIn;
using Imapsync.Fleet.State;
using Imapsync.Fleet.Submitting;

namespace Imapsync.Fleet.SigningIn;

/// <summary>
/// The OAuth 2 sign-in of an account's source or target. The fleet's database stores it encrypted, for any worker that runs the account.
/// </summary>
/// <param name="writer">The attempt that uses the sign-in; null if a person or a check uses it.</param>
internal sealed class ListedSignIn(SignInTables tables, Seal seal, long account, string side, string command, StateWriter? writer, TimeProvider time) : ISignInKeeper
{
    /// <summary>
    /// How long to wait for the turn to use the sign-in, and how long to retry while the database can't be reached. Longer than an
    /// abandoned turn lasts.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    public string Place => $"{tables.Display}, for the {side} of account {account}";

    public string Command => command;

    public void RequireUsable()
    {
    }

    public async Task<IKeptSignIn?> TakeAsync(string binding, CancellationToken cancellationToken)
    {
        var (number, digest) = (StateTables.NewHold(), DigestOf(binding));
        StoredSignIn? stored;
        var wasFree = false;
        for (var began = time.GetTimestamp(); ; await Task.Delay(Pause, time, cancellationToken))
        {
            writer?.Require();
            stored = await ReachAsync(() => tables.TakeAsync(account, side, writer, number, cancellationToken), cancellationToken);
            if (stored is not null)
                break;
            if (await ReachAsync(() => tables.FindAsync(account, side, cancellationToken), cancellationToken) is not { } other)
                return null;
            // The turn could not be taken. If no process has it now, it may have ended between the two queries. If nobody has it twice in a
            // row, this worker has lost its lease.
            if (wasFree && !other.IsInTurn)
                throw Busy($"account {account} is no longer this worker's");
            if (time.GetElapsedTime(began) > Patience)
                throw Busy("another worker or check uses it");
            wasFree = !other.IsInTurn;
        }

        try
        {
            return new Taken(this, number, digest, Open(stored, digest));
        }
        catch
        {
            await EndTurnAsync(number);
            throw;
        }
    }

    public async Task<string> KeepAsync(string binding, string refreshToken, KeyPlace key)
    {
        var (number, digest) = (StateTables.NewHold(), DigestOf(binding));
        var token = seal.CloseSignIn(account, side, digest, refreshToken);
        return await ReachAsync(
            async () =>
            {
                await tables.KeepAsync(account, side, digest, token, number, CancellationToken.None);
                return tables.Display;
            },
            CancellationToken.None);
    }

    public Task<bool> RemoveAsync() => ReachAsync(() => tables.RemoveAsync(account, side, CancellationToken.None), CancellationToken.None);

    private static string DigestOf(string binding) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(binding)));

    /// <summary>Runs work that may safely be repeated, and repeats it while the database can't be reached.</summary>
    private async Task<T> ReachAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            try
            {
                return await work();
            }
            catch (Exception e) when (tables.IsAway(e) && time.GetElapsedTime(began) < Patience)
            {
                await Task.Delay(Pause, time, cancellationToken);
            }
            catch (Exception e) when (e is DbException || tables.IsAway(e))
            {
                throw new IOException($"{Place}: {e.Message}", e);
            }
        }
    }

    /// <exception cref="SignInLostException"/>
    private string Open(StoredSignIn stored, string digest)
    {
        if (stored.Binding != digest)
            throw new SignInLostException("it is for another user, client or provider than the list names now");
        try
        {
            return seal.OpenSignIn(account, side, digest, stored.Token);
        }
        catch (CryptographicException)
        {
            throw new SignInLostException("it can't be read with the keys of this machine, and every process of a fleet needs the same --data directory");
        }
    }

    private async ValueTask EndTurnAsync(long number)
    {
        try
        {
            await tables.EndTurnAsync(account, side, number, CancellationToken.None);
        }
        catch (Exception e) when (e is DbException || tables.IsAway(e))
        {
            // The turn expires by itself.
        }
    }

    private Task<bool> ReplaceAsync(long number, string digest, string refreshToken, CancellationToken cancellationToken)
    {
        var token = seal.CloseSignIn(account, side, digest, refreshToken);
        return ReachAsync(() => tables.ReplaceAsync(account, side, number, token, cancellationToken), cancellationToken);
    }

    private static MailException Busy(string why) => new(FailureScope.Store, isTransient: true, $"the sign-in can't be used for now: {why}") { Kind = FailureKind.Connect };

    private sealed class Taken(ListedSignIn keeper, long number, string digest, string refreshToken) : IKeptSignIn
    {
        public string RefreshToken => refreshToken;

        /// <summary>
        /// Stores a new refresh token, unless another process has taken the turn since. The token is stored even after the worker's lease
        /// has expired. The provider gives out each token only once, and the account's next worker needs it.
        /// </summary>
        public Task<bool> ReplaceAsync(string refreshToken, CancellationToken cancellationToken) => keeper.ReplaceAsync(number, digest, refreshToken, cancellationToken);

        public ValueTask DisposeAsync() => keeper.EndTurnAsync(number);
    }
}
