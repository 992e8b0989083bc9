using System.Text;
using System.Text.RegularExpressions;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary><c>imapsync init</c> with a real Dovecot: on a real terminal, and without one.</summary>
public sealed partial class InitTests
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    [Fact]
    public async Task From_an_address_to_a_verified_backup_in_under_ten_answers()
    {
        await using var lab = await InitLab.StartAsync();
        var dialogue = lab.Dialogue;
        Assert.InRange(dialogue.Length, 1, 9);
        await using var terminal = TerminalProcess.Start(lab.Home, "init");
        await AnswerAsync(terminal, dialogue);
        var status = await terminal.WaitAsync();
        Assert.True(status == 0, terminal.Screen);
        Assert.True(terminal.Screen.Contains("49 messages verified: no difference", StringComparison.Ordinal), terminal.Screen);

        // The password is stored in its file and nowhere else.
        Assert.DoesNotContain(InitLab.Password, terminal.Screen, StringComparison.Ordinal);
        Assert.Equal(InitLab.Password + "\n", await File.ReadAllTextAsync(lab.PasswordFile, TestContext.Current.CancellationToken));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(lab.PasswordFile));
        foreach (var file in lab.Files().Select(f => Path.Combine(lab.Home, f)).Where(f => File.Exists(f) && f != lab.PasswordFile))
            Assert.DoesNotContain(InitLab.Password, Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)), StringComparison.Ordinal);

        // The written file is an ordinary job file.
        var again = await lab.RunAsync("run", lab.JobFile);
        Assert.True(again.Status == 0, again.ToString());
        var full = await lab.RunAsync("verify", lab.JobFile, "--full");
        Assert.True(full.Status == 0 && full.ToString().Contains("49 messages verified: no difference", StringComparison.Ordinal), full.ToString());
        await DocumentedAsync(lab, terminal.Screen);
    }

    [Fact]
    public async Task The_same_by_options_without_a_terminal()
    {
        await using var lab = await InitLab.StartAsync();
        var secret = lab.Backup.Dir.Write("secret", InitLab.Password);
        File.SetUnixFileMode(secret, OwnerOnly);
        var set = await lab.InitAsync("--source-password-file", secret, "--exclude", "", "--schedule", "systemd-user", "--at", "4:05");
        Assert.True(set.Status == 0, set.ToString());
        Assert.Contains("53 messages verified: no difference", set.ToString(), StringComparison.Ordinal);
        BackupLab.Same(await lab.Backup.SourceAsync(), MaildirReader.Read(Path.Combine(lab.Home, "mail")));
        Assert.Contains($"password_file: {secret}\n", await File.ReadAllTextAsync(lab.JobFile, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        var units = Path.Combine(lab.Home, ".config/systemd/user");
        Assert.Contains($"run \"{lab.JobFile}\"", await File.ReadAllTextAsync(Path.Combine(units, "imapsync-alice-localhost.service"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains("OnCalendar=*-*-* 04:05:00", await File.ReadAllTextAsync(Path.Combine(units, "imapsync-alice-localhost.timer"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains("systemctl --user daemon-reload && systemctl --user enable --now imapsync-alice-localhost.timer", set.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mailbox_is_moved_to_another_account_by_options_alone()
    {
        await using var lab = await InitLab.StartAsync();
        await using var other = await DovecotServer.StartAsync(lab.Backup.Dir["other"], new DovecotOptions { Password = "another-word" });
        lab.Backup.Environment["OTHER"] = other.Password;
        var moved = await lab.RunAsync(
            "init", "alice@localhost", "--yes", "--source-url", lab.Server, "--source-tls-ca-file", lab.Backup.Server.Authority.CaFile, "--source-password-env", BackupLab.PasswordVariable,
            "--to", $"imaps://bob@localhost:{other.TlsPort}", "--target-tls-fingerprint", other.Authority.Fingerprint, "--target-password-env", "OTHER", "--exclude", "");
        Assert.True(moved.Status == 0, moved.ToString());
        Assert.Contains("53 messages verified: no difference", moved.ToString(), StringComparison.Ordinal);
        await using var probe = await ImapProbe.ConnectAsync(other, "bob");
        BackupLab.Same(await lab.Backup.SourceAsync(), await probe.SnapshotAsync());
    }

    [Fact]
    public async Task A_wrong_password_is_asked_for_again_and_in_the_end_leaves_nothing()
    {
        await using var lab = await InitLab.StartAsync();
        await using var terminal = TerminalProcess.Start(lab.Home, "init", "alice@localhost", "--source-url", lab.Server, "--source-tls-ca-file", lab.Backup.Server.Authority.CaFile);
        for (var tries = 0; tries < 3; tries++)
            await AnswerAsync(terminal, [("Password for", InitLab.Password + "-wrong")]);
        Assert.Equal(12, await terminal.WaitAsync());
        Assert.Equal(3, Regex.Count(terminal.Screen, "cannot log in to imaps://alice@localhost@localhost", RegexOptions.None, TimeSpan.FromSeconds(5)));
        Assert.DoesNotContain(InitLab.Password, terminal.Screen, StringComparison.Ordinal);
        Assert.Empty(lab.Files());
    }

    [Fact]
    public async Task A_slip_of_the_hand_is_forgiven()
    {
        await using var lab = await InitLab.StartAsync();
        await using var terminal = TerminalProcess.Start(lab.Home, "init", "alice@localhost", "--source-url", lab.Server, "--source-tls-ca-file", lab.Backup.Server.Authority.CaFile, "--to", "mail", "--schedule", "no", "--run", "no");
        await AnswerAsync(terminal, [("Password for", "wrong"), ("Password for", InitLab.Password), ("Folders to leave out", "Junk, Sent"), ("Job file", "")]);
        Assert.True(await terminal.WaitAsync() == 0, terminal.Screen);
        Assert.Contains("        - Junk\n        - Sent\n", await File.ReadAllTextAsync(lab.JobFile, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_terminal_a_wrong_password_ends_it_at_once_and_leaves_nothing()
    {
        await using var lab = await InitLab.StartAsync();
        lab.Backup.Environment["WRONG"] = "wrong";
        var set = await lab.InitAsync("--source-password-env", "WRONG", "--schedule", "systemd-user");
        Assert.True(set.Status == 12, set.ToString());
        Assert.Empty(lab.Files());
    }

    [Fact]
    public async Task A_certificate_that_nobody_agreed_to_gets_no_password()
    {
        await using var lab = await InitLab.StartAsync();
        var set = await lab.RunAsync("init", "alice@localhost", "--yes", "--source-url", lab.Server, "--source-password-env", BackupLab.PasswordVariable, "--to", "mail");
        Assert.True(set.Status == 11, set.ToString());
        Assert.Contains("nothing was sent to imaps://alice@localhost@localhost", set.Error, StringComparison.Ordinal);
        Assert.Empty(lab.Files());
    }

    [Fact]
    public async Task Ctrl_C_at_any_question_leaves_nothing_half_written()
    {
        await using var lab = await InitLab.StartAsync();
        var dialogue = lab.Dialogue;
        for (var last = 0; last < dialogue.Length; last++)
        {
            await using var terminal = TerminalProcess.Start(lab.Home, "init");
            await AnswerAsync(terminal, dialogue[..last]);
            await terminal.SeesAsync(dialogue[last].Question);
            await terminal.SeesAsync(": ");
            await terminal.PressControlCAsync();
            Assert.True(await terminal.WaitAsync() == 130, terminal.Screen);
            if (last < dialogue.Length - 1)
                Assert.Empty(lab.Files());
        }

        // The user leaves at the last question: all files are written, and no mail is copied yet.
        Assert.False(Directory.Exists(Path.Combine(lab.Home, "mail")));
        var run = await lab.RunAsync("run", lab.JobFile);
        Assert.True(run.Status == 0, run.ToString());
    }

    [Fact]
    public async Task A_file_that_is_there_is_replaced_only_when_told_to()
    {
        await using var lab = await InitLab.StartAsync();
        await File.WriteAllTextAsync(lab.JobFile, "mine", TestContext.Current.CancellationToken);
        var refused = await lab.InitAsync("--source-password-env", BackupLab.PasswordVariable, "--run", "no");
        Assert.True(refused.Status == 2, refused.ToString());
        Assert.Contains("there is a file alice@localhost.yaml already; give another name by --file, or --force to replace it", refused.Error, StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(lab.JobFile, TestContext.Current.CancellationToken));
        Assert.Equal(["alice@localhost.yaml"], lab.Files());
        var replaced = await lab.InitAsync("--source-password-env", BackupLab.PasswordVariable, "--run", "no", "--force");
        Assert.True(replaced.Status == 0, replaced.ToString());
        Assert.Contains("jobs:", await File.ReadAllTextAsync(lab.JobFile, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_that_stays_in_a_variable_is_in_no_file()
    {
        await using var lab = await InitLab.StartAsync();
        await using var terminal = TerminalProcess.Start(
            lab.Home, "init", "alice@localhost", "--yes", "--source-url", lab.Server, "--source-tls-ca-file", lab.Backup.Server.Authority.CaFile, "--to", "mail", "--keep-password", "env");
        await AnswerAsync(terminal, [("Password for", InitLab.Password)]);
        Assert.True(await terminal.WaitAsync() == 0, terminal.Screen);
        Assert.Contains("Set the environment variable IMAPSYNC_SOURCE_PASSWORD_ALICE_LOCALHOST to the password before each run, by hand or by timer.", terminal.Screen, StringComparison.Ordinal);
        Assert.True(terminal.Screen.Contains("49 messages verified: no difference", StringComparison.Ordinal), terminal.Screen);
        foreach (var file in lab.Files().Select(f => Path.Combine(lab.Home, f)).Where(File.Exists))
            Assert.DoesNotContain(InitLab.Password, Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)), StringComparison.Ordinal);
    }

    /// <summary>Types each answer when its question appears.</summary>
    private static async Task AnswerAsync(TerminalProcess terminal, IEnumerable<(string Question, string Answer)> dialogue)
    {
        foreach (var (question, answer) in dialogue)
        {
            await terminal.SeesAsync(question);
            await terminal.SeesAsync(": ");
            await terminal.TypeAsync(answer);
        }
    }

    /// <summary>Asserts that docs/init.md shows this session. IMAPSYNC_TESTS_WRITE_DOCUMENTS=1 writes it there.</summary>
    private static async Task DocumentedAsync(InitLab lab, string screen)
    {
        var path = Path.Combine(FindRoot(), "docs/init.md");
        var document = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        const string begin = "```text\n", end = "```\n";
        var at = document.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        var until = document.IndexOf(end, at, StringComparison.Ordinal);
        // A native program puts its own path into the cron line, so the path is replaced.
        if (Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_PROGRAM") is { Length: > 0 } program)
            screen = screen.Replace(program, "imapsync", StringComparison.Ordinal);
        var session = "$ imapsync init\n" + Settle(screen.Replace(lab.Home, "/home/alice", StringComparison.Ordinal)
            .Replace($":{lab.Backup.Server.TlsPort}", ":10993", StringComparison.Ordinal)
            .Replace(lab.Backup.Server.Authority.Fingerprint.ToLowerInvariant(), "8b2499d3864eb964f4f53a43153b4cc6dd0dd9c2e229e6d692cae0fdb6bdf7b1", StringComparison.Ordinal));
        if (Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_WRITE_DOCUMENTS") == "1")
            await File.WriteAllTextAsync(path, document[..at] + session + document[until..], TestContext.Current.CancellationToken);
        else
            Assert.Equal(document[at..until], session);
    }

    /// <summary>Replaces what differs between runs: times, durations, and the order of folders copied in parallel.</summary>
    private static string Settle(string screen)
    {
        // If this machine runs a mail server, connections to the standard ports are not refused, so the message is replaced.
        screen = UsualPort().Replace(screen, "  ${scheme}://localhost: localhost can't be reached: Connection refused");
        var lines = ClockTime().Replace(Duration().Replace(screen, "· 1 s"), "").Split('\n').Select(l => l.TrimEnd()).ToList();
        for (var i = 1; i < lines.Count; i++)
        {
            for (var j = i; j > 0 && FolderLine().IsMatch(lines[j]) && FolderLine().IsMatch(lines[j - 1]) && string.CompareOrdinal(lines[j], lines[j - 1]) < 0; j--)
                (lines[j], lines[j - 1]) = (lines[j - 1], lines[j]);
        }

        return string.Join('\n', lines);
    }

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "imapsync.sln")))
            directory = directory.Parent!;
        return directory.FullName;
    }

    [GeneratedRegex("^[0-9]{2}:[0-9]{2}:[0-9]{2} ", RegexOptions.Multiline, 5000)]
    private static partial Regex ClockTime();

    [GeneratedRegex(@"^  (?<scheme>imaps?)://localhost: [^\r\n]*", RegexOptions.Multiline, 5000)]
    private static partial Regex UsualPort();

    [GeneratedRegex(@"· [0-9.]+ s\b", RegexOptions.None, 5000)]
    private static partial Regex Duration();

    [GeneratedRegex(@": \d+ (?:would be )?copied \(", RegexOptions.None, 5000)]
    private static partial Regex FolderLine();
}
