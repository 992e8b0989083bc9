using System.Collections.Immutable;

namespace Imapsync.Engine.SigningIn;

/// <summary>How a client comes to its tokens.</summary>
public enum OAuthGrant
{
    /// <summary>A code that a person types in at any browser (RFC 8628).</summary>
    Device,

    /// <summary>A browser that comes back to this machine (RFC 8252, with PKCE).</summary>
    Code,

    /// <summary>The client's own secret, without any person (RFC 6749 §4.4).</summary>
    ClientCredentials,

    /// <summary>A statement signed with the key of a service account (RFC 7523).</summary>
    JwtBearer,
}

/// <summary>What a token is to open: providers give scopes for each.</summary>
public enum MailProtocol
{
    Imap,
    Pop3,
    Smtp,
}

/// <summary>One row of <see cref="OAuthProviders"/>: what is the same for all who have their mail there.</summary>
/// <param name="Word">As it stands in a job file; empty for a server that is described there whole.</param>
internal sealed record OAuthProvider(string Word)
{
    /// <summary>Stands in the endpoints where the tenant goes.</summary>
    public const string TenantMark = "{tenant}";

    public string? AuthorizationEndpoint { get; init; }

    public string? TokenEndpoint { get; init; }

    public string? DeviceAuthorizationEndpoint { get; init; }

    public string? RevocationEndpoint { get; init; }

    /// <summary>The ones it gives mail by, its best first.</summary>
    public ImmutableArray<OAuthGrant> Grants { get; init; } = [OAuthGrant.Device, OAuthGrant.Code, OAuthGrant.ClientCredentials, OAuthGrant.JwtBearer];

    /// <summary>Why another grant gives none.</summary>
    public string WhyNoOther { get; init; } = "";

    /// <summary>In place of <see cref="TenantMark"/> where the job names none; null where there are no tenants.</summary>
    public string? Tenant { get; init; }

    public ImmutableDictionary<MailProtocol, ImmutableArray<string>> Scopes { get; init; } = ImmutableDictionary<MailProtocol, ImmutableArray<string>>.Empty;

    /// <summary>Those of a client that acts for itself; empty where they are the same.</summary>
    public ImmutableArray<string> ApplicationScopes { get; init; } = [];

    /// <summary>Asked for besides, for a refresh token to be given.</summary>
    public ImmutableArray<string> LastingScopes { get; init; } = [];

    /// <summary>More parameters of the authorization request.</summary>
    public ImmutableArray<KeyValuePair<string, string>> AuthorizationParameters { get; init; } = [];

    /// <summary>What the mail servers want a token to be for (<c>aud</c>); empty where it can't be told from the token.</summary>
    public ImmutableArray<string> Audiences { get; init; } = [];

    /// <summary>How a browser is to name this machine: some providers match a registered <c>http://localhost</c> only.</summary>
    public string LoopbackHost { get; init; } = "127.0.0.1";

    /// <summary>What follows host and port there.</summary>
    public string LoopbackPath { get; init; } = "";

    /// <summary>Even a program on a person's own machine must show one.</summary>
    public bool WantsClientSecret { get; init; }

    /// <summary>As people call it.</summary>
    public string Name { get; init; } = "the authorization server";

    /// <param name="protocol">What the token is to open.</param>
    public ImmutableArray<string> ScopesFor(MailProtocol protocol, OAuthGrant grant) =>
        grant == OAuthGrant.ClientCredentials && !ApplicationScopes.IsEmpty ? ApplicationScopes
        : !Scopes.TryGetValue(protocol, out var scopes) ? []
        : grant is OAuthGrant.Device or OAuthGrant.Code ? [.. scopes, .. LastingScopes] : scopes;
}
