using System.Text.RegularExpressions;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>
/// The commonest mistakes of a first job, against a real server. Each is reported once and not retried, and its advice works.
/// </summary>
public sealed partial class WrongAddressTests
{
    private const string Password = "password_env: " + BackupLab.PasswordVariable;

    [Fact]
    public async Task The_TLS_port_under_an_imap_URL_is_told_with_the_URL_that_is_right()
    {
        await using var lab = await LabAsync();
        await using var line = FaultProxy.Start(lab.Server.TlsPort);
        lab.Endpoint = $"url: imap://alice@127.0.0.1:{line.Port}\n      {Password}";
        Assert.Contains("write imaps://", await ProblemAsync(lab), StringComparison.Ordinal);
        Assert.DoesNotContain(line.Commands, c => c.Contains("LOGIN", StringComparison.OrdinalIgnoreCase) || c.Contains("AUTHENTICATE", StringComparison.OrdinalIgnoreCase));
        lab.Endpoint = $"url: imaps://alice@127.0.0.1:{line.Port}\n      tls_ca_file: {lab.Server.Authority.CaFile}\n      {Password}";
        await lab.SucceedAsync();
    }

    [Fact]
    public async Task The_plain_port_under_an_imaps_URL_is_told_with_the_URL_that_is_right()
    {
        await using var lab = await LabAsync();
        var rest = $"//alice@127.0.0.1:{lab.Line.Port}\n      tls_ca_file: {lab.Server.Authority.CaFile}\n      {Password}";
        lab.Endpoint = $"url: imaps:{rest}";
        Assert.Contains("write imap://", await ProblemAsync(lab), StringComparison.Ordinal);
        lab.Endpoint = $"url: imap:{rest}";
        await lab.SucceedAsync();
    }

    [Fact]
    public async Task The_line_that_pins_a_certificate_can_be_written_as_it_is_told()
    {
        await using var lab = await LabAsync();
        lab.Endpoint = $"url: imaps://alice@127.0.0.1:{lab.Server.TlsPort}\n      {Password}";
        var told = FingerprintLine().Match(await ProblemAsync(lab));
        Assert.True(told.Success);
        lab.Endpoint += $"\n      {told.Groups["line"].Value}";
        await lab.SucceedAsync();
    }

    [Fact]
    public async Task A_wrong_password_is_told_with_who_it_was_and_where_the_password_came_from()
    {
        await using var lab = await LabAsync();
        lab.Environment[BackupLab.PasswordVariable] = "wr0ng";
        var problem = await ProblemAsync(lab, status: 12);
        Assert.Contains("'alice'", problem, StringComparison.Ordinal);
        Assert.Contains($"environment variable {BackupLab.PasswordVariable}", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("wr0ng", problem, StringComparison.Ordinal);
    }

    private static Task<BackupLab> LabAsync() =>
        BackupLab.StartAsync(mailbox => mailbox.Add("INBOX", MailGenerator.Message(1), MailGenerator.Date(1), "S"));

    /// <summary>Runs the job and returns its only problem. Asserts that this was reported once and that nothing was retried.</summary>
    private static async Task<string> ProblemAsync(BackupLab lab, int status = 11)
    {
        var outcome = await lab.RunAsync();
        Assert.True(outcome.Status == status, outcome.ToString());
        var problem = Assert.Single(outcome.Problems);
        Assert.DoesNotContain("waiting", outcome.Error, StringComparison.Ordinal);
        Assert.Equal(2, outcome.Error.Split(problem[(problem.IndexOf(": ", StringComparison.Ordinal) + 2)..]).Length);
        return problem;
    }

    [GeneratedRegex("'(?<line>tls_fingerprint: [0-9a-f]{64})'", RegexOptions.ExplicitCapture)]
    private static partial Regex FingerprintLine();
}
