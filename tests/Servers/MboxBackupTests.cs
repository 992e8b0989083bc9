using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Backups of the big mailbox into mbox files.</summary>
public sealed class MboxBackupTests(BigMailbox mailbox)
{
    [Fact]
    public async Task Octets_flags_keywords_dates_and_subscriptions_of_20_000_messages_arrive()
    {
        var source = await mailbox.ReadyAsync();
        await using var lab = BackupLab.On(source.Server);
        lab.Target = "mbox:" + lab.TargetDirectory;
        var first = await lab.SucceedAsync();
        Assert.Equal(source.Expected.MessageCount, first.Total("copied"));
        first.AddsUp();
        BackupLab.Same(source.Expected, await StoreReader.ReadMboxAsync(lab.TargetDirectory));

        lab.Line.Forget();
        var second = await lab.SucceedAsync();
        Assert.Equal(0, second.Total("copied"));
        Assert.DoesNotContain(lab.Line.Commands, c => c.StartsWith("EXAMINE", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Messages that mboxrd can't represent exactly, such as one without a line end after its last line.</summary>
    private static readonly string[] BeyondMboxrd =
        ["no final newline", "one octet", "no empty line", "no header", "one newline", "status headers", "folder data"];

    [Fact]
    public async Task A_reader_of_mboxrd_that_knows_nothing_of_this_program_finds_the_same_octets()
    {
        await using var lab = await BackupLab.StartAsync(mailbox =>
        {
            var number = 0;
            foreach (var (_, octets) in AwkwardMail.Messages().Where(m => !BeyondMboxrd.Contains(m.Name)))
                mailbox.Add(number++ % 2 == 0 ? "INBOX" : "Projects/Résumé", octets, MailGenerator.Date(number), "FS");
            for (; number < 300; number++)
                mailbox.Add("Work", MailGenerator.Message(number), MailGenerator.Date(number), "Sab");
        });
        lab.Target = "mbox:" + lab.TargetDirectory;
        await lab.SucceedAsync();

        var expected = (await lab.SourceAsync()).Folders.Values.SelectMany(f => f.Messages).Select(m => m.Digest);
        Assert.Equal(expected.Order(StringComparer.Ordinal), MboxrdReader.Digests(lab.TargetDirectory).Order(StringComparer.Ordinal));
    }
}
