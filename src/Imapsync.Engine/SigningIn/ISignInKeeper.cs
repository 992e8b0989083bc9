namespace Imapsync.Engine.SigningIn;

/// <summary>
/// Stores the sign-in of one side of a job (source or target): a refresh token, bound to the account, client and server it was issued for.
/// </summary>
public interface ISignInKeeper
{
    /// <summary>Where the sign-in is stored, for display.</summary>
    string Place { get; }

    /// <summary>The command that a person has to run to sign in, for display.</summary>
    string Command { get; }

    /// <summary>Throws if no sign-in could be stored here. Called before a person is asked to sign in.</summary>
    /// <exception cref="IOException"/>
    void RequireUsable();

    /// <summary>
    /// Takes the stored sign-in for exclusive use until the result is disposed of, and waits while somebody else (another task or process)
    /// uses it. A server that rotates refresh tokens takes two uses of one refresh token for theft and ends the sign-in.
    /// </summary>
    /// <returns>The sign-in; null where none is stored.</returns>
    /// <exception cref="SignInLostException">A stored sign-in exists but can't be used.</exception>
    /// <exception cref="Mail.MailException">Somebody else used the sign-in for too long.</exception>
    /// <exception cref="IOException"/>
    Task<IKeptSignIn?> TakeAsync(string binding, CancellationToken cancellationToken);

    /// <summary>Stores a new sign-in in place of any older one, durably.</summary>
    /// <returns>Where its encryption key is stored, for display; empty for a key file beside the sign-in.</returns>
    /// <exception cref="IOException"/>
    Task<string> KeepAsync(string binding, string refreshToken, KeyPlace key);

    /// <summary>
    /// Removes the stored sign-in, and its encryption key if nothing else needs that key. Returns false if no sign-in was stored.
    /// </summary>
    Task<bool> RemoveAsync();
}

/// <summary>A stored sign-in that nobody else uses until this is disposed of.</summary>
public interface IKeptSignIn : IAsyncDisposable
{
    string RefreshToken { get; }

    /// <summary>Stores another refresh token in its place, durably.</summary>
    /// <returns>False where nothing was stored, because somebody has signed in again or signed out in the meantime.</returns>
    /// <exception cref="IOException"/>
    Task<bool> ReplaceAsync(string refreshToken, CancellationToken cancellationToken);
}

/// <summary>Thrown when a stored sign-in exists but can't be used; the message says why.</summary>
public sealed class SignInLostException(string message) : Exception(message);
