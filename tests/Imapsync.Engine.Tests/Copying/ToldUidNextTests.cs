using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// The server's reported UIDNEXT is always too low. A run must not take this for a folder restored from an older copy: it does not match
/// all messages again, and removes as usual.
/// </summary>
public sealed class ToldUidNextTests
{
    [Fact]
    public async Task A_number_that_the_folder_itself_contradicts_counts_as_not_told()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 60; round++)
        {
            using var box = new MailboxFixture();
            box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
            box.Source.HasModSeq = random.Next(2) == 0;
            box.Target.HasModSeq = random.Next(2) == 0;
            var (source, target) = (box.Source.Folder("INBOX"), box.Target.Folder("INBOX"));
            var (liesAtSource, liesAtTarget) = random.Next(3) switch { 0 => (true, false), 1 => (false, true), _ => (true, true) };
            var told = (uint)random.Next(1, 4);
            var count = 0;
            for (var n = random.Next(3, 8); n > 0; n--)
                source.Add(MailboxFixture.Mail($"m{++count}"));
            for (var night = 0; night < 5; night++)
            {
                source.ToldUidNext = liesAtSource ? told : null;
                target.ToldUidNext = liesAtTarget ? told : null;
                var report = await box.RunAsync();
                var at = $"seed {seed}, round {round}, night {night}";
                Assert.True(report.Outcome == JobOutcome.Ok, $"{at}: {report.Outcome}");
                Assert.True(night == 0 || report.Totals.Adopted == 0, $"{at}: adopted {report.Totals.Adopted}: {string.Join("; ", report.Notes)}");
                Assert.True(Subjects(source).SequenceEqual(Subjects(target)), $"{at}: {string.Join(",", Subjects(source))} / {string.Join(",", Subjects(target))}: {string.Join("; ", report.Notes)}");
                for (var n = random.Next(0, 3); n > 0; n--)
                    source.Add(MailboxFixture.Mail($"m{++count}"));
                for (var n = random.Next(0, 3); n > 0 && source.Messages.Count > 1; n--)
                    source.Remove(source.Messages[random.Next(source.Messages.Count - 1)].Uid);
            }
        }
    }

    [Fact]
    public async Task A_folder_put_back_is_still_noticed_when_mail_arrives_as_it_is_opened()
    {
        using var box = new MailboxFixture();
        box.Source.HasModSeq = box.Target.HasModSeq = false;
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        var source = box.Source.Folder("INBOX");
        for (var n = 1; n <= 4; n++)
            source.Add(MailboxFixture.Mail($"m{n}"));
        var putBack = source.BackUp();
        source.Add(MailboxFixture.Mail("m5"));
        source.Add(MailboxFixture.Mail("m6"));
        await box.RunAsync();
        putBack();
        // Two new messages arrive between the opening and the listing of the folder. They get the UIDs of the messages that the restore
        // lost.
        var arrived = false;
        box.Source.OnStep = step =>
        {
            if (arrived || step != "listing INBOX")
                return;
            arrived = true;
            source.Add(MailboxFixture.Mail("other5"));
            source.Add(MailboxFixture.Mail("other6"));
        };

        var report = await box.RunAsync();

        Assert.Contains(report.Notes, n => n.Contains("UIDNEXT at the source went back from 7 to 5", StringComparison.Ordinal));
        Assert.Empty(Subjects(source).Except(Subjects(box.Target.Folder("INBOX"))));
    }

    /// <summary>
    /// Opening the folder no longer reports a UIDNEXT, but STATUS does. STATUS shows that the store was restored from an older copy.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_number_that_opening_the_folder_no_longer_tells_is_asked_for(bool atSource)
    {
        using var box = new MailboxFixture();
        box.Source.HasModSeq = box.Target.HasModSeq = false;
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        var (source, target) = (box.Source.Folder("INBOX"), box.Target.Folder("INBOX"));
        var changed = atSource ? source : target;
        source.Add(MailboxFixture.Mail("m1"));
        await box.RunAsync();
        var putBack = changed.BackUp();
        for (var n = 2; n <= 4; n++)
            source.Add(MailboxFixture.Mail($"m{n}"));
        await box.RunAsync();
        putBack();
        changed.OpensWithUidNext = false;
        source.Add(MailboxFixture.Mail("late"));

        var report = await box.RunAsync();

        Assert.Contains(report.Notes, n => n.Contains($"UIDNEXT at the {(atSource ? "source" : "target")} went back", StringComparison.Ordinal));
        Assert.Empty(Subjects(source).Except(Subjects(target)));
    }

    /// <summary>If the server does not report UIDNEXT at all, mail is copied nevertheless.</summary>
    [Fact]
    public async Task A_number_that_nobody_tells_does_not_keep_mail_from_being_copied()
    {
        using var box = new MailboxFixture();
        var (source, target) = (box.Source.Folder("INBOX"), box.Target.Folder("INBOX"));
        source.Add(MailboxFixture.Mail("m1"));
        await box.RunAsync();
        source.OpensWithUidNext = target.OpensWithUidNext = false;
        box.Source.AnswersStatus = box.Target.AnswersStatus = false;
        source.Add(MailboxFixture.Mail("m2"));

        var report = await box.RunAsync();

        Assert.Equal((JobOutcome.Ok, 1), (report.Outcome, report.Totals.Copied));
        Assert.Equal(Subjects(source), Subjects(target));
    }

    private static IEnumerable<string> Subjects(MemoryFolderState folder) =>
        folder.Messages.Select(m => System.Text.Encoding.Latin1.GetString(m.Octets).Split("Subject: ")[1].Split('\r')[0]).Order(StringComparer.Ordinal);
}
