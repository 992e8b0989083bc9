using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Imapsync.Tests.Support;
using Imapsync.Tests.Support.OAuth;

namespace Imapsync.Servers.Tests.SignIn;

/// <summary>
/// The real program signs in at an OAuth 2 server. Then it runs jobs on a Dovecot that validates each token at that server.
/// </summary>
public sealed class SignInTests
{
    [Theory]
    [InlineData("xoauth2")]
    [InlineData("oauthbearer")]
    [InlineData("xoauth2 oauthbearer")]
    public async Task A_person_enters_a_code_and_every_run_afterwards_gets_in(string mechanisms)
    {
        await using var lab = await SignInLab.StartAsync(mechanisms: mechanisms);
        var refused = await lab.Lab.RunAsync();
        Assert.Equal(12, refused.Status);
        Assert.Contains($"nobody has signed in yet; run 'imapsync login {lab.Lab.JobFile} alice source'", refused.Everything, StringComparison.Ordinal);

        var shown = await lab.SignInAsync("source");
        Assert.Contains(lab.Authority.Url + "/enter", shown.Output, StringComparison.Ordinal);
        Assert.Contains(lab.Authority.LastUserCode!, shown.Output, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(lab.KeptFile));

        for (var run = 0; run < 2; run++)
        {
            var outcome = await lab.Lab.SucceedAsync("--trace", lab.Lab.Dir["trace.log"]);
            lab.NothingIsShown(outcome.Everything);
        }

        await lab.Lab.TargetEqualsSourceAsync();
        Assert.Equal(["device_code", "refresh_token", "refresh_token"], lab.Authority.Grants);
    }

    [Fact]
    public async Task A_browser_comes_back_with_a_code()
    {
        await using var lab = await SignInLab.StartAsync();
        lab.Use($"issuer: {lab.Authority.Url}", $"scopes: [{AuthorizationServer.Scope}]", "grant: code");
        // This script stands in for the browser: it opens the address and follows its redirects.
        lab.Lab.Environment["BROWSER"] = lab.Lab.Dir.WriteProgram("browser", "exec curl --silent --show-error --location --max-time 60 --output \"$HOME/page\" \"$1\"");
        var shown = await lab.SignInAsync("--browser");
        Assert.Contains($"{lab.Authority.Url}/authorize?", shown.Output, StringComparison.Ordinal);
        Assert.Equal(["authorization_code"], lab.Authority.Grants);
        await lab.Lab.SucceedAsync();
        await lab.Lab.TargetEqualsSourceAsync();
    }

    [Fact]
    public async Task A_client_acts_for_itself_without_anybody_signing_in()
    {
        await using var lab = await SignInLab.StartAsync();
        lab.Use($"issuer: {lab.Authority.Url}", $"scopes: [{AuthorizationServer.Scope}]", "grant: client_credentials", "client_secret_env: CLIENT_SECRET");
        lab.Lab.Environment["CLIENT_SECRET"] = AuthorizationServer.ClientSecret;
        lab.NothingIsShown((await lab.Lab.SucceedAsync("--trace", lab.Lab.Dir["trace.log"])).Everything);
        await lab.Lab.TargetEqualsSourceAsync();
        lab.NothingIsShown((await lab.SignInAsync()).ToString());
        Assert.All(lab.Authority.Grants, g => Assert.Equal("client_credentials", g));

        lab.Lab.Environment["CLIENT_SECRET"] = AuthorizationServer.ClientSecret + "-wrong";
        var refused = await lab.Lab.RunAsync();
        Assert.Equal(12, refused.Status);
        Assert.Contains("the client is not accepted", refused.Everything, StringComparison.Ordinal);
        lab.NothingIsShown(refused.Everything);
    }

    /// <summary>
    /// A service account signs in although this machine's clock is wrong, because the assertion then uses the server's time.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(-90)]
    [InlineData(90)]
    public async Task A_service_account_acts_for_a_user(int minutesAhead)
    {
        await using var lab = await SignInLab.StartAsync();
        using var key = RSA.Create(2048);
        lab.Authority.ServiceAccountKey = key;
        lab.Authority.ClockAhead = TimeSpan.FromMinutes(minutesAhead);
        var file = lab.Lab.Dir.Write("account.json", new JsonObject { ["client_email"] = "robot@example.com", ["private_key"] = key.ExportPkcs8PrivateKeyPem(), ["private_key_id"] = "1" }.ToJsonString());
        lab.Use($"issuer: {lab.Authority.Url}", $"scopes: [{AuthorizationServer.Scope}]", $"service_account_file: {file}");
        lab.NothingIsShown((await lab.Lab.SucceedAsync("--trace", lab.Lab.Dir["trace.log"])).Everything);
        await lab.Lab.TargetEqualsSourceAsync();
        Assert.All(lab.Authority.Grants, g => Assert.Equal("jwt-bearer", g));

        using var other = RSA.Create(2048);
        lab.Authority.ServiceAccountKey = other;
        var refused = await lab.Lab.RunAsync();
        Assert.Equal(12, refused.Status);
        Assert.Contains("whether the service account may act for the domain's users", refused.Everything, StringComparison.Ordinal);
        lab.NothingIsShown(refused.Everything);
    }

    [Fact]
    public async Task Another_program_gives_the_token()
    {
        await using var lab = await SignInLab.StartAsync();
        await lab.SignInAsync();
        lab.Lab.Endpoint = $"url: imap://alice@127.0.0.1:{lab.Lab.Line.Port}\n      tls: none\n      token_command: cat {lab.Lab.Dir["token"]}";
        lab.Lab.Dir.Write("token", lab.Authority.AccessToken + "\n");
        lab.NothingIsShown((await lab.Lab.SucceedAsync("--trace", lab.Lab.Dir["trace.log"])).Everything);
        lab.Authority.ExpireAccessTokens();
        var refused = await lab.Lab.RunAsync();
        Assert.Equal(12, refused.Status);
        Assert.Contains("look at what the token command prints", refused.Everything, StringComparison.Ordinal);
        lab.NothingIsShown(refused.Everything);
    }

    [Fact]
    public async Task Signing_out_forgets_and_revokes()
    {
        await using var lab = await SignInLab.StartAsync();
        await lab.SignInAsync();
        await lab.Lab.SucceedAsync();
        var result = await lab.CommandAsync("logout");
        Assert.True(result.Status == 0, result.ToString());
        Assert.Contains("revoked", result.Output, StringComparison.Ordinal);
        Assert.Equal(1, lab.Authority.Revocations);
        Assert.All(Directory.GetFiles(lab.Lab.StateDirectory, "signin-source*"), f => Assert.EndsWith(".lock", f, StringComparison.Ordinal));
        Assert.Equal(12, (await lab.Lab.RunAsync()).Status);
        Assert.Contains("nobody was signed in", (await lab.CommandAsync("logout", "source")).Output, StringComparison.Ordinal);
        await lab.SignInAsync();
        await lab.Lab.SucceedAsync();
    }

    [Fact]
    public async Task A_side_without_OAuth_and_a_job_that_is_not_there_are_told()
    {
        await using var lab = await SignInLab.StartAsync(messages: 1);
        var target = await lab.CommandAsync("login", "target");
        Assert.Equal(2, target.Status);
        Assert.Contains("no 'oauth'", target.Error, StringComparison.Ordinal);
        var typo = await lab.CommandAsync("login", "sorce");
        Assert.Equal(2, typo.Status);
        Assert.Contains("source", typo.Error, StringComparison.Ordinal);
    }
}
