using System.Diagnostics;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>
/// Servers and attackers that offer less security than the job asks for. Each run ends with status 11 and sends no password.
/// </summary>
public sealed class TlsRefusalTests
{
    private const string Password = "password_env: " + BackupLab.PasswordVariable;

    [Fact]
    public async Task An_expired_certificate_is_refused_and_called_so()
    {
        await using var lab = await LabAsync();
        await lab.Server.RestartAsync(() => TestAuthority.Create(lab.Server.Directory, new LongAgo()));
        lab.Endpoint = $"url: imaps://alice@localhost:{lab.Server.TlsPort}\n      tls_ca_file: {lab.Server.Authority.CaFile}\n      {Password}";
        var outcome = await RefusedAsync(lab, "can't be trusted");
        Assert.Contains("expired", outcome.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("tls_fingerprint", outcome.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("BAD unknown command")]
    [InlineData("NO not now")]
    public async Task Somebody_who_takes_STARTTLS_out_of_the_line_gets_no_password(string answer)
    {
        await using var lab = await LabAsync();
        lab.Line.Rules = new FaultRules { AnswerInstead = (_, line) => line.Contains("STARTTLS", StringComparison.OrdinalIgnoreCase) ? answer : null };
        lab.Endpoint = $"url: imap://alice@127.0.0.1:{lab.Line.Port}\n      tls_ca_file: {lab.Server.Authority.CaFile}\n      {Password}";
        await RefusedAsync(lab, "TLS");
        Assert.DoesNotContain(lab.Line.Commands, c => c.StartsWith("LOGIN", StringComparison.OrdinalIgnoreCase)
            || c.StartsWith("AUTHENTICATE", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("-tls1", "TLSv1")]
    [InlineData("-tls1_1", "TLSv1.1")]
    public async Task A_server_that_has_only_old_TLS_is_refused(string option, string version)
    {
        await using var lab = await LabAsync();
        var port = LoopbackPorts.Free();
        using var server = Start(lab, port, option, "-cipher", "ALL:@SECLEVEL=0");
        try
        {
            var said = "";
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            for (var i = 0; i < 400 && !server.HasExited && !said.Contains("Protocol  : ", StringComparison.Ordinal); i++)
            {
                said = await HandshakeAsync(port, option);
                await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            }

            Assert.SkipUnless(said.Contains($"Protocol  : {version}", StringComparison.Ordinal), $"this OpenSSL does not speak {version}");
            lab.Endpoint = $"url: imaps://alice@127.0.0.1:{port}\n      tls_ca_file: {lab.Server.Authority.CaFile}\n      {Password}";
            await RefusedAsync(lab, "TLS 1.2 or newer");
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }

    private static Task<BackupLab> LabAsync() =>
        BackupLab.StartAsync(mailbox => mailbox.Add("INBOX", MailGenerator.Message(1), MailGenerator.Date(1), "S"));

    private static async Task<RunOutcome> RefusedAsync(BackupLab lab, string word)
    {
        var outcome = await lab.RunAsync();
        Assert.True(outcome.Status == 11, outcome.ToString());
        Assert.Contains(word, outcome.Error, StringComparison.Ordinal);
        Assert.Single(outcome.Problems);
        return outcome;
    }

    private static Process Start(BackupLab lab, int port, params string[] options) => Process.Start(new ProcessStartInfo(
        Command.Find("openssl"),
        ["s_server", "-quiet", "-accept", $"127.0.0.1:{port}", "-cert", lab.Server.Authority.CertificateFile, "-key", lab.Server.Authority.KeyFile, .. options])
    {
        UseShellExecute = false,
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    /// <summary>Does the handshake as a client that accepts any TLS version, to prove that a refusal is due to the version.</summary>
    private static async Task<string> HandshakeAsync(int port, string option)
    {
        using var client = Process.Start(new ProcessStartInfo(
            Command.Find("openssl"), ["s_client", "-connect", $"127.0.0.1:{port}", option, "-cipher", "ALL:@SECLEVEL=0"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        client.StandardInput.Close();
        var error = client.StandardError.ReadToEndAsync();
        var said = await client.StandardOutput.ReadToEndAsync();
        await Task.WhenAll(error, client.WaitForExitAsync());
        return said;
    }

    /// <summary>A clock far in the past, so that certificates made with it have expired.</summary>
    private sealed class LongAgo : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddDays(-90);
    }
}
