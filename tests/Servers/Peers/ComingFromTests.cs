using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Peers;

/// <summary>
/// Runs the examples of docs/coming-from. First the other program runs with its configuration on the page, if Debian packages it. Then
/// imapsync runs with the page's job file and must not copy the same mail again.
/// </summary>
public sealed class ComingFromTests
{
    private const string Url = "url: imaps://alice@imap.example.com";

    private static readonly string[] Folders = ["INBOX", "Junk", "Sent", "Work", "Work/Sub", "Work/Sub/Deep"];

    [Fact]
    public async Task From_mbsync_its_tree_is_taken_over()
    {
        var page = DocumentPage.Read("coming-from/mbsync");
        await using var lab = await AccountAsync();
        var home = await HomeAsync(lab);
        var theirs = Path.Combine(home, "mbsyncrc");
        await File.WriteAllTextAsync(theirs, page.Theirs(("Host imap.example.com", $"Host 127.0.0.1\nPort {lab.Server.Port}"), ("SSLType IMAPS", "SSLType None\nAuthMechs LOGIN")));
        Directory.CreateDirectory(Path.Combine(home, "Mail"));
        await TakenOverAsync(lab, home, page.Job(0, (Url, Here(lab))), () => PeerProgram.RunAsync(home, "mbsync", "-q", "-c", theirs, "-a"), isSame: false);
    }

    [Theory]
    [InlineData("/", 0)]
    [InlineData(".", 1)]
    public async Task From_OfflineIMAP_its_tree_is_taken_over(string separator, int job)
    {
        var page = DocumentPage.Read("coming-from/offlineimap");
        await using var lab = await AccountAsync();
        var home = await HomeAsync(lab);
        var theirs = Path.Combine(home, "offlineimaprc");
        await File.WriteAllTextAsync(theirs, page.Theirs(
            ("remotehost = imap.example.com", $"remotehost = 127.0.0.1\nremoteport = {lab.Server.Port}\nauth_mechanisms = PLAIN\nssl = no\nstarttls = no"),
            ("sslcacertfile = OS-DEFAULT\n", ""), ("sep = /", $"sep = {separator}")));
        await TakenOverAsync(lab, home, page.Job(job, (Url, Here(lab))), () => PeerProgram.RunAsync(home, "offlineimap", "-o", "-u", "quiet", "-c", theirs));
    }

    [Fact]
    public async Task From_getmail_its_Maildir_is_taken_over_although_it_has_changed_every_header()
    {
        var page = DocumentPage.Read("coming-from/getmail");
        await using var lab = await AccountAsync();
        var home = await HomeAsync(lab);
        var theirs = Path.Combine(home, "getmailrc");
        foreach (var directory in (string[])["cur", "new", "tmp"])
            Directory.CreateDirectory(Path.Combine(home, "Mail", directory));
        await File.WriteAllTextAsync(theirs, page.Theirs(
            ("type = SimpleIMAPSSLRetriever", $"type = SimpleIMAPRetriever\nport = {lab.Server.Port}"), ("imap.example.com", "127.0.0.1"),
            ("password_command = (\"cat\", \"/home/alice/.config/mail/alice\")", $"password = {lab.Server.Password}")));
        // As root, getmail refuses to deliver to a Maildir, so it runs as another user.
        await ServerAccount.TakeOwnershipAsync(home);
        var (user, group) = await ServerAccount.EnsureAsync();
        string[] through = Environment.IsPrivilegedProcess ? ["setpriv", "--reuid", user, "--regid", group, "--clear-groups", "getmail"] : ["getmail"];
        await TakenOverAsync(
            lab, home, page.Job(0, (Url, Here(lab)), ("cat /home/alice", $"cat {home}")),
            () => PeerProgram.RunAsync(home, through[0], [.. through[1..], "--getmaildir", home, "--rcfile", theirs]), isSame: false, folders: ["INBOX"]);
    }

