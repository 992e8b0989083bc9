using System.Security.Cryptography;
using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>The documentation's pages about single tasks: runs their job files and command lines as a user does.</summary>
public sealed class TaskPageTests
{
    private const string Url = "url: imaps://alice@imap.example.com";

    private static readonly (string Id, string Subject)[] Mail = [("4711", "invoice"), ("4712", "lunch"), ("4713", "plan")];

    private static readonly Dictionary<string, string> SubjectOf = Mail.ToDictionary(m => Convert.ToHexStringLower(SHA256.HashData(MaildirReader.WithCrLf(Message(m.Id, m.Subject)))), m => m.Subject);

    private static readonly string[] All = ["INBOX invoice", "INBOX lunch", "Projects/A plan"];

    [Fact]
    public async Task Each_line_of_the_page_about_restoring_brings_back_what_it_says()
    {
        var page = DocumentPage.Read("restore");
        await using var lab = await AccountAsync();
        var home = await HomeAsync(lab, "backup.yaml", page.Job(0, (Url, Here(lab)), ("/var/backups/mail/alice", lab.TargetDirectory)));
        await RunAsync(lab, home, "run", "backup.yaml");
        Assert.Equal(All, await SubjectsAsync(lab));

        var found = await RunAsync(lab, home, [.. page.Command("find backup.yaml"), "--output", "ids"]);
        await RestoresAsync(All, page.Command("imapsync restore backup.yaml alice"));
        await RestoresAsync(["INBOX invoice"], page.Command("--id ", ("INBOX:1700000000.12", found.Output.Trim())));
        await RestoresAsync(["Projects/A plan"], page.Command("--folder "));
        await RestoresAsync(["INBOX invoice"], page.Command("--since "));
        await RestoresAsync(All, page.Command("--at ", ("2026-11-01", "latest")));
        Assert.Contains("messages", (await RunAsync(lab, home, page.Command("snapshots "))).Output, StringComparison.OrdinalIgnoreCase);

        await RunAsync(lab, home, [.. page.Command("--to ", ("imaps://alice@new.example.com", $"imap://bob@127.0.0.1:{lab.Server.Port}"), ("new.password", "alice.password")), "--to-tls", "none"]);
        await using (var probe = await ImapProbe.ConnectAsync(lab.Server, "bob"))
            Assert.Equal(3, (await probe.SnapshotAsync()).MessageCount);

        // A message is deleted at the source. The next run moves its copy to the backup's trash, and restore puts it back into its original
        // folder.
        await using (var probe = await lab.ConnectAsync())
        {
            await probe.CommandAsync("SELECT INBOX");
            var number = (await probe.CommandAsync("SEARCH SUBJECT invoice")).Single(r => r.Text.StartsWith("* SEARCH", StringComparison.Ordinal)).Text.Split(' ')[2];
            await probe.CommandAsync($"STORE {number} +FLAGS (\\Deleted)");
            await probe.CommandAsync("EXPUNGE");
        }

        await RunAsync(lab, home, "run", "backup.yaml");
        Assert.Equal(All[1..], await SubjectsAsync(lab));
        await RunAsync(lab, home, "restore", "backup.yaml", "alice", "--message-id", "<4711@example.org>");
        Assert.Equal(All, await SubjectsAsync(lab));

        async Task RestoresAsync(string[] expected, string[] words)
        {
            await EmptyAsync(lab);
            Assert.Empty(await SubjectsAsync(lab));
            await RunAsync(lab, home, words);
            Assert.Equal(expected, await SubjectsAsync(lab));
        }
    }

    [Fact]
    public async Task The_nightly_backup_runs_and_each_way_to_verify_it_finds_it_good()
    {
        var (page, verify) = (DocumentPage.Read("nightly-backup"), DocumentPage.Read("verify"));
        await using var lab = await AccountAsync();
        var home = await HomeAsync(lab, "backup.yaml", page.Job(0, (Url, Here(lab)), ("/var/backups/mail/alice", lab.TargetDirectory)));
        foreach (var command in (string[])["check", "folders", "run", "status"])
            await RunAsync(lab, home, page.Command($"imapsync {command} backup.yaml" + (command == "status" ? " --max-age 26h" : "")));
        await RunAsync(lab, home, page.Command("--log-file", ("~/.config/imapsync/", home + "/")));
        foreach (var way in (string[])["", " --full", " --offline", " --offline --sample 10%"])
            await RunAsync(lab, home, verify.Command($"imapsync verify jobs.yaml{way}", ("jobs.yaml", "backup.yaml")));
        await RunAsync(lab, home, verify.Command("--at ", ("jobs.yaml", "backup.yaml"), ("2026-11-01", "latest")));
    }

