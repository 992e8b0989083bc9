using Imapsync.Engine.State;

namespace Imapsync.Engine.SigningIn;

/// <summary>Stores a sign-in (its refresh token) in the job's state directory.</summary>
internal sealed class FileSignInKeeper(SignInPlace place, IReadOnlyDictionary<string, string> environment, TimeProvider time) : ISignInKeeper
{
    private readonly KeptSignIn kept = new(place.File, new SealingKeys(place.File, environment, ProgramKey.RunAsync));

    public string Place => place.File;

    public string Command => place.Command;

    public void RequireUsable() => new StateDirectory(place.Directory).RequireOurs();

    public async Task<IKeptSignIn?> TakeAsync(string binding, CancellationToken cancellationToken)
    {
        if (!kept.Exists)
            return null;
        var turn = await SignInLock.TakeAsync(place, time, cancellationToken);
        try
        {
            if (await kept.ReadAsync(binding, cancellationToken) is { } refreshToken)
                return new Taken(kept, binding, refreshToken, turn);
        }
        catch
        {
            turn.Dispose();
            throw;
        }

        turn.Dispose();
        return null;
    }

    public async Task<string> KeepAsync(string binding, string refreshToken, KeyPlace key)
    {
        using var turn = await SignInLock.TakeAsync(place, time, CancellationToken.None);
        return await kept.WriteAnewAsync(binding, refreshToken, key, CancellationToken.None);
    }

    public Task<bool> RemoveAsync() => kept.RemoveAsync(CancellationToken.None);

    private sealed class Taken(KeptSignIn kept, string binding, string refreshToken, IDisposable turn) : IKeptSignIn
    {
        public string RefreshToken => refreshToken;

        public async Task<bool> ReplaceAsync(string refreshToken, CancellationToken cancellationToken)
        {
            await kept.WriteAsync(binding, refreshToken, KeyPlace.Best, cancellationToken);
            return true;
        }

        public ValueTask DisposeAsync()
        {
            turn.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
