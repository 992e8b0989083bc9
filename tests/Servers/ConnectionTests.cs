using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Connecting succeeds, or the error says clearly why not.</summary>
public sealed class ConnectionTests
{
    private const string Password = "password_env: " + BackupLab.PasswordVariable;

    private static Task<BackupLab> LabAsync(DovecotOptions? options = null) =>
        BackupLab.StartAsync(mailbox => mailbox.Add("INBOX", MailGenerator.Message(1), MailGenerator.Date(1), "S"), options);

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    public async Task A_certificate_is_verified_through_tls_ca_file(string host)
    {
        await using var lab = await LabAsync();
        lab.Endpoint = $"url: imaps://alice@{host}:{lab.Server.TlsPort}\n      tls_ca_file: {lab.Server.Authority.CaFile}\n      {Password}";
        await lab.SucceedAsync();
        await lab.TargetEqualsSourceAsync();
    }

    [Fact]
    public async Task STARTTLS_is_used_on_an_imap_url()
    {
        await using var lab = await LabAsync();
        lab.Endpoint = $"url: imap://alice@127.0.0.1:{lab.Line.Port}\n      tls_ca_file: {lab.Server.Authority.CaFile}\n      {Password}";
        await lab.SucceedAsync();
        await lab.TargetEqualsSourceAsync();
        Assert.Contains(lab.Line.Commands, c => c.Equals("STARTTLS", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(lab.Line.Commands, c => c.Contains("LIST", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_certificate_may_be_pinned_by_its_fingerprint()
    {
        await using var lab = await LabAsync();
        lab.Endpoint = $"url: imaps://alice@127.0.0.1:{lab.Server.TlsPort}\n      tls_fingerprint: {lab.Server.Authority.Fingerprint}\n      {Password}";
        await lab.SucceedAsync();
    }

    [Fact]
    public async Task Another_certificate_than_the_pinned_one_is_refused()
    {
        await using var lab = await LabAsync();
        var other = new string('0', lab.Server.Authority.Fingerprint.Length);
        lab.Endpoint = $"url: imaps://alice@127.0.0.1:{lab.Server.TlsPort}\n      tls_fingerprint: \"{other}\"\n      {Password}";
        await RefusedAsync(lab, 11, "certificate");
    }

    [Fact]
    public async Task An_unverified_certificate_is_refused_with_a_clear_error()
    {
        await using var lab = await LabAsync();
        lab.Endpoint = $"url: imaps://alice@127.0.0.1:{lab.Server.TlsPort}\n      {Password}";
        await RefusedAsync(lab, 11, "certificate");
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_refused()
    {
        await using var lab = await LabAsync();
        lab.Endpoint = $"url: imaps://alice@127.0.0.2:{lab.Server.TlsPort}\n      tls_ca_file: {lab.Server.Authority.CaFile}\n      {Password}";
        await lab.Server.RestartAsync(options: lab.Server.Options with { Extra = "listen = 127.0.0.1, 127.0.0.2" });
        await RefusedAsync(lab, 11, "certificate");
    }

    [Fact]
    public async Task A_server_without_STARTTLS_gets_no_password()
    {
        await using var lab = await LabAsync(new DovecotOptions { Extra = "ssl = no" });
        lab.Endpoint = $"url: imap://alice@127.0.0.1:{lab.Line.Port}\n      {Password}";
        await RefusedAsync(lab, 11, "STARTTLS");
        Assert.DoesNotContain(lab.Line.Commands, c => c.StartsWith("LOGIN", StringComparison.OrdinalIgnoreCase)
            || c.StartsWith("AUTHENTICATE", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_wrong_password_ends_with_status_12()
    {
        await using var lab = await LabAsync();
        lab.Environment[BackupLab.PasswordVariable] = "wrong";
        var outcome = await RefusedAsync(lab, 12, "alice");
        Assert.Equal("failed", outcome.Outcome);
    }

    [Fact]
    public async Task Nothing_listening_ends_with_status_11()
    {
        await using var lab = await LabAsync();
        var port = LoopbackPorts.Free();
        lab.Endpoint = $"url: imaps://alice@127.0.0.1:{port}\n      {Password}";
        await RefusedAsync(lab, 11, $"{port}");
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("login")]
    [InlineData("cram-md5")]
    [InlineData("scram-sha-256")]
    public async Task Every_mechanism_that_the_server_offers_gets_in(string mechanism)
    {
        await using var lab = await LabAsync();
        lab.Endpoint += $"\n      auth: {mechanism}";
        await lab.SucceedAsync();
        await lab.TargetEqualsSourceAsync();
    }

    [Fact]
    public async Task A_compressed_line_carries_the_same_octets()
    {
        await using var lab = await BackupLab.StartAsync(
            new MailboxPlan { Messages = 100, AwkwardMessages = true }, new DovecotOptions { Plugins = "imap_zlib" });
        await lab.SucceedAsync();
        await lab.TargetEqualsSourceAsync();
    }

    private static async Task<RunOutcome> RefusedAsync(BackupLab lab, int status, string word)
    {
        var outcome = await lab.RunAsync();
        Assert.True(outcome.Status == status, outcome.ToString());
        Assert.Contains(word, outcome.Error, StringComparison.OrdinalIgnoreCase);
        return outcome;
    }
}