    [Fact]
    public async Task From_imap_backup_the_old_backup_is_put_into_the_new_one_and_nothing_is_downloaded_again()
    {
        var page = DocumentPage.Read("coming-from/imap-backup");
        await using var lab = await AccountAsync();
        var home = await HomeAsync(lab);
        var (old, target) = (lab.Dir["old"], lab.Dir["new"]);
        // Debian has no package of imap-backup, so the test writes its files as that program's documentation describes them.
        foreach (var (folder, messages) in Mail().Where(m => m.Folder != "Junk").GroupBy(m => m.Folder, m => m.Number).Select(g => (g.Key, g.ToList())))
            WriteImapBackup(Path.Combine(old, folder), messages);
        await SucceedAsync(home, page.Command("imapsync copy imap-backup:", ("/home/alice/.imap-backup/alice_example.com", old), ("/var/backups/mail/alice", target)));
        await AdoptsAllAsync(lab, home, page.Job(
            0, ("url: imaps://alice@example.com@imap.example.com", Here(lab)), ("~/.config/imapsync/alice", Path.Combine(home, ".config/mail/alice")), ("/var/backups/mail/alice", target)), isSame: true, Folders);
    }

    [Fact]
    public async Task From_imapsync_what_is_at_the_target_already_is_adopted()
    {
        var page = DocumentPage.Read("coming-from/imapsync");
        await using var migration = await MigrationLab.WithDovecotAsync(await AccountAsync());
        var lab = migration.Job;
        var home = await HomeAsync(lab);
        // Append some of the messages to the target first, as another migration program would have done.
        await using (var probe = await migration.ConnectAsync())
        {
            await probe.CommandAsync("CREATE Sent");
            foreach (var (folder, number) in Mail().Where(m => m.Folder is "INBOX" or "Sent"))
                await probe.AppendAsync(folder, MaildirReader.WithCrLf(MailGenerator.Message(number)).ToArray(), "\\Seen", MailGenerator.Date(number));
        }

        var there = Mail().Count(m => m.Folder is "INBOX" or "Sent");
        var job = page.Job(
            0, ("url: imaps://alice@imap.old.example", Here(lab)), ("password_file: alice.old", $"password_file: {home}/.config/mail/alice"),
            ("url: imaps://alice@imap.new.example", $"url: imap://{migration.User}@127.0.0.1:{migration.TargetLine.Port}\n      tls: none"), ("password_file: alice.new", $"password_env: {MigrationLab.TargetPasswordVariable}"));
        var run = await RunAsync(lab, home, job);
        Assert.Equal((there, Mail().Count(m => m.Folder != "Junk") - there), (run.Total("adopted"), run.Total("copied")));
        run.AddsUp();
        var target = await migration.TargetAsync();
        Assert.Equal(Mail().Count(m => m.Folder != "Junk"), target.MessageCount);
        Assert.Equal(0, (await RunAsync(lab, home, job)).Total("copied"));
    }

    /// <summary>
    /// Checks that imapsync recognises the other program's mail and fetches new mail once. The other program must then find nothing to do.
    /// </summary>
    private static async Task TakenOverAsync(BackupLab lab, string home, string job, Func<Task> runTheirs, bool isSame = true, string[]? folders = null)
    {
        await runTheirs();
        var files = MailFiles(home);
        Assert.Equal(Mail().Count(m => m.Folder != "Junk" && folders?.Contains(m.Folder) != false), files);
        await AdoptsAllAsync(lab, home, job, isSame, folders ?? Folders);
        Assert.Equal(files, MailFiles(home));
        await runTheirs();
        Assert.Equal(files, MailFiles(home));

        await using (var probe = await lab.ConnectAsync())
            await probe.AppendAsync("INBOX", MailGenerator.Message(900), "");
        Assert.Equal(1, (await RunAsync(lab, home, job)).Total("copied"));
        Assert.Equal(files + 1, MailFiles(home));
    }

