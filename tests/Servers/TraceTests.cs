using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>The contents of <c>--trace</c> and <c>-v</c>, and what they must never contain.</summary>
public sealed class TraceTests
{
    private const string Password = "Tr0ub4dor\\and\"3-unlikely-words";

    [Theory]
    [InlineData("auto", 0)]
    [InlineData("plain", 0)]
    [InlineData("login", 0)]
    [InlineData("cram-md5", 0)]
    [InlineData("scram-sha-256", 0)]
    [InlineData("plain", 12)]
    [InlineData("login", 12)]
    public async Task A_whole_run_without_its_secret(string mechanism, int status)
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 30 }, new DovecotOptions { Password = Password });
        lab.Endpoint += $"\n      auth: {mechanism}";
        var given = status == 0 ? Password : Password + "-wrong";
        lab.Environment[BackupLab.PasswordVariable] = given;
        var file = lab.Dir["trace.log"];
        var outcome = await lab.RunAsync("--trace", file, "-vv");

        Assert.True(outcome.Status == status, outcome.ToString());
        var trace = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        foreach (var text in (string[])[trace, outcome.Everything])
        {
            foreach (var form in Forms(given).Concat(Forms(Password)))
                Assert.False(text.Contains(form, StringComparison.OrdinalIgnoreCase), $"{form} stands in\n{text}");
        }

        // Each line names its connection and server, each command its outcome and duration.
        var server = $"127.0.0.1:{lab.Line.Port}]";
        Assert.Contains($"[1 {server} ! connected", trace, StringComparison.Ordinal);
        var logIn = mechanism == "login" ? "LOGIN" : "AUTHENTICATE";
        Assert.Matches($@"\[1 {System.Text.RegularExpressions.Regex.Escape(server)} = A\d+ {logIn}.*: {(status == 0 ? "OK" : "NO")}, [0-9.]+ ms", trace);
        if (status != 0)
            return;
        foreach (var word in (string[])["LIST", "SELECT|EXAMINE", "FETCH", "LOGOUT"])
            Assert.Matches($@"\[\d+ {System.Text.RegularExpressions.Regex.Escape(server)} > A\d+ .*({word})", trace);
        Assert.Equal(trace.Split('\n').Count(l => l.Contains(" > A", StringComparison.Ordinal)) > 5, outcome.Error.Contains(" > A", StringComparison.Ordinal));
        Assert.DoesNotContain("Message-ID:", trace, StringComparison.OrdinalIgnoreCase);

        // The next run appends its lines.
        await lab.SucceedAsync("--trace", file);
        Assert.StartsWith(trace, await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_v_shows_commands_and_times_and_no_lines()
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 5 });
        var outcome = await lab.SucceedAsync("-v");
        Assert.Contains(" ms", outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("] > A", outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("] < ", outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("] = ", (await lab.SucceedAsync()).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_a_device_and_a_directory_are_refused_before_anything_is_done()
    {
        await using var lab = await BackupLab.StartAsync(_ => { });
        File.CreateSymbolicLink(lab.Dir["link"], lab.Dir["elsewhere"]);
        foreach (var path in (string[])[lab.Dir["link"], "/dev/null", "/dev/stderr", lab.Dir.Path])
        {
            var outcome = await lab.RunAsync("--trace", path);
            Assert.True(outcome.Status == 2, $"{path}: {outcome}");
            Assert.Contains("--trace", outcome.Error, StringComparison.Ordinal);
        }

        Assert.False(File.Exists(lab.Dir["elsewhere"]));
        Assert.False(Directory.Exists(lab.TargetDirectory));
    }

    [Theory]
    [InlineData("check")]
    [InlineData("folders")]
    [InlineData("verify")]
    [InlineData("restore")]
    public async Task Every_command_that_talks_to_servers_has_it(string command)
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 5 }, new DovecotOptions { Password = Password });
        await lab.SucceedAsync();
        var file = lab.Dir["trace.log"];
        string[] job = command == "restore" ? ["alice"] : [];
        await using var process = ImapsyncProcess.Start(lab.Dir.Create("home"), [command, lab.JobFile, .. job, "--trace", file], lab.Environment);
        var result = await process.WaitAsync();
        Assert.True(result.Status == 0, result.ToString());
        var trace = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        Assert.Contains("] > A1 ", trace, StringComparison.Ordinal);
        Assert.All(Forms(Password), form => Assert.DoesNotContain(form, trace, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>
    /// Returns each form in which a password could appear in a trace: plain, quoted, in base64 (as LOGIN sends it), and in the base64 of a
    /// PLAIN response. There it may begin at any of the three octets of a base64 group.
    /// </summary>
    private static IEnumerable<string> Forms(string password)
    {
        yield return password;
        yield return password.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
        for (var ahead = 0; ahead < 3; ahead++)
        {
            var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(new string('\0', ahead) + password));
            yield return encoded[(ahead == 0 ? 0 : 4)..^4];
        }

        yield return Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0alice\0{password}"))[..^4];
    }
}
