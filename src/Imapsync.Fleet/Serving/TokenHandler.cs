using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Imapsync.Fleet.Serving;

/// <summary>Authenticates programs by <c>Authorization: Bearer TOKEN</c>.</summary>
internal sealed class TokenHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, Tokens tokens)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "token";
    private const string Bearer = "Bearer ";

    public static ClaimsPrincipal PrincipalOf(string name, Role role, string scheme)
    {
        List<Claim> claims = [new(ClaimTypes.Name, name), new(ClaimTypes.Role, nameof(Role.Look))];
        if (role == Role.Operate)
            claims.Add(new Claim(ClaimTypes.Role, nameof(Role.Operate)));
        return new ClaimsPrincipal(new ClaimsIdentity(claims, scheme));
    }

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
            return Task.FromResult(AuthenticateResult.NoResult());
        return Task.FromResult(tokens.Find(header[Bearer.Length..].Trim()) is var (name, role)
            ? AuthenticateResult.Success(new AuthenticationTicket(PrincipalOf(name, role, SchemeName), SchemeName))
            : AuthenticateResult.Fail("no such token"));
    }
}
