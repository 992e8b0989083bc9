using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>A target that refuses some messages, and a source that can't list what it holds.</summary>
public sealed class RefusalTests
{
    private const string Capabilities = "IMAP4rev1 NAMESPACE LIST-EXTENDED LIST-STATUS CONDSTORE UIDPLUS LITERAL+ ";

    [Theory]
    [InlineData("MULTIAPPEND")]
    [InlineData("")]
    public async Task One_refused_message_is_listed_with_the_servers_words_and_the_others_arrive(string capability)
    {
        await using var lab = await MigrationLab.StartAsync(
            mailbox =>
            {
                for (var i = 0; i < 20; i++)
                    mailbox.Add("INBOX", MailGenerator.Message(i, i == 10 ? 300_000 : 2000), MailGenerator.Date(i), "Sa");
            },
            WithQuota("quota_max_mail_size = 100K", capability));

        for (var run = 1; run <= 2; run++)
        {
            var outcome = await lab.RunAsync();
            Assert.True(outcome.Status == 3, outcome.ToString());
            Assert.Equal(run == 1 ? 19 : 0, outcome.Total("copied"));
            Assert.Equal(1, outcome.Total("failed"));
            outcome.AddsUp();
            var problem = Assert.Single(outcome.Job.GetProperty("problems").EnumerateArray());
            Assert.Equal(("message", 11u), (problem.GetProperty("scope").GetString(), problem.GetProperty("uid").GetUInt32()));
            Assert.Contains("[LIMIT] Mail size is larger", problem.GetProperty("text").GetString(), StringComparison.OrdinalIgnoreCase);
            Assert.Equal(19, (await lab.TargetAsync()).MessageCount);
        }

        await lab.Server.RestartAsync(options: lab.Server.Options with { Extra = "" });
        Assert.Equal(1, (await lab.SucceedAsync()).Total("copied"));
        await lab.TargetEqualsSourceAsync();
    }

    [Theory]
    [InlineData("MULTIAPPEND")]
    [InlineData("")]
    public async Task Over_quota_it_stops_and_resumes_when_there_is_room(string capability)
    {
        await using var lab = await MigrationLab.StartAsync(
            mailbox =>
            {
                for (var i = 0; i < 60; i++)
                    mailbox.Add(i < 20 ? "INBOX" : "Work", MailGenerator.Message(i, 10_000), MailGenerator.Date(i), "S");
            },
            WithQuota("quota_rule = *:storage=300K", capability));

        var stopped = await lab.RunAsync();

        Assert.True(stopped.Status is 1 or 3, stopped.ToString());
        Assert.Contains("quota", stopped.Everything, StringComparison.OrdinalIgnoreCase);
        var held = (await lab.TargetAsync()).MessageCount;
        // The exact number of stored messages varies, because two concurrent sessions may exceed the quota by one message.
        Assert.InRange(held, 20, 59);
        stopped.AddsUp();

        await lab.Server.RestartAsync(options: lab.Server.Options with { Extra = "" });
        var resumed = await lab.SucceedAsync();
        Assert.Equal(60 - held, resumed.Total("copied"));
        await lab.TargetEqualsSourceAsync();
    }

    [Theory]
    [InlineData("FETCH")]
    [InlineData("EXAMINE")]
    public async Task A_folder_that_the_source_fails_to_list_loses_nothing_and_is_named(string command)
    {
        await using var lab = await MigrationLab.StartAsync(
            mailbox =>
            {
                for (var i = 0; i < 40; i++)
                    mailbox.Add(i < 20 ? "INBOX" : "Work", MailGenerator.Message(i), MailGenerator.Date(i), "S");
            });
        lab.Job.Rules = "deletions: mirror\ndeletion_limit: 100%";
        await lab.SucceedAsync();
        await using (var probe = await lab.Job.ConnectAsync())
        {
            foreach (var folder in (string[])["INBOX", "Work"])
            {
                await probe.CommandAsync("SELECT " + folder);
                await probe.CommandAsync("UID STORE 1:2 +FLAGS.SILENT (\\Deleted)");
                await probe.CommandAsync("UID EXPUNGE 1:2");
                await probe.CommandAsync("UID STORE 3 +FLAGS (\\Flagged)");
            }
        }

        lab.Job.Line.Rules = new FaultRules
        {
            AnswerInstead = (connection, line) => line.Contains(command, StringComparison.Ordinal)
                && (line.Contains("Work", StringComparison.Ordinal) || (command == "FETCH" && connection.SelectedFolder == "Work"))
                    ? "NO [SERVERBUG] Internal error occurred"
                    : null,
        };
        var second = await lab.RunAsync();

        Assert.True(second.Status == 3, second.ToString());
        // A message gone from INBOX may be in Work, which can't be read now. So its copy must stay at the target.
        Assert.Equal(0, second.Total("deleted"));
        var target = await lab.TargetAsync();
        Assert.Equal((20, 20), (target.Folders["INBOX"].Messages.Count, target.Folders["Work"].Messages.Count));
        Assert.Contains(second.Job.GetProperty("problems").EnumerateArray(), p => p.GetProperty("folder").GetString() == "Work"
            && p.GetProperty("text").GetString()!.Contains("Internal error", StringComparison.Ordinal));
        second.AddsUp();

        lab.Job.Line.Rules = new FaultRules();
        await lab.SucceedAsync();
        await lab.TargetEqualsSourceAsync();
    }

    private static DovecotOptions WithQuota(string rule, string capability) => new()
    {
        Plugins = "quota",
        Capability = Capabilities + capability,
        Extra = $"plugin {{\n  quota = maildir:User quota\n  {rule}\n}}",
    };
}
