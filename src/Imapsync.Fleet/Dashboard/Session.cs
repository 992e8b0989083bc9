using System.Security.Claims;
using Imapsync.Fleet.Serving;

namespace Imapsync.Fleet.Dashboard;

/// <summary>A browser's session: a cookie that holds the digest of the token it was opened with, and counts only as long as that token is admitted.</summary>
internal sealed class Session(Tokens tokens)
{
    public const string SchemeName = "session";
    public const string Look = "session-look";
    public const string Operate = "session-operate";
    private const string DigestClaim = "token-sha256";

    /// <summary>Returns who signs in by a token; null where nobody has it.</summary>
    public ClaimsPrincipal? Open(string token) => Of(Tokens.Digest(token));

    /// <summary>Returns the session as its token admits it now; null where it has ended. Its role is the token's present one.</summary>
    public ClaimsPrincipal? Renew(ClaimsPrincipal? user) => user?.FindFirstValue(DigestClaim) is { } digest ? Of(digest) : null;

    private ClaimsPrincipal? Of(string digest)
    {
        if (tokens.FindDigest(digest) is not var (name, role))
            return null;
        var user = TokenHandler.PrincipalOf(name, role, SchemeName);
        ((ClaimsIdentity)user.Identity!).AddClaim(new Claim(DigestClaim, digest));
        return user;
    }
}
