using System.Collections.Immutable;
using System.Net;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.SigningIn;

/// <summary>The <c>oauth:</c> of an endpoint, checked and complete.</summary>
/// <param name="User">The mailbox's name, which is proposed to who signs in.</param>
internal sealed record OAuthSettings(OAuthProvider Provider, string User, string ClientId, OAuthGrant Grant)
{
    public SecretReference? ClientSecret { get; init; }

    /// <summary>Whose discovery document tells the endpoints that are not written.</summary>
    public string? Issuer { get; init; }

    /// <summary>What is written or known of the provider.</summary>
    public OAuthEndpoints Endpoints { get; init; } = new();

    public ImmutableArray<string> Scopes { get; init; } = [];

    public string? ServiceAccountFile { get; init; }

    /// <summary>Whom a service account acts for.</summary>
    public string? Subject { get; init; }

    /// <summary>Scopes as the protocol has them.</summary>
    public string Scope => string.Join(' ', Scopes);

    /// <summary>A person signs in, and the sign-in is kept; otherwise the program has all it needs.</summary>
    public bool NeedsPerson => Grant is OAuthGrant.Device or OAuthGrant.Code;

    /// <summary>What a kept sign-in is good for: a changed job file must not hand a refresh token to somebody else's server.</summary>
    public string Binding => string.Join('\n', User, ClientId, Issuer, Endpoints.Token);
}

/// <summary>Where to ask. Null where it is to be discovered, or is not there.</summary>
internal sealed record OAuthEndpoints
{
    public string? Authorization { get; init; }

    public string? Token { get; init; }

    public string? DeviceAuthorization { get; init; }

    public string? Revocation { get; init; }

    /// <summary>What the authorization response may name as its sender (RFC 9207).</summary>
    public string? Issuer { get; init; }

    /// <summary>Secrets go there: https, or this very machine.</summary>
    public static bool IsSafe(string url) => Uri.TryCreate(url, UriKind.Absolute, out var address)
        && address.UserInfo.Length == 0
        && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && IsThisMachine(address.Host)));

    private static bool IsThisMachine(string host) =>
        host == "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
