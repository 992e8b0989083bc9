using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>People already work at the target while the job still copies changes from the source.</summary>
public sealed class CutOverTests
{
    [Theory]
    [InlineData("")]
    [InlineData("IMAP4rev1 NAMESPACE LIST-EXTENDED LIST-STATUS")]
    public async Task Flags_of_both_sides_merge_and_mail_deleted_at_the_target_stays_deleted(string capabilities)
    {
        await using var lab = await MigrationLab.StartAsync(
            mailbox =>
            {
                for (var i = 0; i < 12; i++)
                    mailbox.Add("INBOX", MailGenerator.Message(i), MailGenerator.Date(i), "F");
            },
            new DovecotOptions { Capability = capabilities.Length == 0 ? null : capabilities });
        await lab.SucceedAsync();

        await using (var source = await lab.Job.ConnectAsync())
        await using (var target = await lab.ConnectAsync())
        {
            await source.CommandAsync("SELECT INBOX");
            await target.CommandAsync("SELECT INBOX");
            // Flag changes by message: (1) at the target only; (2) at the source only; (3) differently on both sides; (4) equally on both
            // sides; (5) one flag cleared at the source, another set at the target.
            await target.CommandAsync("UID STORE 1 +FLAGS (\\Seen todo)");
            await target.CommandAsync("UID STORE 1 -FLAGS (\\Flagged)");
            await source.CommandAsync("UID STORE 2 +FLAGS (\\Answered work)");
            await source.CommandAsync("UID STORE 2 -FLAGS (\\Flagged)");
            await source.CommandAsync("UID STORE 3 +FLAGS (\\Seen)");
            await target.CommandAsync("UID STORE 3 +FLAGS (\\Answered)");
            await source.CommandAsync("UID STORE 4 +FLAGS (\\Seen)");
            await target.CommandAsync("UID STORE 4 +FLAGS (\\Seen)");
            await source.CommandAsync("UID STORE 5 -FLAGS (\\Flagged)");
            await target.CommandAsync("UID STORE 5 +FLAGS (\\Seen)");
            await target.CommandAsync("UID STORE 6:7 +FLAGS (\\Deleted)");
            await target.CommandAsync("EXPUNGE");
            await source.CommandAsync("UID STORE 7 +FLAGS (\\Seen)");
            await source.AppendAsync("INBOX", MailGenerator.Message(100), "", MailGenerator.Date(100));
            await target.AppendAsync("INBOX", MailGenerator.Message(200), "", MailGenerator.Date(200));
        }

        for (var run = 1; run <= 2; run++)
        {
            var next = await lab.SucceedAsync();
            Assert.Equal(run == 1 ? 1 : 0, next.Total("copied"));
            await using var probe = await lab.ConnectAsync();
            var flags = (await probe.FetchAsync("INBOX")).ToDictionary(m => m.Uid, m => m.Message.Flags);
            Assert.Equal("\\Seen todo", flags[1]);
            Assert.Equal("\\Answered work", flags[2]);
            Assert.Equal("\\Answered \\Flagged \\Seen", flags[3]);
            Assert.Equal("\\Flagged \\Seen", flags[4]);
            Assert.Equal("\\Seen", flags[5]);
            Assert.False(flags.ContainsKey(6) || flags.ContainsKey(7));
            Assert.Equal(12, flags.Count);
        }
    }

    [Theory]
    [InlineData("UIDPLUS MOVE", true)]
    [InlineData("UIDPLUS", true)]
    [InlineData("", false)]
    public async Task Mirror_removes_what_vanished_and_never_what_others_marked(string capabilities, bool canRemove)
    {
        await using var lab = await MigrationLab.StartAsync(Twenty, Offering(capabilities));
        lab.Job.Rules = "deletions: mirror";
        await lab.SucceedAsync();
        await MarkAndExpungeAsync(lab);

        var second = await lab.RunAsync();

        Assert.True(second.Status == (canRemove ? 0 : 3), second.ToString());
        Assert.Equal(canRemove ? 3 : 0, second.Total("deleted"));
        await using var probe = await lab.ConnectAsync();
        var uids = (await probe.FetchAsync("INBOX")).Select(m => m.Uid).ToList();
        Assert.Equal(canRemove ? [1, 2, 6, 7, 8, 9, 10] : Enumerable.Range(1, 10).Select(i => (uint)i), uids);
        Assert.DoesNotContain("EXPUNGE", lab.TargetLine.Commands);
        Assert.DoesNotContain("CLOSE", lab.TargetLine.Commands);
    }

