using Imapsync.Engine.Mail;
using Imapsync.Engine.SigningIn;

namespace Imapsync.Engine.Tests.Configuration;

/// <summary>
/// The settings <c>oauth</c> and <c>token_command</c> of an endpoint: their effect, and every mistake with its position and remedy.
/// </summary>
public sealed class OAuthSettingsTests : JobFileFixture
{
    [Theory]
    [InlineData("provider: microsoft365", OAuthGrant.Device, "https://login.microsoftonline.com/organizations/oauth2/v2.0/token", "https://outlook.office.com/IMAP.AccessAsUser.All offline_access")]
    [InlineData("provider: microsoft365, tenant: example.com", OAuthGrant.Device, "https://login.microsoftonline.com/example.com/oauth2/v2.0/token", "https://outlook.office.com/IMAP.AccessAsUser.All offline_access")]
    [InlineData("provider: microsoft365, tenant: example.com, grant: client_credentials, client_secret_command: x", OAuthGrant.ClientCredentials, "https://login.microsoftonline.com/example.com/oauth2/v2.0/token", "https://outlook.office365.com/.default")]
    [InlineData("provider: outlook", OAuthGrant.Device, "https://login.microsoftonline.com/consumers/oauth2/v2.0/token", "https://outlook.office.com/IMAP.AccessAsUser.All offline_access")]
    [InlineData("provider: google, client_secret_command: x", OAuthGrant.Code, "https://oauth2.googleapis.com/token", "https://mail.google.com/")]
    [InlineData("provider: google, service_account_file: account.json", OAuthGrant.JwtBearer, "https://oauth2.googleapis.com/token", "https://mail.google.com/")]
    [InlineData("provider: yahoo", OAuthGrant.Code, "https://api.login.yahoo.com/oauth2/get_token", "mail-w")]
    [InlineData("provider: fastmail", OAuthGrant.Code, "https://api.fastmail.com/oauth/refresh", "https://www.fastmail.com/dev/protocol-imap")]
    [InlineData("issuer: https://login.example.com, scopes: [mail, offline_access]", OAuthGrant.Device, null, "mail offline_access")]
    [InlineData("token_endpoint: https://e/t, authorization_endpoint: https://e/a, scopes: [mail]", OAuthGrant.Code, "https://e/t", "mail")]
    [InlineData("token_endpoint: http://127.0.0.1:5/t, device_authorization_endpoint: http://localhost/d, scopes: [mail]", OAuthGrant.Device, "http://127.0.0.1:5/t", "mail")]
    public void What_is_written_and_what_is_known_of_the_provider_make_the_whole(string oauth, OAuthGrant grant, string? token, string scope)
    {
        System.IO.File.WriteAllText(Path.Combine(Directory, "account.json"), "{}");
        var settings = Settings($"oauth: {{ client_id: c, {oauth} }}");
        Assert.Equal((grant, token, scope, "alice"), (settings.Grant, settings.Endpoints.Token, settings.Scope, settings.User));
        Assert.Equal(grant == OAuthGrant.JwtBearer ? "alice" : null, settings.Subject);
    }

    public static TheoryData<string> Providers => [.. OAuthProviders.Words];

    [Theory]
    [MemberData(nameof(Providers))]
    public void What_is_asked_for_is_what_the_urls_protocol_needs(string word)
    {
        var provider = OAuthProviders.Find(word)!;
        foreach (var (url, protocol) in new[] { ("imaps://alice@imap.example.com", MailProtocol.Imap), ("pop3s://alice@imap.example.com", MailProtocol.Pop3), ("pop3://alice@imap.example.com", MailProtocol.Pop3) })
        {
            var text = Text($"oauth: {{ provider: {word}, client_id: c, client_secret_command: x }}").Replace("imaps://alice@imap.example.com", url, StringComparison.Ordinal);
            Assert.Equal(provider.ScopesFor(protocol, provider.Grants[0]), Assert.IsType<OAuthSignIn>(((ServerEndpoint)Read(text).Jobs[0].Source).Password).Settings.Scopes);
        }
    }

    [Fact]
    public void A_provider_alone_is_enough_where_the_environment_names_the_client()
    {
        Assert.Contains("'oauth' needs 'client_id'", Error(Text("oauth: outlook")), StringComparison.Ordinal);
        Environment["IMAPSYNC_OAUTH_CLIENT_ID"] = "usual";
        Assert.Equal("usual", Settings("oauth: outlook").ClientId);
        Assert.Equal("own", Settings("oauth: { provider: outlook, client_id: own }").ClientId);
    }

