using System.Globalization;
using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Serving;

/// <summary><c>imapsync serve</c>, <c>find</c>, <c>show</c>, <c>export</c> and <c>restore --id</c>, run as a user does.</summary>
public sealed class ServeCommandTests
{
    [Fact]
    public async Task A_backup_is_served_with_a_password_of_its_own_each_time_until_it_is_killed_and_again()
    {
        using var dir = new TempDir();
        MailGenerator.Fill(dir["backup"], new MailboxPlan { Messages = 30, MaxBytes = 10_000 });
        var job = dir.Write("job.yaml", $"""
            jobs:
              - name: alice
                source: {"{"} url: "imaps://alice@imap.example.com", password_env: NOT_SET_AND_NOT_NEEDED {"}"}
                target: {"{"} url: "maildir:{dir["backup"]}" {"}"}
            """);
        var first = await ServeOnceAsync(dir, job, kill: true);
        var second = await ServeOnceAsync(dir, job, kill: false);
        Assert.NotEqual(first, second);
        var before = await NumbersAsync(dir, job);
        Assert.Contains("UIDVALIDITY", before, StringComparison.Ordinal);
        Assert.Equal(before, await NumbersAsync(dir, job));
    }

    [Fact]
    public async Task Over_TLS_a_served_backup_is_the_same()
    {
        using var dir = new TempDir();
        MailGenerator.Fill(dir["backup"], new MailboxPlan { Messages = 30, MaxBytes = 10_000 });
        var authority = TestAuthority.Create(dir.Create("authority"));
        await using var process = Start(dir, "serve", "maildir:" + dir["backup"], "--port", "0", "--port-file", dir["port"], "--password-env", "SERVED", "--tls-cert", authority.CertificateFile, "--tls-key", authority.KeyFile);
        await process.SeesErrorAsync("Ctrl-C");
        await using var probe = await ImapProbe.ConnectAsync(await PortAsync(dir), "backup", "a password of mine", authority);
        BackupLab.Same(MaildirReader.Read(dir["backup"]), await probe.SnapshotAsync());
    }

    [Theory]
    [InlineData("--listen 0.0.0.0", "in clear text; give --tls-cert")]
    [InlineData("--listen example.com", "is no IP address")]
    [InlineData("--port 70000", "is no port")]
    [InlineData("--password-env NOT_SET", "there is no environment variable NOT_SET")]
    [InlineData("--password-env SHORT", "shorter than 12")]
    [InlineData("--tls-key x.pem", "there is a key and no certificate")]
    [InlineData("--tls-cert missing.pem", "can't be read from missing.pem")]
    [InlineData("--prot 1", "Did you mean '--port'")]
    public async Task What_can_not_be_served_like_that_is_refused_with_its_remedy(string options, string expected)
    {
        using var dir = new TempDir();
        MailGenerator.Fill(dir["backup"], new MailboxPlan { Messages = 1 });
        var result = await RunAsync(dir, ["serve", "maildir:" + dir["backup"], .. options.Split(' ')]);
        Assert.Equal(2, result.Status);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_find_names_is_shown_exported_and_restored_and_nothing_else()
    {
        using var dir = new TempDir();
        var mailbox = new MaildirWriter(dir.Create("account"));
        mailbox.AddFolder("INBOX");
        var wanted = mailbox.Add("Work", "Subject: =?koi8-r?B?8NLJ18XU?=\nFrom: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n\u001b[2Jtext of it\nFrom here\n--b\nContent-Type: application/x; name=\"../../x\\\\y.txt\"\nContent-Transfer-Encoding: base64\n\naGFsbG8=\n--b--\n"u8, MailGenerator.Date(1));
        mailbox.Add("Work", "Subject: other\nFrom: a@b.example\n\nno\n"u8, MailGenerator.Date(2));
        var job = dir.Write("job.yaml", $"""
            jobs:
              - name: alice
                source: {"{"} url: "maildir:{dir["account"]}" {"}"}
                target: {"{"} url: "maildir:{dir["backup"]}" {"}"}
                state: {dir["state"]}
            """);
        Assert.Equal(0, (await RunAsync(dir, "run", job)).Status);

        var id = (await RunAsync(dir, "find", job, "alice", "привет", "--output", "ids")).Output.Trim();
        Assert.Matches(@"^Work:\d+\.1$", id);
        var shown = await RunAsync(dir, "show", job, "alice", id);
        Assert.Contains("Subject: Привет\n", shown.Output, StringComparison.Ordinal);
        Assert.Contains(@"\x1B[2Jtext of it", shown.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', shown.Output);

        foreach (var name in (string[])["x_y.txt", "x_y-1.txt"])
            Assert.Equal(0, (await RunAsync(dir, "export", job, "alice", id, "--attachments", dir["files"])).Status);
        Assert.All(Directory.GetFiles(dir["files"]), f => Assert.Equal("hallo", File.ReadAllText(f)));
        Assert.Equal(2, Directory.GetFiles(dir["files"]).Length);
        Assert.Equal(0, (await RunAsync(dir, "export", job, "alice", id, "--eml", dir["eml"])).Status);
        Assert.Equal(MaildirReader.DigestOf(wanted), MaildirReader.DigestOf(Assert.Single(Directory.GetFiles(dir["eml"]))));
        Assert.Equal(0, (await RunAsync(dir, "export", job, "alice", id, "--mbox", dir["one.mbox"])).Status);
        Assert.Contains("\n>From here\n", await File.ReadAllTextAsync(dir["one.mbox"]), StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync(dir, "export", job, "alice", id, "--mbox", dir["one.mbox"])).Status);

        foreach (var file in Directory.GetFiles(Path.Combine(dir["account"], ".Work", "cur")))
            File.Delete(file);
        var restored = await RunAsync(dir, "restore", job, "alice", "--id", id);
        Assert.True(restored.Status == 0, restored.ToString());
        Assert.Single(MaildirReader.Read(dir["account"]).Folders["Work"].Messages);
        var gone = await RunAsync(dir, "restore", job, "alice", "--id", "Work:1.1");
        Assert.Equal(1, gone.Status);
        Assert.Contains("numbered anew", gone.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await RunAsync(dir, "restore", job, "alice", "--id", "nonsense")).Status);
    }