    [Theory]
    [InlineData("UIDPLUS MOVE")]
    [InlineData("UIDPLUS")]
    [InlineData("MOVE")]
    public async Task Trash_moves_what_vanished_into_a_folder_of_the_target(string capabilities)
    {
        await using var lab = await MigrationLab.StartAsync(Twenty, Offering(capabilities));
        lab.Job.Rules = "deletions: trash";
        await lab.SucceedAsync();
        var before = (await lab.TargetAsync()).Folders["INBOX"].Messages;
        await MarkAndExpungeAsync(lab);

        var second = await lab.SucceedAsync();

        Assert.Equal(3, second.Total("deleted"));
        var after = await lab.TargetAsync();
        Assert.Equal(7, after.Folders["INBOX"].Messages.Count);
        var kept = after.Folders["Removed"].Messages;
        Assert.Equal(3, kept.Count);
        Assert.All(kept, m => Assert.Contains(before, b => b.Digest == m.Digest && b.InternalDate == m.InternalDate));
        Assert.DoesNotContain("EXPUNGE", lab.TargetLine.Commands);
    }

    [Theory]
    [InlineData("STORE")]
    [InlineData("EXPUNGE")]
    public async Task What_was_copied_to_the_trash_folder_and_not_removed_yet_lies_there_once_in_the_end(string refused)
    {
        await using var lab = await MigrationLab.StartAsync(Twenty, Offering("UIDPLUS"));
        lab.Job.Rules = "deletions: trash";
        await lab.SucceedAsync();
        await MarkAndExpungeAsync(lab);
        lab.TargetLine.Rules = new FaultRules
        {
            AnswerInstead = (_, line) => line.Contains($"UID {refused} ", StringComparison.Ordinal) ? "NO not now" : null,
        };
        var second = await lab.RunAsync();
        Assert.True(second.Status == 3, second.ToString());
        Assert.Equal(3, (await lab.TargetAsync()).Folders["Removed"].Messages.Count);

        lab.TargetLine.Rules = new FaultRules();
        var third = await lab.SucceedAsync();

        Assert.Equal(3, third.Total("deleted"));
        var after = await lab.TargetAsync();
        Assert.Equal((7, 3), (after.Folders["INBOX"].Messages.Count, after.Folders["Removed"].Messages.Count));
    }

    [Fact]
    public async Task An_account_that_is_suddenly_empty_removes_nothing_and_ends_with_13()
    {
        await using var lab = await MigrationLab.StartAsync(Twenty);
        lab.Job.Rules = "deletions: mirror\ndeletion_limit: 100%";
        await lab.SucceedAsync();
        await using (var probe = await lab.Job.ConnectAsync())
        {
            await probe.CommandAsync("DELETE Work");
            await probe.CommandAsync("SELECT INBOX");
            await probe.CommandAsync("UID STORE 1:* +FLAGS.SILENT (\\Deleted)");
            await probe.CommandAsync("EXPUNGE");
        }

        var second = await lab.RunAsync();

        Assert.True(second.Status == 13, second.ToString());
        Assert.Equal(20, (await lab.TargetAsync()).MessageCount);
    }

    private static void Twenty(MaildirWriter mailbox)
    {
        for (var i = 0; i < 20; i++)
            mailbox.Add(i < 10 ? "INBOX" : "Work", MailGenerator.Message(i), MailGenerator.Date(i), "S");
    }

    private static DovecotOptions Offering(string capabilities) =>
        new() { Capability = "IMAP4rev1 NAMESPACE LIST-EXTENDED LIST-STATUS CONDSTORE " + capabilities };

    /// <summary>
    /// At the target, a user marks one message as deleted without expunging it. At the source, three other messages are expunged.
    /// </summary>
    private static async Task MarkAndExpungeAsync(MigrationLab lab)
    {
        await using (var target = await lab.ConnectAsync())
        {
            await target.CommandAsync("SELECT INBOX");
            await target.CommandAsync("UID STORE 8 +FLAGS.SILENT (\\Deleted)");
        }

        await using var source = await lab.Job.ConnectAsync();
        await source.CommandAsync("SELECT INBOX");
        await source.CommandAsync("UID STORE 3:5 +FLAGS.SILENT (\\Deleted)");
        await source.CommandAsync("UID EXPUNGE 3:5");
        lab.Forget();
    }
}
