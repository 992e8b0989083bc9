namespace Imapsync.Engine.SigningIn;

/// <summary>Where the sign-in of one side of a job is stored: a refresh token, bound to the account, client and server it was issued for.</summary>
public interface ISignInKeeper
{
    /// <summary>Where the sign-in is stored, for display.</summary>
    string Place { get; }

    /// <summary>The command for a person to run who is to sign in.</summary>
    string Command { get; }

    /// <summary>Fails where nothing could be stored, before a person is asked to sign in.</summary>
    /// <exception cref="IOException"/>
    void RequireUsable();

    /// <summary>
    /// Waits for the turn to use the sign-in, which lasts until the result is disposed of: two uses of one refresh token look like theft to a
    /// server that rotates refresh tokens, and it would end the sign-in.
    /// </summary>
    /// <returns>The sign-in; null where none is stored.</returns>
    /// <exception cref="SignInLostException">A stored sign-in exists but can't be used.</exception>
    /// <exception cref="Mail.MailException">The turn could not be had.</exception>
    /// <exception cref="IOException"/>
    Task<IKeptSignIn?> TakeAsync(string binding, CancellationToken cancellationToken);

    /// <summary>Stores a new sign-in in place of any older one, durably.</summary>
    /// <returns>Where its encryption key is stored, for display; empty for a key file beside the sign-in.</returns>
    /// <exception cref="IOException"/>
    Task<string> KeepAsync(string binding, string refreshToken, KeyPlace key);

    /// <summary>Removes the stored sign-in, and its key where nothing else needs it. Returns false where none was stored.</summary>
    Task<bool> RemoveAsync();
}

/// <summary>A stored sign-in that nobody else uses until this is disposed of.</summary>
public interface IKeptSignIn : IAsyncDisposable
{
    string RefreshToken { get; }

    /// <summary>Stores another refresh token in its place, durably.</summary>
    /// <returns>False where the turn is over, because somebody has signed in again or out meanwhile: nothing was stored.</returns>
    /// <exception cref="IOException"/>
    Task<bool> ReplaceAsync(string refreshToken, CancellationToken cancellationToken);
}

/// <summary>Thrown when a stored sign-in exists but can't be used; the message says why.</summary>
public sealed class SignInLostException(string message) : Exception(message);
