using System.Collections.Immutable;

namespace Imapsync.Engine.SigningIn;

/// <summary>The providers whose endpoints and scopes need not be written out. docs/sign-in.md says what to register at each.</summary>
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
        // The last is Exchange Online's own number.
        Audiences = ["https://outlook.office.com", "https://outlook.office365.com", "00000002-0000-0ff1-ce00-000000000000"],
        LoopbackHost = "localhost",
    };

    public static ImmutableArray<OAuthProvider> All { get; } =
    [
        Microsoft365,
        Microsoft365 with
        {
            // Personal accounts: outlook.com, hotmail.com, live.com.
            Word = "outlook",
            Name = "Outlook.com",
            Tenant = "consumers",
            Grants = [OAuthGrant.Device, OAuthGrant.Code],
            WhyNoOther = "a personal account belongs to no organization that could let an application in",
            ApplicationScopes = [],
            // The tokens of personal accounts are not to be read.
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
            // Without these a second sign-in brings no refresh token.
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
            // Registered as http://localhost/, at any port.
            LoopbackHost = "localhost",
            LoopbackPath = "/",
        },
    ];

    /// <summary>One that the job file describes: by its discovery document, or endpoint by endpoint.</summary>
    public static OAuthProvider Described { get; } = new("");

    public static ImmutableArray<string> Words { get; } = [.. All.Select(p => p.Word)];

    /// <summary>Null for a word that is none.</summary>
    public static OAuthProvider? Find(string word) => All.FirstOrDefault(p => p.Word == word);

    private static ImmutableDictionary<MailProtocol, ImmutableArray<string>> For(string imap, string pop3, string smtp) =>
        ImmutableDictionary<MailProtocol, ImmutableArray<string>>.Empty
            .Add(MailProtocol.Imap, [imap]).Add(MailProtocol.Pop3, [pop3]).Add(MailProtocol.Smtp, [smtp]);
}
