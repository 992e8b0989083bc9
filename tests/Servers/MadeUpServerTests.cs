using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

public sealed class MadeUpServerTests
{
    [Theory]
    [InlineData("maildir:")]
    [InlineData("mbox:")]
    public async Task Folder_names_of_a_hostile_server_stay_inside_the_target(string kind)
    {
        string[] names =
        [
            "INBOX", "../../etc/x", "../x", "..", "/etc/passwd", "a/../../b", "nul\0name", "bell\a\u001b[31m", "~root", ".hidden", "cur", "new/tmp",
            new string('x', 300), "dovecot-uidlist", "C:\\windows", "trailing ", " leading", "x.sbd", "con", "a\\b",
        ];
        await using var server = new MadeUpServer(names, messages: 2);
        using var dir = new TempDir();
        var report = await RunAsync(dir, server, kind + dir["room/target"]);

        Assert.True(report.Status == 0, report.ToString());
        Assert.Contains($"{names.Length * 2} copied", report.Error, StringComparison.Ordinal);
        Assert.Equal(["target"], Directory.EnumerateFileSystemEntries(dir["room"]).Select(Path.GetFileName));
        Assert.Equal(
            ["home", "job.yaml", "room", "state"], Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(dir["room"])!).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.DoesNotContain('\u001b', report.Error);
    }

    [Fact]
    public async Task A_folder_of_a_million_messages_is_planned_in_less_than_250_MiB()
    {
        await using var server = new MadeUpServer(["INBOX"], messages: 1_000_000);
        using var dir = new TempDir();

        var report = await RunAsync(dir, server, "maildir:" + dir.Create("target"), "--dry-run");

        Assert.True(report.Status == 0, report.ToString());
        Assert.Contains("1,000,000", report.Error, StringComparison.Ordinal);
        Assert.True(report.PeakResidentKiB < 250 * 1024, $"{report.PeakResidentKiB / 1024} MiB");
    }

    private static async Task<ImapsyncResult> RunAsync(TempDir dir, MadeUpServer server, string target, params string[] options)
    {
        await File.WriteAllTextAsync(dir["job.yaml"], $"""
            jobs:
              - name: made-up
                source:
                  url: imap://user@127.0.0.1:{server.Port}
                  tls: none
                  password_env: MADE_UP
                target:
                  url: {target}
                state: {dir["state"]}
            """);
        await using var process = ImapsyncProcess.Start(
            dir.Create("home"), ["run", dir["job.yaml"], .. options], new Dictionary<string, string> { ["MADE_UP"] = "x" });
        return await process.WaitAsync();
    }
}
