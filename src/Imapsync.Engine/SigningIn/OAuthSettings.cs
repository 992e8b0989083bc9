using System.Collections.Immutable;
using System.Net;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.SigningIn;

/// <summary>The validated <c>oauth:</c> section of an endpoint.</summary>
/// <param name="User">The mailbox's name, suggested to the person on the sign-in page.</param>
internal sealed record OAuthSettings(OAuthProvider Provider, string User, string ClientId, OAuthGrant Grant)
{
    public SecretReference? ClientSecret { get; init; }

    /// <summary>The issuer whose discovery document supplies the endpoints that are not configured.</summary>
    public string? Issuer { get; init; }

    /// <summary>The endpoints that are configured or known for the provider.</summary>
    public OAuthEndpoints Endpoints { get; init; } = new();

    public ImmutableArray<string> Scopes { get; init; } = [];

    public string? ServiceAccountFile { get; init; }

    /// <summary>The user that a service account acts for.</summary>
    public string? Subject { get; init; }

    /// <summary>The scopes as a space-separated list, as the protocol sends them.</summary>
    public string Scope => string.Join(' ', Scopes);

    /// <summary>
    /// Whether the grant requires a person to sign in; the sign-in is then stored. The other grants need only the settings of the job file.
    /// </summary>
    public bool NeedsPerson => Grant is OAuthGrant.Device or OAuthGrant.Code;

    /// <summary>
    /// The account, client and server that a stored sign-in is bound to, so a changed job file can't send a refresh token to another server.
    /// </summary>
    public string Binding => string.Join('\n', User, ClientId, Issuer, Endpoints.Token);
}

/// <summary>The endpoints of an authorization server. A null endpoint is still to be discovered or does not exist.</summary>
internal sealed record OAuthEndpoints
{
    public string? Authorization { get; init; }

    public string? Token { get; init; }

    public string? DeviceAuthorization { get; init; }

    public string? Revocation { get; init; }

    /// <summary>If the authorization response names an issuer, it must be this one (RFC 9207).</summary>
    public string? Issuer { get; init; }

    /// <summary>Returns whether secrets may be sent to this URL: it uses HTTPS or leads to this machine.</summary>
    public static bool IsSafe(string url) => Uri.TryCreate(url, UriKind.Absolute, out var address)
        && address.UserInfo.Length == 0
        && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && IsThisMachine(address.Host)));

    private static bool IsThisMachine(string host) =>
        host == "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
