using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>From one Dovecot to another.</summary>
public sealed class MigrationTests(BigMailbox mailbox)
{
    /// <summary>Dovecot's capabilities; each test removes some.</summary>
    private const string Plain = "IMAP4rev1 SASL-IR ID ENABLE NAMESPACE LIST-EXTENDED LIST-STATUS SPECIAL-USE CONDSTORE UNSELECT CHILDREN";

    [Fact]
    public async Task Octets_flags_keywords_dates_and_subscriptions_of_20_000_messages_arrive_and_a_second_run_does_nothing()
    {
        var source = await mailbox.ReadyAsync();
        await using var lab = await MigrationLab.WithDovecotAsync(BackupLab.On(source.Server));

        var first = await lab.SucceedAsync();
        Assert.Equal(source.Expected.MessageCount, first.Total("copied"));
        first.AddsUp();
        BackupLab.Same(source.Expected, await lab.TargetAsync());
        // Copying one message at a time would take more than 20,000 round trips on either side.
        var turns = lab.TargetLine.Connections.Sum(c => c.Turns);
        Assert.True(turns < 3000, $"{turns} round trips at the target");

        lab.Forget();
        var second = await lab.SucceedAsync();
        Assert.Equal(0, second.Total("copied"));
        Assert.Equal(source.Expected.MessageCount, second.Total("already_present"));
        second.AddsUp();
        Assert.Empty(lab.FoldersOpened);
    }

    [Theory]
    [InlineData("MULTIAPPEND", "UIDPLUS")]
    [InlineData("MULTIAPPEND", "LITERAL+")]
    [InlineData("LITERAL+", "UIDPLUS")]
    [InlineData("LITERAL-", "UIDPLUS", "MULTIAPPEND")]
    [InlineData]
    public async Task A_target_gets_the_same_mail_whatever_it_offers(params string[] capabilities)
    {
        await using var lab = await MigrationLab.StartAsync(
            new MailboxPlan { Messages = 400, AwkwardNames = true, AwkwardMessages = true },
            new DovecotOptions { Capability = string.Join(' ', capabilities.Prepend(Plain)) });

        var first = await lab.SucceedAsync();
        Assert.Equal(first.Total("source_messages"), first.Total("copied"));
        first.AddsUp();
        await lab.TargetEqualsSourceAsync();

        lab.Forget();
        var second = await lab.SucceedAsync();
        Assert.Equal(0, second.Total("copied"));
        Assert.Empty(lab.FoldersOpened);

        // Even without any state, the run recognises that every message is already at the target.
        Directory.Delete(lab.Job.StateDirectory, recursive: true);
        var third = await lab.SucceedAsync();
        Assert.Equal(0, third.Total("copied"));
        await lab.TargetEqualsSourceAsync();
    }

    [Fact]
    public async Task An_independent_client_sees_the_same_mail_at_the_target_as_at_the_source()
    {
        await using var lab = await MigrationLab.StartAsync(new MailboxPlan { Messages = 400, AwkwardNames = true, AwkwardMessages = true });
        await lab.SucceedAsync();

        var source = await MailKitReader.ReadAsync(lab.Job.Server.Port, "alice", lab.Job.Server.Password);
        Assert.Equal((await lab.Job.SourceAsync()).MessageCount, source.MessageCount);
        BackupLab.Same(source, await MailKitReader.ReadAsync(lab.Server.Port, lab.User, lab.Password));
    }

    [Fact]
    public async Task Nothing_is_sent_that_the_target_did_not_announce()
    {
        await using var lab = await MigrationLab.StartAsync(new MailboxPlan { Messages = 60 }, new DovecotOptions { Capability = "IMAP4rev1" });
        await lab.SucceedAsync();
        await lab.TargetEqualsSourceAsync();

        var appends = lab.TargetLine.Commands.Where(c => c.StartsWith("APPEND", StringComparison.Ordinal)).ToList();
        Assert.Equal(60, appends.Count);
        Assert.DoesNotContain(appends, c => c.EndsWith("+}", StringComparison.Ordinal));
        Assert.DoesNotContain(lab.TargetLine.Commands, c => c.Contains("RETURN", StringComparison.Ordinal) && c.StartsWith("LIST", StringComparison.Ordinal));
    }
}
