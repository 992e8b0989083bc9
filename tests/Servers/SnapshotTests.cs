using System.Text.Json;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>A real account's backup and its snapshots, through the command line.</summary>
public sealed class SnapshotTests
{
    [Fact]
    public async Task A_snapshot_is_listed_verified_restored_and_forgotten()
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 200 });
        lab.Rules = "snapshots: { daily: 7 }\ndeletions: mirror\ndeletion_limit: 100%";
        await lab.SucceedAsync();
        var before = await lab.SourceAsync();
        var first = Assert.Single((await ListAsync(lab)).EnumerateArray());
        Assert.Equal((200, 200), (first.GetProperty("messages").GetInt32(), first.GetProperty("came").GetInt32()));
        var name = first.GetProperty("name").GetString()!;
        // The snapshot consists of a second hard link to each message, which takes almost no disk space.
        Assert.Equal("200", (await Command.RunAsync("sh", ["-c", $"find '{lab.TargetDirectory}' -type f -links 2 | wc -l"])).Trim());

        await using (var probe = await lab.ConnectAsync())
        {
            await probe.CommandAsync("SELECT INBOX");
            await probe.CommandAsync("STORE 1:* +FLAGS (\\Deleted)");
            await probe.CommandAsync("EXPUNGE");
        }

        var after = await lab.SucceedAsync();
        Assert.True(after.Total("deleted") > 0);
        Assert.Equal(0, (await ImapsyncAsync(lab, "verify", "alice", "--offline", "--at", name)).Status);
        Assert.Equal(0, (await ImapsyncAsync(lab, "verify", "alice", "--offline")).Status);

        // Mail that was deleted after the snapshot is found in the snapshot, but no longer in the backup itself.
        var then = await ImapsyncAsync(lab, "find", "alice", "--at", name, "--folder", "INBOX", "--output", "ids");
        Assert.True(then.Status == 0 && then.Output.Length > 0, then.ToString());
        Assert.Empty((await ImapsyncAsync(lab, "find", "alice", "--folder", "INBOX", "--output", "ids")).Output);
        Assert.Equal(0, (await ImapsyncAsync(lab, "export", "alice", then.Output.Split('\n')[0], "--at", name, "--eml", lab.Dir["exported"])).Status);
        Assert.Single(Directory.GetFiles(lab.Dir["exported"]));

        var restored = await ImapsyncAsync(lab, "restore", "alice", "--at", "latest", "--to", $"maildir:{lab.Dir["restored"]}");
        Assert.True(restored.Status == 0, restored.ToString());
        Assert.Equal("", (await lab.ServeAsync(lab.Dir["restored"])).WithoutSubscriptions().DifferenceFrom(before.WithoutSubscriptions()));
        // Restores into the account itself: deleted mail comes back, existing mail is not doubled.
        Assert.Equal(0, (await ImapsyncAsync(lab, "restore", "alice", "--at", name)).Status);
        Assert.Equal("", (await lab.SourceAsync()).DifferenceFrom(before));

        var wrong = await ImapsyncAsync(lab, "restore", "alice", "--at", "2001-01-01");
        Assert.Equal(2, wrong.Status);
        Assert.Contains("has no snapshot of 2001-01-01 or before", wrong.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await ImapsyncAsync(lab, "snapshots", "alice", "--forget", "2001-01-01T00-00-00Z")).Status);
        Assert.Single((await ListAsync(lab)).EnumerateArray());
        Assert.Equal(0, (await ImapsyncAsync(lab, "snapshots", "alice", "--forget", name)).Status);
        Assert.Empty((await ListAsync(lab)).EnumerateArray());
        Assert.Equal("0", (await Command.RunAsync("sh", ["-c", $"find '{lab.TargetDirectory}' -type f -links +1 | wc -l"])).Trim());
    }

    /// <summary>
    /// A message that another program put into the backup has no recorded UID. The UID that a snapshot assigns to it never changes or
    /// refers to another message.
    /// </summary>
    [Fact]
    public async Task What_a_snapshot_holds_of_others_keeps_its_identifier()
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 20 });
        await lab.SucceedAsync();
        lab.Rules = "snapshots: { daily: 7 }";
        await File.WriteAllTextAsync(Path.Combine(lab.TargetDirectory, "new", "1700000000.other.host"), "Subject: put there by another\n\ntext\n", TestContext.Current.CancellationToken);
        await lab.SucceedAsync();
        await File.WriteAllTextAsync(Path.Combine(lab.TargetDirectory, "new", "1700000001.other.host"), "Subject: later\n\ntext\n", TestContext.Current.CancellationToken);

        var then = (await ImapsyncAsync(lab, "find", "alice", "another", "--at", "latest", "--output", "ids")).Output.Trim();
        var now = (await ImapsyncAsync(lab, "find", "alice", "later", "--output", "ids")).Output.Trim();
        Assert.NotEqual("", then);
        Assert.NotEqual(then, now);
        Assert.Equal(then, (await ImapsyncAsync(lab, "find", "alice", "another", "--at", "latest", "--output", "ids")).Output.Trim());
        Assert.Contains("put there by another", (await ImapsyncAsync(lab, "show", "alice", then, "--at", "latest")).Output, StringComparison.Ordinal);
        var restored = await ImapsyncAsync(lab, "restore", "alice", "--id", then, "--at", "latest", "--to", $"maildir:{lab.Dir["restored"]}");
        Assert.Equal(2, restored.Status);
    }

    private static async Task<JsonElement> ListAsync(BackupLab lab)
    {
        var listed = await ImapsyncAsync(lab, "snapshots", "alice", "--output", "json");
        Assert.True(listed.Status == 0, listed.ToString());
        return JsonDocument.Parse(listed.Output).RootElement.GetProperty("snapshots");
    }

    private static async Task<ImapsyncResult> ImapsyncAsync(BackupLab lab, string command, params string[] arguments)
    {
        await using var process = ImapsyncProcess.Start(lab.Dir.Create("home"), [command, lab.JobFile, .. arguments], lab.Environment);
        return await process.WaitAsync();
    }
}