    [Fact]
    public async Task An_identifier_is_taken_back_whatever_letters_its_folder_has_and_a_long_line_is_shown_whole()
    {
        using var dir = new TempDir();
        var backup = new MaildirWriter(dir.Create("backup"));
        // Zero-width joiners and non-joiners must not be stripped, because they distinguish words in Persian and Hindi.
        backup.Add("\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645", Encoding.ASCII.GetBytes($"Subject: x\n\n{string.Join(' ', Enumerable.Range(1000, 2000))}\n"), MailGenerator.Date(1));
        var place = "maildir:" + dir["backup"];
        var id = (await RunAsync(dir, "find", place, "--output", "ids")).Output.Trim();
        var shown = await RunAsync(dir, "show", place, id);
        Assert.True(shown.Status == 0, shown.ToString());
        Assert.Contains(" 1500 1501 ", shown.Output, StringComparison.Ordinal);
        Assert.Contains(" 2998 2999\n", shown.Output, StringComparison.Ordinal);
    }

    /// <returns>The password that the command printed.</returns>
    private static async Task<string> ServeOnceAsync(TempDir dir, string job, bool kill)
    {
        File.Delete(dir["port"]);
        await using var process = Start(dir, "serve", job, "alice", "--port", "0", "--port-file", dir["port"]);
        await process.SeesErrorAsync("Ctrl-C");
        var port = await PortAsync(dir);
        await Assert.ThrowsAsync<InvalidOperationException>(() => ImapProbe.ConnectAsync(port, "alice", "not the password"));
        if (kill)
            process.Kill();
        else
            process.Signal(System.Runtime.InteropServices.PosixSignal.SIGTERM);
        var result = await process.WaitAsync();
        Assert.Equal(kill ? 137 : 0, result.Status);
        var password = result.Output.Split('\n').Single(l => l.StartsWith("password: ", StringComparison.Ordinal))[10..];
        Assert.DoesNotContain(password, result.Error, StringComparison.Ordinal);
        return password;
    }

    /// <summary>Starts and kills the server. Returns each folder's UIDNEXT, UIDVALIDITY and number of messages.</summary>
    private static async Task<string> NumbersAsync(TempDir dir, string job)
    {
        File.Delete(dir["port"]);
        await using var process = Start(dir, "serve", job, "alice", "--port", "0", "--port-file", dir["port"], "--password-env", "SERVED");
        await process.SeesErrorAsync("Ctrl-C");
        await using var client = await RawImap.ConnectAsync(await PortAsync(dir), "alice", "a password of mine");
        var lines = await client.OkAsync("LIST \"\" * RETURN (STATUS (UIDNEXT UIDVALIDITY MESSAGES))");
        process.Kill();
        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }

    /// <summary>Waits for the file in which the server writes its port, just after it says that it listens.</summary>
    private static async Task<int> PortAsync(TempDir dir)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        while (!File.Exists(dir["port"]))
            await timer.WaitForNextTickAsync();
        return int.Parse(await File.ReadAllTextAsync(dir["port"]), CultureInfo.InvariantCulture);
    }

    private static ImapsyncProcess Start(TempDir dir, params string[] arguments) => ImapsyncProcess.Start(
        dir.Create("home"), arguments, new Dictionary<string, string> { ["SERVED"] = "a password of mine", ["SHORT"] = "short" });

    private static async Task<ImapsyncResult> RunAsync(TempDir dir, params string[] arguments)
    {
        await using var process = Start(dir, arguments);
        return await process.WaitAsync();
    }
}
