using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Messages that vanish from the source, under each deletion policy, and the guards against deleting by mistake.</summary>
public sealed class DeletionTests
{
    private static async Task<BackupLab> LabAsync(string rules, int messages = 100)
    {
        var lab = await BackupLab.StartAsync(mailbox =>
        {
            for (var i = 0; i < messages; i++)
                mailbox.Add(i % 2 == 0 ? "INBOX" : "Work", MailGenerator.Message(i), MailGenerator.Date(i), "S");
        });
        lab.Rules = rules;
        await lab.SucceedAsync();
        return lab;
    }

    private static async Task ExpungeAsync(BackupLab lab, string folder, string uids)
    {
        await using var probe = await lab.ConnectAsync();
        await probe.CommandAsync("SELECT " + folder);
        await probe.CommandAsync($"UID STORE {uids} +FLAGS.SILENT (\\Deleted)");
        await probe.CommandAsync("UID EXPUNGE " + uids);
    }

    [Fact]
    public async Task Keep_leaves_at_the_target_what_vanishes()
    {
        await using var lab = await LabAsync("deletions: keep");
        var before = MaildirReader.Read(lab.TargetDirectory);
        await ExpungeAsync(lab, "INBOX", "1:5");

        var second = await lab.SucceedAsync();

        BackupLab.Same(before, MaildirReader.Read(lab.TargetDirectory));
        Assert.Equal(0, second.Total("deleted"));
        second.AddsUp();
    }

    [Fact]
    public async Task Mirror_removes_what_vanished_and_nothing_else()
    {
        await using var lab = await LabAsync("deletions: mirror");
        await ExpungeAsync(lab, "INBOX", "1:3");

        var second = await lab.SucceedAsync();

        Assert.Equal(3, second.Total("deleted"));
        await lab.TargetEqualsSourceAsync();
    }

    [Fact]
    public async Task Trash_keeps_what_it_removes()
    {
        await using var lab = await LabAsync("deletions: trash");
        var before = await lab.SourceAsync();
        await ExpungeAsync(lab, "Work", "2:4");

        var second = await lab.SucceedAsync();

        Assert.Equal(3, second.Total("deleted"));
        var target = MaildirReader.Read(lab.TargetDirectory);
        var source = await lab.SourceAsync();
        BackupLab.Same(source, target.Select((name, f) => source.Folders.ContainsKey(name) ? f : null));
        var kept = target.Folders.Where(f => !source.Folders.ContainsKey(f.Key)).SelectMany(f => f.Value.Messages).Select(m => m.Digest);
        var gone = before.Folders["Work"].Messages.Except(source.Folders["Work"].Messages).Select(m => m.Digest);
        Assert.Equal(gone.Order(), kept.Order());
    }

    [Theory]
    [InlineData("deletions: mirror")]
    [InlineData("deletions: trash")]
    public async Task The_deletion_limit_stops_the_run_before_anything_is_removed(string policy)
    {
        await using var lab = await LabAsync(policy);
        var before = MaildirReader.Read(lab.TargetDirectory);
        await ExpungeAsync(lab, "INBOX", "1:30");

        var second = await lab.RunAsync();

        Assert.True(second.Status == 13, second.ToString());
        Assert.Equal(0, second.Total("deleted"));
        BackupLab.Same(before, MaildirReader.Read(lab.TargetDirectory));

        // The user has checked the deletions and confirms them by raising the limit.
        lab.Rules = policy + "\ndeletion_limit: 40%";
        var third = await lab.SucceedAsync();
        Assert.Equal(30, third.Total("deleted"));
    }

    [Fact]
    public async Task An_account_that_is_suddenly_empty_removes_nothing()
    {
        await using var lab = await LabAsync("deletions: mirror");
        var before = MaildirReader.Read(lab.TargetDirectory);
        await lab.Server.RestartAsync(() =>
        {
            Directory.Delete(lab.Dir["source"], recursive: true);
            new MaildirWriter(lab.Dir.Create("source")).AddFolder("INBOX");
        });
        await lab.Server.TakeOwnershipAsync(lab.Dir["source"]);

        var second = await lab.RunAsync();

        Assert.True(second.Status is 13 or 3, second.ToString());
        BackupLab.Same(before, MaildirReader.Read(lab.TargetDirectory));
    }

    [Fact]
    public async Task A_folder_that_vanished_is_not_removed_beyond_the_limit()
    {
        await using var lab = await LabAsync("deletions: mirror");
        var before = MaildirReader.Read(lab.TargetDirectory);
        await using (var probe = await lab.ConnectAsync())
            await probe.CommandAsync("DELETE Work");

        var second = await lab.RunAsync();

        Assert.True(second.Status == 13, second.ToString());
        BackupLab.Same(before, MaildirReader.Read(lab.TargetDirectory));
    }
}
