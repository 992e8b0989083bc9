using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Each SASL mechanism against a real server. The right secret logs in; a wrong one ends with exit status 12.</summary>
public sealed class LogInTests
{
    /// <summary>Users and passwords with every character that has a meaning in a mechanism's syntax.</summary>
    private static readonly (string User, string Password)[] Accounts =
    [
        ("alice", "horse\"battery\\staple"),
        ("comma, equals=", "a=b,c=d,=2C=3D%41 "),
        ("quote\"back\\slash", "{5}\"\\\"*"),
        ("zoë@example.org", "pässwörd-€-密码"),
    ];

    /// <summary>CRAM-MD5 and DIGEST-MD5 only support ASCII users and passwords.</summary>
    private static readonly (string User, string Password)[] AsciiAccounts =
        [.. Accounts.Where(a => Ascii.IsValid(a.User) && Ascii.IsValid(a.Password) && a.Password[^1] != ' ')];

    [Theory]
    [InlineData("auto")]
    [InlineData("plain")]
    [InlineData("login")]
    [InlineData("scram-sha-1")]
    [InlineData("scram-sha-256")]
    public async Task Names_and_passwords_of_any_characters(string mechanism) => await EachGetsInAsync(mechanism, Accounts);

    [Theory]
    [InlineData("cram-md5")]
    [InlineData("digest-md5")]
    public async Task Names_and_passwords_of_ASCII(string mechanism) => await EachGetsInAsync(mechanism, AsciiAccounts);

    [Theory]
    [InlineData("xoauth2")]
    [InlineData("oauthbearer")]
    public async Task A_token(string mechanism)
    {
        const string Key = "the key that signs tokens, long enough for SHA-256";
        await using var lab = await BackupLab.StartAsync(_ => { });
        Directory.CreateDirectory(lab.Dir["keys/default/HS256"]);
        lab.Dir.Write("keys/default/HS256/default", Convert.ToBase64String(Encoding.UTF8.GetBytes(Key)));
        var settings = lab.Dir.Write("oauth2.conf", $"""
            introspection_mode = local
            local_validation_key_dict = fs:posix:prefix={lab.Dir["keys"]}/
            username_attribute = sub

            """.ReplaceLineEndings("\n"));
        await lab.Server.RestartAsync(options: lab.Server.Options with
        {
            Mechanisms = "xoauth2 oauthbearer",
            Accounts = $"passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {settings}\n}}",
        });
        Use(lab, mechanism, "alice");

        lab.Environment[BackupLab.PasswordVariable] = Token("alice", "another key, just as long as the one that is right");
        await RefusedAsync(lab);
        lab.Environment[BackupLab.PasswordVariable] = Token("alice", Key, validHours: -1);
        await RefusedAsync(lab);
        lab.Environment[BackupLab.PasswordVariable] = Token("alice", Key);
        await lab.SucceedAsync();
        LoggedIn(lab, mechanism, "alice");
        Assert.Contains($"by {mechanism.ToUpperInvariant()}", (await lab.CheckAsync()).Output, StringComparison.Ordinal);
    }

