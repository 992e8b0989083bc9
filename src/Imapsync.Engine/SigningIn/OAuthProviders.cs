using System.Collections.Immutable;

namespace Imapsync.Engine.SigningIn;

/// <summary>
/// The providers whose endpoints and scopes are built in, so job files need not list them. docs/sign-in.md describes the client registration at
/// each.
/// </summary>
internal static class OAuthProviders
{
    private const string Microsoft = "https://login.microsoftonline.com/" + OAuthProvider.TenantMark + "/oauth2/v2.0/";
    private const string Outlook = "https://outlook.office.com/";

    private static readonly ImmutableDictionary<MailProtocol, ImmutableArray<string>> MicrosoftScopes =
        For(Outlook + "IMAP.AccessAsUser.All", Outlook + "POP.AccessAsUser.All", Outlook + "SMTP.Send");

    private static readonly OAuthProvider Microsoft365 = new("microsoft365")
    {
        Name = "Microsoft 365",
        AuthorizationEndpoint = Microsoft + "authorize",
        TokenEndpoint = Microsoft + "token",
        DeviceAuthorizationEndpoint = Microsoft + "devicecode",
        Tenant = "organizations",
        Grants = [OAuthGrant.Device, OAuthGrant.Code, OAuthGrant.ClientCredentials],
        WhyNoOther = "Microsoft knows no JWT bearer grant for mail, an application acts for itself by 'grant: client_credentials'",
        Scopes = MicrosoftScopes,
        ApplicationScopes = ["https://outlook.office365.com/.default"],
        LastingScopes = ["offline_access"],
        // The last audience is Exchange Online's application ID.
        Audiences = ["https://outlook.office.com", "https://outlook.office365.com", "00000002-0000-0ff1-ce00-000000000000"],
        LoopbackHost = "localhost",
    };

    public static ImmutableArray<OAuthProvider> All { get; } =
    [
        Microsoft365,
        Microsoft365 with
        {
            // This row is for personal accounts: outlook.com, hotmail.com, live.com.
            Word = "outlook",
            Name = "Outlook.com",
            Tenant = "consumers",
            Grants = [OAuthGrant.Device, OAuthGrant.Code],
            WhyNoOther = "a personal account belongs to no organization that could let an application in",
            ApplicationScopes = [],
            // Access tokens of personal accounts are opaque, so their audience can't be checked.
            Audiences = [],
        },
        new("google")
        {
            Name = "Google",
            AuthorizationEndpoint = "https://accounts.google.com/o/oauth2/v2/auth",
            TokenEndpoint = "https://oauth2.googleapis.com/token",
            RevocationEndpoint = "https://oauth2.googleapis.com/revoke",
            Grants = [OAuthGrant.Code, OAuthGrant.JwtBearer],
            WhyNoOther = "Google gives no mail that way: 'grant: code' signs a person in, 'grant: jwt_bearer' a service account",
            Scopes = For("https://mail.google.com/", "https://mail.google.com/", "https://mail.google.com/"),
            // Without these parameters Google issues no refresh token at a second sign-in.
            AuthorizationParameters = [new("access_type", "offline"), new("prompt", "consent")],
            WantsClientSecret = true,
        },
        new("yahoo")
        {
            Name = "Yahoo",
            AuthorizationEndpoint = "https://api.login.yahoo.com/oauth2/request_auth",
            TokenEndpoint = "https://api.login.yahoo.com/oauth2/get_token",
            Grants = [OAuthGrant.Code],
            WhyNoOther = "Yahoo has a browser sign in only",
            Scopes = For("mail-w", "mail-w", "mail-w"),
            LoopbackHost = "localhost",
        },
        new("fastmail")
        {
            Name = "Fastmail",
            AuthorizationEndpoint = "https://api.fastmail.com/oauth/authorize",
            TokenEndpoint = "https://api.fastmail.com/oauth/refresh",
            RevocationEndpoint = "https://api.fastmail.com/oauth/revoke",
            Grants = [OAuthGrant.Code],
            WhyNoOther = "Fastmail has a browser sign in only",
            Scopes = For("https://www.fastmail.com/dev/protocol-imap", "https://www.fastmail.com/dev/protocol-pop", "https://www.fastmail.com/dev/protocol-smtp"),
            // The redirect URI is registered as http://localhost/; any port is accepted.
            LoopbackHost = "localhost",
            LoopbackPath = "/",
        },
    ];

    /// <summary>The provider for a server that the job file describes itself, by its discovery document or by individual endpoints.</summary>
    public static OAuthProvider Described { get; } = new("");

    public static ImmutableArray<string> Words { get; } = [.. All.Select(p => p.Word)];

    /// <summary>Returns the provider with this name in job files; null for an unknown name.</summary>
    public static OAuthProvider? Find(string word) => All.FirstOrDefault(p => p.Word == word);

    private static ImmutableDictionary<MailProtocol, ImmutableArray<string>> For(string imap, string pop3, string smtp) =>
        ImmutableDictionary<MailProtocol, ImmutableArray<string>>.Empty
            .Add(MailProtocol.Imap, [imap]).Add(MailProtocol.Pop3, [pop3]).Add(MailProtocol.Smtp, [smtp]);
}
