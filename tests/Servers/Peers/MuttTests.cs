using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Peers;

/// <summary>A real mutt opens a backup, flags mail and saves, which rewrites an mbox and all headers in it.</summary>
public sealed class MuttTests
{
    private const int Messages = 6;

    [Theory]
    [InlineData("maildir:", "")]
    [InlineData("mbox:", "INBOX")]
    public async Task A_backup_that_mutt_flagged_mail_in_goes_on_as_before(string scheme, string file)
    {
        await using var lab = await AccountAsync();
        lab.Target = scheme + lab.TargetDirectory;
        lab.Rules = "deletions: mirror\nflags: follow";
        await lab.SucceedAsync();

        await PeerProgram.MuttAsync(lab, Path.Combine(lab.TargetDirectory, file), "<first-entry><flag-message><next-entry><flag-message>");
        var flagged = await TargetAsync(lab);
        Assert.Equal(2, flagged.Count(m => m.Flags.Contains("\\Flagged", StringComparison.Ordinal)));
        Assert.Equal(await ExpectedAsync(lab), Digests(flagged));
        await NothingToDoAsync(lab);

        // Later changes of flags and deletions at the source must still reach the messages that mutt rewrote.
        await using (var probe = await lab.ConnectAsync())
        {
            await probe.CommandAsync("SELECT INBOX");
            await probe.CommandAsync("STORE 3 +FLAGS (\\Answered)");
            await probe.CommandAsync("STORE 5 +FLAGS (\\Deleted)");
            await probe.CommandAsync("EXPUNGE");
            await probe.AppendAsync("INBOX", MailGenerator.Message(77), "\\Seen");
        }

        var followed = await lab.SucceedAsync();
        Assert.Equal(1, followed.Total("copied"));
        followed.AddsUp();
        var after = await TargetAsync(lab);
        Assert.Equal(await ExpectedAsync(lab), Digests(after));
        Assert.Equal(Messages, after.Count);
        Assert.Equal(2, after.Count(m => m.Flags.Contains("\\Flagged", StringComparison.Ordinal)));
        Assert.Single(after, m => m.Flags.Contains("\\Answered", StringComparison.Ordinal));

        await PeerProgram.MuttAsync(lab, Path.Combine(lab.TargetDirectory, file), "<last-entry><flag-message>");
        await NothingToDoAsync(lab);
    }

    [Theory]
    [InlineData("maildir:", "")]
    [InlineData("mbox:", "INBOX")]
    public async Task Mail_that_mutt_keeps_is_copied_once_and_changes_no_octet_on_the_way(string scheme, string file)
    {
        await using var lab = await AccountAsync();
        var kept = lab.Dir["kept"];
        lab.Target = scheme + kept;
        lab.StateName = "state-kept";
        await lab.SucceedAsync();
        var account = await SourceDigestsAsync(lab);
        await PeerProgram.MuttAsync(lab, Path.Combine(kept, file), "<first-entry><flag-message>");
        // Remove the files that imapsync wrote for itself and for Dovecot, so that only mutt's mail is left.
        foreach (var own in Directory.EnumerateFiles(kept, ".*").Concat(Directory.EnumerateFiles(kept, "dovecot*")))
            File.Delete(own);

        (lab.Endpoint, lab.Target, lab.StateName) = ("url: " + scheme + kept, "maildir:" + lab.TargetDirectory, "state");
        var first = await lab.SucceedAsync();
        Assert.Equal(Messages, first.Total("copied"));
        first.AddsUp();
        var arrived = MaildirReader.Read(lab.TargetDirectory).Folders["INBOX"].Messages;
        Assert.Equal(file.Length == 0 ? account : MboxrdReader.Digests(kept).Order(StringComparer.Ordinal), Digests(arrived));
        Assert.Single(arrived, m => m.Flags.Contains("\\Flagged", StringComparison.Ordinal));

        await PeerProgram.MuttAsync(lab, Path.Combine(kept, file), "<last-entry><flag-message>");
        await NothingToDoAsync(lab);
    }

    private static async Task NothingToDoAsync(BackupLab lab)
    {
        var again = await lab.SucceedAsync();
        Assert.Equal(0, again.Total("copied"));
        Assert.Equal(Messages, again.Total("already_present"));
        again.AddsUp();
        var verified = await lab.VerifyAsync();
        Assert.True(verified.Status == 0, verified.ToString());
    }

    private static Task<BackupLab> AccountAsync() => BackupLab.StartAsync(mailbox =>
    {
        for (var number = 0; number < Messages; number++)
            mailbox.Add("INBOX", MailGenerator.Message(number), MailGenerator.Date(number), "S");
    });

    private static async Task<IReadOnlyList<SnapshotMessage>> TargetAsync(BackupLab lab) => lab.Target.StartsWith("mbox:", StringComparison.Ordinal)
        ? (await StoreReader.ReadMboxAsync(lab.TargetDirectory)).Folders["INBOX"].Messages
        : MaildirReader.Read(lab.TargetDirectory).Folders["INBOX"].Messages;

    private static async Task<IEnumerable<string>> SourceDigestsAsync(BackupLab lab) => Digests((await lab.SourceAsync()).Folders["INBOX"].Messages);

    /// <summary>
    /// The digests expected in the backup. For an mbox they are computed from the file, by a reader without the product's code, because
    /// mutt adds a field Lines to every header.
    /// </summary>
    private static async Task<IEnumerable<string>> ExpectedAsync(BackupLab lab) => lab.Target.StartsWith("mbox:", StringComparison.Ordinal)
        ? MboxrdReader.Digests(lab.TargetDirectory).Order(StringComparer.Ordinal)
        : await SourceDigestsAsync(lab);

    private static IEnumerable<string> Digests(IEnumerable<SnapshotMessage> messages) => messages.Select(m => m.Digest).Order(StringComparer.Ordinal);
}
