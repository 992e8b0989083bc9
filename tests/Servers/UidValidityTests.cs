using System.Text.RegularExpressions;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>
/// A server invalidates its UIDs by a new UIDVALIDITY. No message is deleted or doubled, and the report says what happened.
/// </summary>
public sealed partial class UidValidityTests
{
    private const int Messages = 120;

    [Fact]
    public async Task The_same_mail_under_another_UIDVALIDITY_is_known_again()
    {
        await using var lab = await LabAsync();
        await ChangeAsync(lab, folder =>
        {
            var list = Path.Combine(folder, "dovecot-uidlist");
            var lines = File.ReadAllLines(list);
            lines[0] = Validity().Replace(lines[0], "V1234567");
            File.WriteAllLines(list, lines);
        });
        await NothingMovedAsync(lab);
        await lab.TargetEqualsSourceAsync();
    }

    [Fact]
    public async Task Renumbered_mail_is_known_again()
    {
        await using var lab = await LabAsync();
        await ChangeAsync(lab, folder =>
        {
            File.Delete(Path.Combine(folder, "dovecot-uidlist"));

            // New file names sort differently, so every message gets another UID.
            foreach (var file in Directory.GetFiles(Path.Combine(folder, "cur")))
            {
                var name = Path.GetFileName(file);
                File.Move(file, Path.Combine(folder, "cur", $"{3_000_000_000 - long.Parse(name.Split('.')[0])}.renumbered.{name.Split('.', 2)[1]}"));
            }
        });
        await NothingMovedAsync(lab);
        await lab.TargetEqualsSourceAsync();
    }

    [Fact]
    public async Task An_emptied_folder_under_another_UIDVALIDITY_empties_nothing()
    {
        await using var lab = await LabAsync();
        var before = MaildirReader.Read(lab.TargetDirectory);
        await ChangeAsync(lab, folder =>
        {
            File.Delete(Path.Combine(folder, "dovecot-uidlist"));
            foreach (var file in Directory.GetFiles(Path.Combine(folder, "cur")))
                File.Delete(file);
        });

        var second = await lab.RunAsync();

        Assert.Equal(0, second.Total("deleted"));
        Assert.Equal(0, second.Total("copied"));
        BackupLab.Same(before, MaildirReader.Read(lab.TargetDirectory));
        Assert.Contains("UIDVALIDITY", second.Everything, StringComparison.Ordinal);
    }

    private static async Task<BackupLab> LabAsync()
    {
        var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = Messages });
        lab.Rules = "deletions: mirror\ndeletion_limit: 100%";
        await lab.SucceedAsync();
        return lab;
    }

    /// <summary>Changes every folder while the server is down, and deletes its indexes.</summary>
    private static Task ChangeAsync(BackupLab lab, Action<string> change) => lab.Server.RestartAsync(() =>
    {
        var root = lab.Dir["source"];
        foreach (var folder in Directory.GetDirectories(root, ".*").Append(root))
        {
            foreach (var index in Directory.GetFiles(folder, "dovecot.*"))
                File.Delete(index);
            foreach (var counter in Directory.GetFiles(folder, "dovecot-uidvalidity*"))
                File.Delete(counter);
            change(folder);
        }
    });

    private static async Task NothingMovedAsync(BackupLab lab)
    {
        var second = await lab.SucceedAsync();
        Assert.Equal(0, second.Total("copied"));
        Assert.Equal(0, second.Total("deleted"));
        Assert.Equal(Messages, second.Total("already_present"));
        Assert.Contains("UIDVALIDITY", second.Everything, StringComparison.Ordinal);
    }

    [GeneratedRegex("V[0-9]+", RegexOptions.None, 60_000)]
    private static partial Regex Validity();
}