    private static async Task AdoptsAllAsync(BackupLab lab, string home, string job, bool isSame, string[] folders)
    {
        var all = Mail().Count(m => m.Folder != "Junk" && folders.Contains(m.Folder));
        var first = await RunAsync(lab, home, job);
        Assert.Equal((0, all), (first.Total("copied"), first.Total("adopted")));
        first.AddsUp();
        var second = await RunAsync(lab, home, job);
        Assert.Equal((0, 0, all), (second.Total("copied"), second.Total("adopted"), second.Total("already_present")));
        await using var verify = ImapsyncProcess.Start(home, ["verify", lab.JobFile, "--full", "--state", lab.StateDirectory], lab.Environment);
        var verified = await verify.WaitAsync();
        // If the other program changed headers, verify reports the differences (exit status 3), as the page says.
        Assert.True(verified.Status == (isSame ? 0 : 3), verified.ToString());
    }

    private static async Task<RunOutcome> RunAsync(BackupLab lab, string home, string job)
    {
        await File.WriteAllTextAsync(lab.JobFile, job);
        File.Delete(lab.ReportFile);
        await using var process = ImapsyncProcess.Start(home, ["run", lab.JobFile, "--report", lab.ReportFile, "--state", lab.StateDirectory], lab.Environment);
        var outcome = RunOutcome.Read(await process.WaitAsync(), lab.ReportFile);
        Assert.True(outcome.Status == 0, outcome.ToString());
        return outcome;
    }

    private static async Task SucceedAsync(string home, string[] words)
    {
        await using var process = ImapsyncProcess.Start(home, words);
        var result = await process.WaitAsync();
        Assert.True(result.Status == 0, result.ToString());
    }

    private static string Here(BackupLab lab) => $"url: imap://alice@127.0.0.1:{lab.Server.Port}\n      tls: none";

    /// <summary>Creates a home directory with the password in the file that the pages name.</summary>
    private static async Task<string> HomeAsync(BackupLab lab)
    {
        var home = lab.Dir.Create("home");
        Directory.CreateDirectory(Path.Combine(home, ".config", "mail"));
        await File.WriteAllTextAsync(Path.Combine(home, ".config", "mail", "alice"), lab.Server.Password + "\n");
        return home;
    }

    private static IEnumerable<(string Folder, int Number)> Mail() => Enumerable.Range(0, 3 * Folders.Length).Select(n => (Folders[n % Folders.Length], n));

    private static Task<BackupLab> AccountAsync() => BackupLab.StartAsync(
        mailbox =>
        {
            foreach (var (folder, number) in Mail())
                mailbox.Add(folder, MailGenerator.Message(number), MailGenerator.Date(number), number % 2 == 0 ? "S" : "FS");
        },
        new DovecotOptions { Password = "pass" });

    private static int MailFiles(string home) => Directory.EnumerateFiles(Path.Combine(home, "Mail"), "*", SearchOption.AllDirectories)
        .Count(f => f.Contains("/cur/", StringComparison.Ordinal) || f.Contains("/new/", StringComparison.Ordinal));

    private static void WriteImapBackup(string path, IReadOnlyList<int> numbers)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var (mbox, notes) = (new MemoryStream(), new List<string>());
        foreach (var number in numbers)
        {
            var offset = mbox.Length;
            mbox.Write(Encoding.ASCII.GetBytes(FormattableString.Invariant($"From alice@example.com {MailGenerator.Date(number).UtcDateTime:ddd MMM dd HH:mm:ss yyyy}\n")));
            mbox.Write(MailGenerator.Message(number));
            mbox.Write("\n"u8);
            notes.Add($"{{\"uid\":{number + 1},\"offset\":{offset},\"length\":{mbox.Length - offset},\"flags\":[\"Seen\"]}}");
        }

        File.WriteAllBytes(path + ".mbox", mbox.ToArray());
        File.WriteAllText(path + ".imap", $"{{\"version\":3,\"uid_validity\":1234,\"messages\":[{string.Join(',', notes)}]}}");
    }
}