    [Fact]
    public async Task The_move_to_another_provider_ends_with_proof()
    {
        var page = DocumentPage.Read("provider-to-provider");
        await using var migration = await MigrationLab.WithDovecotAsync(await AccountAsync());
        var lab = migration.Job;
        var home = await HomeAsync(lab, "move.yaml", page.Job(
            0, ("url: imaps://alice@imap.old.example", Here(lab)), ("url: imaps://alice@imap.new.example", $"url: imap://{migration.User}@127.0.0.1:{migration.TargetLine.Port}\n      tls: none")));
        await File.WriteAllTextAsync(Path.Combine(home, "old.password"), lab.Server.Password);
        await File.WriteAllTextAsync(Path.Combine(home, "new.password"), migration.Password);
        // Folders that do not exist yet must not make these commands fail.
        foreach (var line in (string[])["check ", "folders ", "imapsync run move.yaml --dry-run", "imapsync run move.yaml", "verify "])
            await RunAsync(lab, home, page.Command(line));
        BackupLab.Same(await lab.SourceAsync(), await migration.TargetAsync());
    }

    private static string Here(BackupLab lab) => $"url: imap://alice@127.0.0.1:{lab.Server.Port}\n      tls: none";

    private static async Task<string> HomeAsync(BackupLab lab, string name, string job)
    {
        var home = lab.Dir.Create("home");
        await File.WriteAllTextAsync(Path.Combine(home, "alice.password"), lab.Server.Password + "\n");
        await File.WriteAllTextAsync(Path.Combine(home, name), job);
        return home;
    }

    /// <summary>Runs a command in the directory of the job file and asserts that it succeeds.</summary>
    private static async Task<ImapsyncResult> RunAsync(BackupLab lab, string home, params string[] words)
    {
        await using var process = ImapsyncProcess.Start(home, words, lab.Environment);
        var result = await process.WaitAsync();
        Assert.True(result.Status == 0, $"imapsync {string.Join(' ', words)}\n{result}");
        return result;
    }

    private static Task<BackupLab> AccountAsync() => BackupLab.StartAsync(mailbox =>
    {
        mailbox.Add("INBOX", Message("4711", "invoice"), new DateTimeOffset(2026, 1, 15, 12, 0, 0, TimeSpan.Zero), "S");
        mailbox.Add("INBOX", Message("4712", "lunch"), new DateTimeOffset(2025, 12, 15, 12, 0, 0, TimeSpan.Zero), "");
        mailbox.Add("Projects/A", Message("4713", "plan"), new DateTimeOffset(2025, 6, 15, 12, 0, 0, TimeSpan.Zero), "F");
    });

    private static byte[] Message(string id, string subject) =>
        Encoding.ASCII.GetBytes($"From: bob@example.org\nMessage-ID: <{id}@example.org>\nDate: Thu, 15 Jan 2026 12:00:00 +0000\nSubject: {subject}\n\nAbout {subject}.\n");

    private static async Task EmptyAsync(BackupLab lab)
    {
        await using var probe = await lab.ConnectAsync();
        foreach (var (folder, _) in await probe.ListAsync())
        {
            await probe.CommandAsync($"SELECT {ImapProbe.Quote(folder)}");
            await probe.CommandAsync("UID STORE 1:* +FLAGS (\\Deleted)");
            await probe.CommandAsync("EXPUNGE");
        }
    }

    private static async Task<List<string>> SubjectsAsync(BackupLab lab)
    {
        await using var probe = await lab.ConnectAsync();
        var subjects = new List<string>();
        foreach (var (folder, _) in await probe.ListAsync())
        {
            foreach (var message in await probe.FetchAsync(folder))
                subjects.Add($"{folder} {SubjectOf[message.Message.Digest]}");
        }

        subjects.Sort(StringComparer.Ordinal);
        return subjects;
    }
}
