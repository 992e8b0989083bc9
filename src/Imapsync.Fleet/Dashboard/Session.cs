using System.Globalization;
using System.Security.Claims;
using Imapsync.Fleet.Serving;

namespace Imapsync.Fleet.Dashboard;

/// <summary>
/// A browser's session. (1) Opened by a token: the cookie holds the token's digest, and the session lasts as long as that token is
/// admitted. (2) Opened by a provider: the cookie holds the person's name and role, and the session lasts an hour.
/// </summary>
/// <param name="provider">The provider by which people may sign in, too; null if only tokens are accepted.</param>
internal sealed class Session(Tokens tokens, OidcSettings? provider, TimeProvider time)
{
    public const string SchemeName = "session";
    public const string Look = "session-look";
    public const string Operate = "session-operate";
    private const string DigestClaim = "token-sha256";
    private const string UntilClaim = "until";

    /// <summary>
    /// How long a sign-in by the provider is valid. It is short, because the provider does not report when a person is no longer admitted.
    /// </summary>
    private static readonly TimeSpan ProviderTime = TimeSpan.FromHours(1);

    public OidcSettings? Provider => provider;

    /// <summary>Returns the user of a token; null if no user has this token.</summary>
    public ClaimsPrincipal? Open(string token) => Of(Tokens.Digest(token));

    /// <summary>Returns the session of a person whom the provider has signed in.</summary>
    public ClaimsPrincipal OpenByProvider(string name, Role role) => Of(name, role, UntilClaim, (time.GetUtcNow() + ProviderTime).ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));

    /// <summary>Returns the session if it is still valid, with the present role of its token; null if the session has ended.</summary>
    public ClaimsPrincipal? Renew(ClaimsPrincipal? user)
    {
        if (user?.FindFirstValue(DigestClaim) is { } digest)
            return Of(digest);
        return provider is not null && long.TryParse(user?.FindFirstValue(UntilClaim), NumberStyles.None, CultureInfo.InvariantCulture, out var until) && time.GetUtcNow().ToUnixTimeMilliseconds() < until ? user : null;
    }

    private ClaimsPrincipal? Of(string digest) => tokens.FindDigest(digest) is var (name, role) ? Of(name, role, DigestClaim, digest) : null;

    private static ClaimsPrincipal Of(string name, Role role, string claim, string value)
    {
        var user = TokenHandler.PrincipalOf(name, role, SchemeName);
        ((ClaimsIdentity)user.Identity!).AddClaim(new Claim(claim, value));
        return user;
    }
}