    [Theory]
    [InlineData("oauth: gmail", 6, "'gmail' is no value for 'oauth'; ", "google")]
    [InlineData("oauth: { provider: gogle, client_id: c }", 6, "did you mean 'google'?", "")]
    [InlineData("oauth: { client_id: c }", 6, "does not say who gives the tokens", "add provider: microsoft365")]
    [InlineData("oauth: [google]", 6, "'oauth' must be one word or a section of keys, not a list", "")]
    [InlineData("oauth: { provider: outlook, clientid: c }", 6, "unknown key 'clientid'", "did you mean 'client_id'?")]
    [InlineData("oauth: { provider: outlook, issuer: 'https://e', client_id: c }", 6, "'issuer' contradicts 'provider'", "keep one")]
    [InlineData("oauth: { provider: google, client_id: c }", 6, "Google wants the client's secret", "add client_secret_file")]
    [InlineData("oauth: { provider: google, client_id: c, grant: device, client_secret_command: x }", 6, "'grant: device' gives no mail at Google", "'grant: code' signs a person in")]
    [InlineData("oauth: { provider: outlook, client_id: c, grant: client_credentials, client_secret_command: x }", 6, "gives no mail at Outlook.com", "organization")]
    [InlineData("oauth: { provider: microsoft365, client_id: c, grant: client_credentials, client_secret_command: x }", 6, "needs 'tenant'", "add tenant")]
    [InlineData("oauth: { provider: microsoft365, tenant: t, client_id: c, grant: client_credentials }", 6, "needs the client's secret", "add client_secret_file")]
    [InlineData("oauth: { provider: microsoft365, tenant: 'a/b', client_id: c }", 6, "this is no tenant", "the directory's ID")]
    [InlineData("oauth: { provider: microsoft365, tenant: '', client_id: c }", 6, "this is no tenant", "the directory's ID")]
    [InlineData("oauth: { provider: outlook, client_id: '' }", 6, "'oauth' needs 'client_id'", "IMAPSYNC_OAUTH_CLIENT_ID")]
    [InlineData("oauth: { provider: yahoo, tenant: t, client_id: c }", 6, "'tenant' means something to 'provider: microsoft365' alone", "remove it")]
    [InlineData("oauth: { provider: google, grant: jwt_bearer }", 6, "needs 'service_account_file'", "JSON file")]
    [InlineData("oauth: { provider: google, service_account_file: nowhere.json }", 6, "nowhere.json can't be read", "correct the path")]
    [InlineData("oauth: { provider: outlook, client_id: c, subject: bob }", 6, "'subject' says nothing to 'grant: device'", "grant: jwt_bearer")]
    [InlineData("oauth: { issuer: 'http://login.example.com', client_id: c, scopes: [a] }", 6, "'issuer' is no https: address", "secrets go there")]
    [InlineData("oauth: { issuer: 'http://127.0.0.1.example.com', client_id: c, scopes: [a] }", 6, "'issuer' is no https: address", "secrets go there")]
    [InlineData("oauth: { issuer: 'https://user:word@example.com', client_id: c, scopes: [a] }", 6, "'issuer' is no https: address", "")]
    [InlineData("oauth: { issuer: 'https://e', client_id: c }", 6, "'oauth' needs 'scopes'", "offline_access")]
    [InlineData("oauth: { issuer: 'https://e', client_id: c, scopes: ['a b'] }", 6, "'a b' is no scope", "an entry of its own")]
    [InlineData("oauth: { token_endpoint: 'https://e', client_id: c, scopes: [a] }", 6, "'grant: device' needs 'device_authorization_endpoint'", "add device_authorization_endpoint")]
    [InlineData("oauth: { token_endpoint: 'https://e', client_id: c, scopes: [a], grant: code }", 6, "'grant: code' needs 'authorization_endpoint'", "add authorization_endpoint")]
    [InlineData("oauth: { provider: outlook, client_id: c, client_secret_env: ALICE_PASSWORD, client_secret_file: b }", 6, "'client_secret_file' contradicts 'client_secret_env'", "keep one")]
    [InlineData("oauth: { provider: outlook, client_id: c, client_secret_env: NOT_SET }", 6, "environment variable NOT_SET is not set", "client_secret_file")]
    [InlineData("oauth: { provider: outlook, client_id: c }\n      token_command: x", 7, "'token_command' contradicts 'oauth'", "keep one")]
    [InlineData("oauth: { provider: outlook, client_id: c }\n      password_env: ALICE_PASSWORD", 7, "'password_env' contradicts 'oauth'", "keep one")]
    [InlineData("token_command: x\n      password: y", 7, "'password' contradicts 'token_command'", "keep one")]
    [InlineData("oauth: { provider: outlook, client_id: c }\n      auth: plain", 7, "'auth: plain' can't carry the token of 'oauth'", "auth: oauthbearer")]
    [InlineData("oauth: { provider: outlook, client_id: c }\n      authorize_as: bob", 7, "'authorize_as' has no place beside 'oauth'", "the URL's user")]
    public void A_mistake_is_told_with_its_line_and_its_cure(string source, int line, string message, string remedy)
    {
        var error = Error(Text(source));
        Assert.StartsWith($"job.yaml:{line}:", error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Contains(remedy, error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_means_nothing_to_a_store_on_disk() =>
        Assert.Contains("'oauth' means nothing to a maildir: store", Error(File(Job(target: "oauth: outlook"))), StringComparison.Ordinal);

    [Fact]
    public void A_sign_in_lies_in_the_jobs_state_and_names_the_command_that_makes_it()
    {
        var text = Text("oauth: { provider: outlook, client_id: c }", "state: kept here");
        Assert.Equal(Path.Combine(Directory, "kept here", "signin-source"), SignIn(text).KeptFile);
    }

    [Fact]
    public void Nothing_need_be_there_for_a_side_that_is_not_used()
    {
        var text = Text("oauth: { provider: google, service_account_file: nowhere.json }");
        var file = Read(text, new Imapsync.Engine.Configuration.JobFileOptions { Environment = Environment, UsesSource = false });
        Assert.IsType<OAuthSignIn>(Source(file).Password);
    }

    private static string Text(string source, string job = "") => $"""
        jobs:
          - name: alice
            source:
              url: imaps://alice@imap.example.com
              # what is looked at
              {source}
            target:
              url: maildir:backup/alice
            {job}

        """;

    private OAuthSignIn SignIn(string text) => Assert.IsType<OAuthSignIn>(Source(Read(text)).Password);

    private OAuthSettings Settings(string source) => SignIn(Text(source)).Settings;
}
