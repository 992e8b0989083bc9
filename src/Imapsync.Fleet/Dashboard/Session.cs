using System.Globalization;
using System.Security.Claims;
using Imapsync.Fleet.Serving;

namespace Imapsync.Fleet.Dashboard;

/// <summary>
/// A browser's session: a cookie that holds the digest of the token it was opened with, and counts only as long as that token is admitted; or what
/// a provider said of a person, which counts for an hour.
/// </summary>
/// <param name="provider">By which people may sign in, too; null for tokens alone.</param>
internal sealed class Session(Tokens tokens, OidcSettings? provider, TimeProvider time)
{
    public const string SchemeName = "session";
    public const string Look = "session-look";
    public const string Operate = "session-operate";
    private const string DigestClaim = "token-sha256";
    private const string UntilClaim = "until";

    /// <summary>How long what a provider said is relied on: it tells nobody when a person is dismissed.</summary>
    private static readonly TimeSpan ProviderTime = TimeSpan.FromHours(1);

    public OidcSettings? Provider => provider;

    /// <summary>Returns who signs in by a token; null where nobody has it.</summary>
    public ClaimsPrincipal? Open(string token) => Of(Tokens.Digest(token));

    /// <summary>Returns the session of a person whom the provider has signed in.</summary>
    public ClaimsPrincipal OpenByProvider(string name, Role role) => Of(name, role, UntilClaim, (time.GetUtcNow() + ProviderTime).ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));

    /// <summary>Returns the session as it is admitted now; null where it has ended. The role of a token is its present one.</summary>
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
