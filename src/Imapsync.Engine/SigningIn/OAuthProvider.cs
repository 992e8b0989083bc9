using System.Collections.Immutable;

namespace Imapsync.Engine.SigningIn;

/// <summary>The OAuth grant by which a client obtains its tokens.</summary>
public enum OAuthGrant
{
    /// <summary>Device grant: a person enters a code in any browser (RFC 8628).</summary>
    Device,

    /// <summary>Authorization code grant: a browser on this machine is redirected to a local port (RFC 8252, with PKCE).</summary>
    Code,

    /// <summary>Client credentials grant: the client uses its own secret, and no person signs in (RFC 6749 §4.4).</summary>
    ClientCredentials,

    /// <summary>JWT bearer grant: an assertion signed with a service account's key (RFC 7523).</summary>
    JwtBearer,
}

/// <summary>The mail protocol a token is used for. Providers define different scopes for each.</summary>
public enum MailProtocol
{
    Imap,
    Pop3,
    Smtp,
}

/// <summary>One row of <see cref="OAuthProviders"/>: the OAuth settings that all customers of a provider share.</summary>
/// <param name="Word">The provider's name in a job file; empty for a server whose endpoints the job file lists itself.</param>
internal sealed record OAuthProvider(string Word)
{
    /// <summary>The placeholder for the tenant in endpoint URLs.</summary>
    public const string TenantMark = "{tenant}";

    public string? AuthorizationEndpoint { get; init; }

    public string? TokenEndpoint { get; init; }

    public string? DeviceAuthorizationEndpoint { get; init; }

    public string? RevocationEndpoint { get; init; }

    /// <summary>The grants that the provider allows for mail, the preferred one first.</summary>
    public ImmutableArray<OAuthGrant> Grants { get; init; } = [OAuthGrant.Device, OAuthGrant.Code, OAuthGrant.ClientCredentials, OAuthGrant.JwtBearer];

    /// <summary>The reason, for error texts, why the grants that are not in <see cref="Grants"/> don't work at this provider.</summary>
    public string WhyNoOther { get; init; } = "";

    /// <summary>The default that replaces <see cref="TenantMark"/> when the job names no tenant; null when the provider has no tenants.</summary>
    public string? Tenant { get; init; }

    public ImmutableDictionary<MailProtocol, ImmutableArray<string>> Scopes { get; init; } = ImmutableDictionary<MailProtocol, ImmutableArray<string>>.Empty;

    /// <summary>The scopes for the client credentials grant; empty when they equal <see cref="Scopes"/>.</summary>
    public ImmutableArray<string> ApplicationScopes { get; init; } = [];

    /// <summary>Additional scopes that must be requested to obtain a refresh token.</summary>
    public ImmutableArray<string> LastingScopes { get; init; } = [];

    /// <summary>Additional parameters of the authorization request.</summary>
    public ImmutableArray<KeyValuePair<string, string>> AuthorizationParameters { get; init; } = [];

    /// <summary>The audiences (<c>aud</c>) that the mail servers accept in a token; empty when the tokens are opaque.</summary>
    public ImmutableArray<string> Audiences { get; init; } = [];

    /// <summary>The host in the redirect URI. Some providers accept only the <c>http://localhost</c> that was registered.</summary>
    public string LoopbackHost { get; init; } = "127.0.0.1";

    /// <summary>The path in the redirect URI, after host and port.</summary>
    public string LoopbackPath { get; init; } = "";

    /// <summary>Whether the provider requires a client secret even from a native application.</summary>
    public bool WantsClientSecret { get; init; }

    /// <summary>The provider's name for display.</summary>
    public string Name { get; init; } = "the authorization server";

    /// <summary>Returns the scopes to request.</summary>
    /// <param name="protocol">The mail protocol the token is used for.</param>
    public ImmutableArray<string> ScopesFor(MailProtocol protocol, OAuthGrant grant) =>
        grant == OAuthGrant.ClientCredentials && !ApplicationScopes.IsEmpty ? ApplicationScopes
        : !Scopes.TryGetValue(protocol, out var scopes) ? []
        : grant is OAuthGrant.Device or OAuthGrant.Code ? [.. scopes, .. LastingScopes] : scopes;
}
