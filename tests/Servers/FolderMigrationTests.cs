using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Moves folders from a server with folders at the top level to one that keeps all folders below <c>INBOX.</c>.</summary>
public sealed class FolderMigrationTests
{
    private const string Acl = "mail_plugins = acl\nplugin {\n  acl = vfile\n}\n";

    [Fact]
    public async Task Names_uses_subscriptions_rights_and_renames_arrive_below_a_prefix()
    {
        using var dir = new TempDir();
        await using var target = await DovecotServer.StartAsync(dir["target"], new DovecotOptions
        {
            Plugins = "acl imap_acl",
            Extra = Acl + "namespace inbox {\n  separator = .\n  prefix = INBOX.\n  mailbox Junk {\n    auto = create\n    special_use = \\Junk\n  }\n}\n",
        });
        await using var source = await DovecotServer.StartAsync(dir["server"], new DovecotOptions { Plugins = "acl imap_acl", Extra = Acl });
        await using var lab = BackupLab.On(source);
        lab.Target = $"imap://alice@127.0.0.1:{target.Port}\n      tls: none\n      password_env: {BackupLab.PasswordVariable}";
        lab.Rules = "acl: copy\nacl_map: { bob: bob@example.org }";
        string[] folders = ["INBOX", "A", "A/b", "A/b/c", "Spamverdacht", "Work", "work", "percent%20", "Entw&APw-rfe"];
        await using (var probe = await lab.ConnectAsync())
        {
            for (var i = 0; i < folders.Length; i++)
            {
                if (i > 0)
                    await probe.CommandAsync($"CREATE \"{folders[i]}\"");
                await probe.CommandAsync($"SELECT \"{folders[i]}\"");
                await probe.AppendAsync(folders[i].Replace("&APw-", "ü", StringComparison.Ordinal), MailGenerator.Message(i), "", MailGenerator.Date(i));
            }

            await probe.CommandAsync("SUBSCRIBE A/b");
            await probe.CommandAsync("SETACL A bob lrs");
        }

        var first = await lab.SucceedAsync();
        Assert.Equal(folders.Length, first.Total("copied"));
        Assert.Equal(
            ["INBOX", "INBOX.A", "INBOX.A.b", "INBOX.A.b.c", "INBOX.Entwürfe", "INBOX.Junk", "INBOX.Work", "INBOX.percent%20", "INBOX.work"],
            (await ListAsync(target)).Select(f => f.Name));
        Assert.Equal(["INBOX.A.b"], (await ListAsync(target)).Where(f => f.Subscribed).Select(f => f.Name));
        await using (var probe = await ImapProbe.ConnectAsync(target, "alice"))
        {
            Assert.Single(await probe.FetchAsync("INBOX.Junk"));
            Assert.Contains(await probe.CommandAsync("GETACL INBOX.A"), r => r.ToString().Contains("bob@example.org", StringComparison.Ordinal));
        }

        Assert.Equal(0, (await lab.SucceedAsync()).Total("copied"));
        await using (var probe = await lab.ConnectAsync())
            await probe.CommandAsync("RENAME A Z");
        var third = await lab.SucceedAsync();
        Assert.Equal(0, third.Total("copied"));
        Assert.Equal(
            ["INBOX", "INBOX.Entwürfe", "INBOX.Junk", "INBOX.Work", "INBOX.Z", "INBOX.Z.b", "INBOX.Z.b.c", "INBOX.percent%20", "INBOX.work"],
            (await ListAsync(target)).Select(f => f.Name));
        var last = await lab.SucceedAsync();
        Assert.Equal((0, folders.Length), (last.Total("copied"), last.Total("already_present")));
    }

    private static async Task<IReadOnlyList<(string Name, bool Subscribed)>> ListAsync(DovecotServer server)
    {
        await using var probe = await ImapProbe.ConnectAsync(server, "alice");
        return [.. (await probe.ListAsync()).OrderBy(f => f.Name, StringComparer.Ordinal)];
    }
}
