using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>A whole account read through a proxy or a tunnel command equals one read directly.</summary>
public sealed class RouteTests
{
    private const string ProxyPassword = "let me through: #7";

    private static readonly MailboxPlan Plan = new() { Messages = 60 };

    [Theory]
    [InlineData("socks5", false)]
    [InlineData("socks5", true)]
    [InlineData("http", false)]
    [InlineData("http", true)]
    public async Task A_whole_account_through_a_proxy(string protocol, bool withPassword)
    {
        await using var lab = await BackupLab.StartAsync(Plan);
        (string User, string Password)? account = withPassword ? ("bob@example.org", ProxyPassword) : null;
        await using var proxy = protocol == "http" ? TestProxy.Http(lab.Server.TlsPort, account) : TestProxy.Socks5(lab.Server.TlsPort, account);
        Use(lab, $"{protocol}://{(withPassword ? "bob%40example.org@" : "")}127.0.0.1:{proxy.Port}", withPassword);

        await lab.SucceedAsync();
        await AssertWholeAsync(lab);
        // The proxy must get the host name unresolved, since the client may have no name server that knows the host.
        Assert.NotEmpty(proxy.Asked);
        Assert.All(proxy.Asked, host => Assert.Equal("localhost", host));
        Assert.Equal(0, (await lab.SucceedAsync()).Total("copied"));
    }

    [Theory]
    [InlineData("socks5")]
    [InlineData("http")]
    public async Task A_proxy_that_refuses_is_named_and_nothing_is_said_past_it(string protocol)
    {
        await using var lab = await BackupLab.StartAsync(Plan);
        await using var proxy = protocol == "http" ? TestProxy.Http(lab.Server.TlsPort, ("bob", "another")) : TestProxy.Socks5(lab.Server.TlsPort, ("bob", "another"));
        Use(lab, $"{protocol}://bob@127.0.0.1:{proxy.Port}", withPassword: true);
        lab.Rules = "retry: { attempts: 1, give_up_after: 1s }";

        var outcome = await lab.RunAsync();
        Assert.Equal(11, outcome.Status);
        Assert.Contains($"through the proxy {protocol}://127.0.0.1:{proxy.Port}", outcome.Everything, StringComparison.Ordinal);
        Assert.DoesNotContain(ProxyPassword, outcome.Everything, StringComparison.Ordinal);
        Assert.DoesNotContain("alice", lab.Server.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_whole_account_by_a_command_that_is_logged_in()
    {
        await using var lab = await BackupLab.StartAsync(Plan);
        UseCommand(lab, $"doveadm -c {lab.Server.ConfigurationFile} exec imap -u alice");

        await lab.SucceedAsync();
        await AssertWholeAsync(lab);
        Assert.Equal(0, (await lab.SucceedAsync()).Total("copied"));
    }

    [Fact]
    public async Task What_a_command_says_as_it_fails_is_told()
    {
        await using var lab = await BackupLab.StartAsync(Plan);
        lab.Rules = "retry: { attempts: 1, give_up_after: 1s }";
        UseCommand(lab, "echo 'ssh: Could not resolve hostname mail' >&2; exit 255");

        var outcome = await lab.RunAsync();
        Assert.Equal(11, outcome.Status);
        Assert.Contains("the tunnel command ended with exit status 255: ssh: Could not resolve hostname mail", outcome.Everything, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_that_is_logged_in_can_be_nobody_else()
    {
        await using var lab = await BackupLab.StartAsync(Plan);
        UseCommand(lab, $"doveadm -c {lab.Server.ConfigurationFile} exec imap -u alice", "\n      authorize_as: bob");

        var outcome = await lab.RunAsync();
        Assert.Equal(12, outcome.Status);
        Assert.Contains("authorize_as can't be carried", outcome.Everything, StringComparison.Ordinal);
    }

    private static void Use(BackupLab lab, string proxy, bool withPassword)
    {
        lab.Endpoint = $"url: imaps://alice@localhost:{lab.Server.TlsPort}\n      tls_ca_file: {lab.Server.Authority.CaFile}\n      password_env: {BackupLab.PasswordVariable}\n      proxy: {proxy}";
        if (!withPassword)
            return;
        lab.Endpoint += "\n      proxy_password_env: PROXY_PASSWORD";
        lab.Environment["PROXY_PASSWORD"] = ProxyPassword;
    }

    private static void UseCommand(BackupLab lab, string command, string more = "") =>
        lab.Endpoint = $"url: imap://alice@mail.example.com\n      tunnel_command: \"{command}\"{more}";

    private static async Task AssertWholeAsync(BackupLab lab) =>
        Assert.Equal("", (await lab.ServeAsync(lab.TargetDirectory)).DifferenceFrom(await lab.SourceAsync()));
}
