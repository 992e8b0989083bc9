using Imapsync.Tests.Support;
using Imapsync.Tests.Support.OAuth;

namespace Imapsync.Servers.Tests.SignIn;

/// <summary>Faulty sign-ins and tokens. Each fault has its own message and exit status; no message contains a secret.</summary>
public sealed class SignInFailureTests
{
    /// <summary>The settings of a job at a known provider, with the test's endpoints.</summary>
    private static string[] Microsoft(SignInLab lab) =>
    [
        "provider: microsoft365", $"token_endpoint: {lab.Authority.Url}/token", $"device_authorization_endpoint: {lab.Authority.Url}/device", $"scopes: [{AuthorizationServer.Scope}]",
    ];

    [Fact]
    public async Task A_revoked_sign_in_names_the_command_that_makes_a_new_one()
    {
        await using var lab = await SignInLab.StartAsync();
        await lab.SignInAsync();
        await lab.Lab.SucceedAsync();
        lab.Authority.RevokeAll();
        await RefusedAsync(lab, "the sign-in is over", $"run 'imapsync login {lab.Lab.JobFile} alice source'");
        await lab.SignInAsync();
        await lab.Lab.SucceedAsync();
    }

    [Fact]
    public async Task A_token_for_another_audience_is_called_that()
    {
        await using var lab = await SignInLab.StartAsync();
        lab.Use(Microsoft(lab));
        await lab.SignInAsync();
        await lab.Lab.SucceedAsync();
        lab.Authority.Audience = "https://graph.microsoft.com";
        await RefusedAsync(lab, "the token is for 'https://graph.microsoft.com' and not for mail", "'scopes'");
        // The successful run got one token. The refused run got two: the second one after the server had refused the first.
        Assert.Equal(3, lab.Authority.Grants.Count(g => g == "refresh_token"));
    }

    [Fact]
    public async Task A_token_for_less_than_was_asked_for_is_called_that()
    {
        await using var lab = await SignInLab.StartAsync();
        await lab.SignInAsync();
        lab.Authority.GivenScope = "profile";
        lab.Authority.RefusesAtMailServer = true;
        await RefusedAsync(lab, $"the token permits 'profile' and not '{AuthorizationServer.Scope}'");
    }

    [Theory]
    [InlineData(3)]
    [InlineData(-3)]
    public async Task A_clock_that_is_hours_off_is_named_where_a_token_is_refused(int hours)
    {
        await using var lab = await SignInLab.StartAsync();
        await lab.SignInAsync();
        lab.Authority.ClockAhead = TimeSpan.FromHours(hours);
        // As long as the tokens are accepted, a wrong clock is not reported.
        await lab.Lab.SucceedAsync();
        lab.Authority.RefusesAtMailServer = true;
        await RefusedAsync(lab, $"this machine's clock is ", hours > 0 ? "behind the authorization server's" : "ahead of the authorization server's");
    }

    [Theory]
    [InlineData("xoauth2")]
    [InlineData("oauthbearer")]
    public async Task What_the_mail_server_says_of_the_token_is_told(string mechanism)
    {
        await using var lab = await SignInLab.StartAsync(mechanisms: mechanism);
        await lab.SignInAsync();
        lab.Authority.RefusesAtMailServer = true;
        await RefusedAsync(lab, "of the token the server says: ", "'alice' must be the mailbox of whoever signed in");
    }