    /// <summary>EXTERNAL: the client certificate names the user, and no password is needed.</summary>
    [Theory]
    [InlineData("imaps")]
    [InlineData("imap")]
    public async Task A_client_certificate_by_EXTERNAL(string scheme)
    {
        await using var lab = await CertificateLabAsync("passdb {\n  driver = static\n  mechanisms = external\n  args = nopassword=y\n}");
        lab.Environment.Clear();
        var url = $"url: {scheme}://localhost:{(scheme == "imaps" ? lab.Server.TlsPort : lab.Server.Port)}\n      tls_ca_file: {lab.Server.Authority.CaFile}\n      auth: external";
        var (certificate, key) = lab.Server.Authority.IssueClient("alice");

        lab.Endpoint = url;
        await RefusedAsync(lab);
        var (foreign, foreignKey) = TestAuthority.Create(lab.Dir.Create("other")).IssueClient("alice");
        lab.Endpoint = $"{url}\n      tls_client_certificate: {foreign}\n      tls_client_key: {foreignKey}";
        lab.Rules = "retry: { attempts: 1 }";
        Assert.InRange((await lab.RunAsync()).Status, 11, 12);
        lab.Endpoint = $"{url}\n      tls_client_certificate: {certificate}\n      tls_client_key: {key}";
        await lab.SucceedAsync();
        LoggedIn(lab, "external", "alice");

        // Certificate and key are in one file, so this file must be as private as a key file.
        var both = lab.Dir.Write("both.pem", await File.ReadAllTextAsync(certificate, Now) + await File.ReadAllTextAsync(key, Now));
        File.SetUnixFileMode(both, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        lab.Endpoint = $"{url}\n      tls_client_certificate: {both}";
        await lab.SucceedAsync();
    }

    [Fact]
    public async Task A_client_certificate_besides_a_password()
    {
        await using var lab = await CertificateLabAsync(null);
        var (certificate, key) = lab.Server.Authority.IssueClient("alice");
        var url = $"url: imaps://alice@localhost:{lab.Server.TlsPort}\n      tls_ca_file: {lab.Server.Authority.CaFile}\n      password_env: {BackupLab.PasswordVariable}";

        lab.Endpoint = url;
        Assert.NotEqual(0, (await lab.RunAsync()).Status);
        lab.Endpoint = $"{url}\n      tls_client_certificate: {certificate}\n      tls_client_key: {key}";
        await lab.SucceedAsync();
        lab.Environment[BackupLab.PasswordVariable] = "wrong";
        await RefusedAsync(lab);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("login")]
    [InlineData("cram-md5")]
    [InlineData("digest-md5")]
    [InlineData("scram-sha-1")]
    [InlineData("scram-sha-256")]
    [InlineData("auto")]
    public async Task Into_Cyrus(string mechanism)
    {
        var reason = await UnpackedServer.WhyNotAsync("cyrus");
        Assert.SkipWhen(reason is not null, reason ?? "");
        await using var job = await BackupLab.StartAsync(mailbox => mailbox.Add("INBOX", MailGenerator.Message(1), MailGenerator.Date(1), "S"));
        await using var server = await CyrusServer.StartAsync(
            job.Dir["cyrus"], mechanisms: "PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256");
        await using var there = MigrationLab.To(job, server.Port, "bob", UnpackedServer.Password);
        job.Target = $"{there.TargetEndpoint}\n      auth: {mechanism}";

        job.Environment[MigrationLab.TargetPasswordVariable] = "wrong";
        await RefusedAsync(job, MigrationLab.TargetPasswordVariable);
        job.Environment[MigrationLab.TargetPasswordVariable] = UnpackedServer.Password;
        var outcome = await there.SucceedAsync();
        Assert.Equal(1, outcome.Total("copied"));
    }

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    private static async Task EachGetsInAsync(string mechanism, (string User, string Password)[] accounts)
    {
        await using var lab = await BackupLab.StartAsync(_ => { });
        // Dovecot looks up user names with quotes and backslashes escaped.
        var lines = accounts.Select(a => $"{a.User.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}:{{PLAIN.b64}}{Convert.ToBase64String(Encoding.UTF8.GetBytes(a.Password))}\n");
        var file = lab.Dir.Write("accounts", string.Concat(lines));
        await lab.Server.RestartAsync(options: lab.Server.Options with
        {
            Mechanisms = "plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256",
            Accounts = $"passdb {{\n  driver = passwd-file\n  args = username_format=%u {file}\n}}",
            Extra = "auth_username_chars =\nauth_username_format = %u\n",
        });
        foreach (var (user, password) in accounts)
        {
            Use(lab, mechanism, user);
            lab.Environment[BackupLab.PasswordVariable] = password + "x";
            if (user == accounts[0].User)
                await RefusedAsync(lab);
            lab.Environment[BackupLab.PasswordVariable] = password;
            await lab.SucceedAsync();
            LoggedIn(lab, mechanism, user);
        }
    }

    private static async Task<BackupLab> CertificateLabAsync(string? accounts)
    {
        var lab = await BackupLab.StartAsync(_ => { });
        await lab.Server.RestartAsync(options: lab.Server.Options with
        {
            Mechanisms = accounts is null ? "plain" : "external",
            Accounts = accounts,
            Extra = $"ssl_ca = <{lab.Server.Authority.CaFile}\nssl_verify_client_cert = yes\nssl_require_crl = no\nauth_ssl_require_client_cert = yes\nauth_ssl_username_from_cert = yes\n",
        });
        return lab;
    }

    private static void Use(BackupLab lab, string mechanism, string user) =>
        lab.Endpoint = $"url: \"imap://{Uri.EscapeDataString(user)}@127.0.0.1:{lab.Server.Port}\"\n      tls: none\n      password_env: {BackupLab.PasswordVariable}\n      auth: {mechanism}";

    private static async Task RefusedAsync(BackupLab lab, string variable = BackupLab.PasswordVariable)
    {
        var outcome = await lab.RunAsync();
        Assert.True(outcome.Status == 12, $"{lab.Endpoint}\n{outcome}\n{lab.Server.Log}");
        if (lab.Environment.TryGetValue(variable, out var secret) && secret.Length > 8)
            Assert.DoesNotContain(secret, outcome.Everything, StringComparison.Ordinal);
    }

    /// <summary>Asserts by the server's log that this mechanism, and no other, logged in this user.</summary>
    private static void LoggedIn(BackupLab lab, string mechanism, string user)
    {
        var method = mechanism switch
        {
            "auto" => "SCRAM-SHA-256",
            "login" => "PLAIN",
            _ => mechanism.ToUpperInvariant(),
        };
        Assert.Contains($"Login: user=<{user}>, method={method},", lab.Server.Log, StringComparison.OrdinalIgnoreCase);
    }

    private static string Token(string user, string key, int validHours = 1)
    {
        var now = TimeProvider.System.GetUtcNow();
        var (from, until) = (now.AddHours(-2).ToUnixTimeSeconds(), now.AddHours(validHours).ToUnixTimeSeconds());
        var signed = $"{Base64Url("""{"alg":"HS256","typ":"JWT"}"""u8)}.{Base64Url(Encoding.UTF8.GetBytes($$"""{"sub":"{{user}}","iss":"test","iat":{{from}},"nbf":{{from}},"exp":{{until}}}"""))}";
        return signed + "." + Base64Url(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.ASCII.GetBytes(signed)));
    }

    private static string Base64Url(ReadOnlySpan<byte> octets) => System.Buffers.Text.Base64Url.EncodeToString(octets);
}
