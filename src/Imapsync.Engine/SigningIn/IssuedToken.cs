namespace Imapsync.Engine.SigningIn;

/// <summary>The tokens issued by a token endpoint.</summary>
/// <param name="Life">How long the access token remains valid from now, according to the server.</param>
internal sealed record IssuedToken(string AccessToken, TimeSpan Life)
{
    /// <summary>The new refresh token; null where the used refresh token stays valid.</summary>
    public string? RefreshToken { get; init; }

    /// <summary>The scope that was granted; null where it equals the requested scope (RFC 6749 §5.1).</summary>
    public string? Scope { get; init; }

    /// <summary>How far the authorization server's clock is ahead of this machine's; null when the response has no Date header.</summary>
    public TimeSpan? ClockAhead { get; init; }

    public override string ToString() => "(token)";
}
