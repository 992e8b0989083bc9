namespace Imapsync.Engine.SigningIn;

/// <summary>What a token endpoint gave.</summary>
/// <param name="Life">How long it says the access token is good for, from now.</param>
internal sealed record IssuedToken(string AccessToken, TimeSpan Life)
{
    /// <summary>The new refresh token; null where the used refresh token stays valid.</summary>
    public string? RefreshToken { get; init; }

    /// <summary>The scope that was granted; null where it equals the requested scope (RFC 6749 §5.1).</summary>
    public string? Scope { get; init; }

    /// <summary>How far the authorization server's clock is ahead of this machine's; null where it does not tell its time.</summary>
    public TimeSpan? ClockAhead { get; init; }

    public override string ToString() => "(token)";
}