    [Theory]
    [InlineData("access_denied", "whoever was asked said no")]
    [InlineData("expired_token", "nobody signed in while the code was good")]
    [InlineData("invalid_client", "the client is not accepted")]
    public async Task A_sign_in_that_is_denied_or_comes_too_late(string answer, string words)
    {
        await using var lab = await SignInLab.StartAsync(messages: 1);
        lab.Authority.DeviceAnswers = ["authorization_pending", answer];
        var result = await lab.CommandAsync("login");
        Assert.Equal(12, result.Status);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(lab.KeptFile));
        lab.NothingIsShown(result.ToString());
    }

    [Fact]
    public async Task Nobody_can_be_reached_at_the_authorization_server()
    {
        await using var lab = await SignInLab.StartAsync(messages: 1);
        await lab.SignInAsync();
        lab.Authority.Dispose();
        lab.Lab.Rules = "retry: { attempts: 2, max_delay: 1s }";
        var outcome = await lab.Lab.RunAsync();
        Assert.Equal(11, outcome.Status);
        Assert.Contains("cannot sign in to the authorization server for alice", outcome.Everything, StringComparison.Ordinal);
    }

    /// <summary>No secret is sent to an authorization server whose certificate the system does not trust.</summary>
    [Fact]
    public async Task An_authorization_server_with_a_certificate_that_nobody_trusts_gets_no_secret()
    {
        await using var lab = await SignInLab.StartAsync();
        using var front = TlsFront.Start(lab.Lab.Server.Authority, lab.Authority.Port);
        lab.Authority.Url = front.Url;
        lab.Use($"issuer: {front.Url}", $"scopes: [{AuthorizationServer.Scope}]", "grant: client_credentials", "client_secret_env: CLIENT_SECRET");
        lab.Lab.Environment["CLIENT_SECRET"] = AuthorizationServer.ClientSecret;
        var refused = await lab.Lab.RunAsync();
        Assert.Equal(11, refused.Status);
        Assert.Contains("its certificate must be of an authority that this system trusts", refused.Error, StringComparison.Ordinal);
        Assert.Empty(lab.Authority.Grants);
        lab.Lab.Environment["SSL_CERT_FILE"] = lab.Lab.Server.Authority.CaFile;
        await lab.Lab.SucceedAsync();
        await lab.Lab.TargetEqualsSourceAsync();
    }

    /// <summary>If the job file later names another authorization server, that server does not get the stored refresh token.</summary>
    [Fact]
    public async Task A_sign_in_is_for_the_account_client_and_server_it_was_made_for()
    {
        await using var lab = await SignInLab.StartAsync();
        await lab.SignInAsync();
        using var thief = AuthorizationServer.Start();
        lab.Use($"issuer: {thief.Url}", $"scopes: [{AuthorizationServer.Scope}]");
        await RefusedAsync(lab, "is for another user, client or provider than the job file names now", "imapsync login");
        Assert.Empty(thief.Grants);
    }

    [Fact]
    public async Task A_damaged_sign_in_and_a_lost_key_are_told_and_another_sign_in_cures_them()
    {
        await using var lab = await SignInLab.StartAsync();
        await lab.SignInAsync();
        var key = lab.KeptFile + ".key";
        var (keptText, keyText) = (await File.ReadAllTextAsync(lab.KeptFile, TestContext.Current.CancellationToken), await File.ReadAllTextAsync(key, TestContext.Current.CancellationToken));

        var octet = keptText.Length - 20;
        await File.WriteAllTextAsync(lab.KeptFile, keptText[..octet] + (keptText[octet] == 'A' ? 'B' : 'A') + keptText[(octet + 1)..], TestContext.Current.CancellationToken);
        await RefusedAsync(lab, "it is damaged, or its key is another one now");
        await File.WriteAllTextAsync(lab.KeptFile, "", TestContext.Current.CancellationToken);
        await RefusedAsync(lab, "it is damaged");
        await File.WriteAllTextAsync(lab.KeptFile, keptText, TestContext.Current.CancellationToken);
        File.Delete(key);
        await RefusedAsync(lab, $"its key is not to be had from {key}");
        await lab.SignInAsync();
        Assert.NotEqual(keyText, await File.ReadAllTextAsync(key, TestContext.Current.CancellationToken));
        await lab.Lab.SucceedAsync();
    }

    private static async Task RefusedAsync(SignInLab lab, params string[] words)
    {
        var outcome = await lab.Lab.RunAsync("--trace", lab.Lab.Dir["trace.log"]);
        Assert.True(outcome.Status == 12, outcome.ToString());
        foreach (var text in words)
            Assert.Contains(text, outcome.Error, StringComparison.Ordinal);
        lab.NothingIsShown(outcome.Everything);
    }
}
