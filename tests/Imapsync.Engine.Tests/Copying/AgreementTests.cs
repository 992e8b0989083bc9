using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Tests.State;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>After a run, the job's recorded state agrees with the mailboxes: flags, counts, deleted folders and the trash folder.</summary>
public sealed class AgreementTests
{
    private static readonly DeletionLimit NoLimit = new(100, IsPercent: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_change_of_flags_that_both_sides_made_is_the_new_base(bool hasModSeq)
    {
        using var box = new MailboxFixture();
        box.Source.HasModSeq = box.Target.HasModSeq = hasModSeq;
        box.Job = box.Job with { Flags = FlagPolicy.Exact };
        var (source, target) = (box.Source.Folder("INBOX"), box.Target.Folder("INBOX"));
        source.Add(MailboxFixture.Mail("m"), "\\Seen");
        await box.RunAsync();
        source.SetFlags(1, "\\Flagged");
        target.SetFlags(1, "\\Flagged");
        for (var time = 0; time < 2; time++)
        {
            Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
            Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(box.Target));
            // Add a message, since a run compares a pair of folders again only if something in it has changed.
            source.Add(MailboxFixture.Mail($"n{time}"));
        }

        target.SetFlags(1, "\\Seen");
        await box.RunAsync();
        Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(box.Target));
    }

    [Fact]
    public async Task A_message_that_came_back_with_other_flags_is_no_longer_vanished()
    {
        using var box = new MailboxFixture();
        var source = box.Source.Folder("INBOX");
        source.Add(MailboxFixture.Mail("a"));
        source.Add(MailboxFixture.Mail("b"));
        await box.RunAsync();
        var gone = source.Messages[1];
        source.Remove(2);
        await box.RunAsync();
        source.Messages.Add(gone);
        source.SetFlags(2, "\\Flagged");
        await box.RunAsync();
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = NoLimit };
        source.SetFlags(1, "\\Seen");
        await box.RunAsync();
        Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(box.Target));
    }

    [Fact]
    public async Task Mail_expunged_between_two_tries_leaves_counts_that_add_up()
    {
        using var box = new MailboxFixture();
        var source = box.Source.Folder("INBOX");
        for (var n = 0; n < 520; n++)
            source.Add(MailboxFixture.Mail($"m{n}"));
        var appended = 0;
        box.Target.OnStep = step =>
        {
            if (step != "append" || ++appended != 501)
                return;
            for (var uid = 1u; uid <= 10; uid++)
                source.Remove(uid);
            throw new MailException(FailureScope.Folder, isTransient: true, "the line is dead");
        };
        var report = await box.RunAsync();
        Assert.True(report.Outcome == JobOutcome.Ok, string.Join('\n', report.Problems));
        Assert.Equal((520L, 520L, 0L), (report.Totals.SourceMessages, report.Totals.Copied, report.Totals.AlreadyPresent));
    }

    [Theory]
    [InlineData(DeletionPolicy.Mirror)]
    [InlineData(DeletionPolicy.Trash)]
    public async Task A_folder_copied_by_a_run_that_was_killed_and_deleted_then_goes_as_after_any_run(DeletionPolicy deletions)
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Deletions = deletions, DeletionLimit = NoLimit };
        box.Source.Folder("Alpha").Add(MailboxFixture.Mail("a"));
        box.Source.Folder("Beta").Add(MailboxFixture.Mail("b"));
        var killed = Directory.CreateTempSubdirectory("imapsync-killed-").FullName;
        try
        {
            // A killed run leaves the state as it is on disk at that moment, so copy the state directory then.
            box.Source.OnStep = step =>
            {
                if (step == "open Beta")
                    Copy(box.StateDirectory, killed);
            };
            await box.RunAsync();
            box.Source.OnStep = _ => { };
            box.DeleteCheckpoints();
            Copy(killed, box.StateDirectory);
        }
        finally
        {
            Directory.Delete(killed, recursive: true);
        }

        box.Source.Folders.Remove(FolderPath.Parse("Alpha"));
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        Assert.Empty(box.Target.Folder("Alpha").Messages);
        Assert.Single(box.Target.Folder("Beta").Messages);
    }

    [Fact]
    public async Task A_source_folder_named_like_the_trash_folder_keeps_each_message_once()
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Deletions = DeletionPolicy.Trash, DeletionLimit = NoLimit };
        var (inbox, removed) = (box.Source.Folder("INBOX"), box.Source.Folder("Removed"));
        for (var n = 0; n < 3; n++)
            inbox.Add(MailboxFixture.Mail($"i{n}"));
        removed.Add(MailboxFixture.Mail("r0"));
        removed.Add(MailboxFixture.Mail("r1"));
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);

        removed.Remove(1);
        var moved = inbox.Messages[1];
        inbox.Remove(2);
        removed.Add(moved.Octets, moved.Flags, moved.Date);
        inbox.Remove(3);
        for (var time = 0; time < 3; time++)
        {
            var report = await box.RunAsync();
            Assert.True(report.Outcome == JobOutcome.Ok, string.Join('\n', report.Problems));
            Assert.Single(box.Target.Folder("INBOX").Messages);
            Assert.Equal(4, box.Target.Folder("Removed").Messages.Select(m => Convert.ToHexString(m.Octets)).Distinct().Count());
            Assert.Equal(4, box.Target.Folder("Removed").Messages.Count);
        }
    }

    [Theory]
    [InlineData(DeletionPolicy.Keep, true)]
    [InlineData(DeletionPolicy.Trash, true)]
    [InlineData(DeletionPolicy.Keep, false)]
    [InlineData(DeletionPolicy.Trash, false)]
    [InlineData(DeletionPolicy.Mirror, false)]
    public async Task A_folder_renamed_or_deleted_at_the_source_is_no_alarm_for_a_verification_of_the_record(DeletionPolicy deletions, bool isRenamed)
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Deletions = deletions, DeletionLimit = NoLimit };
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("a"));
        for (var n = 0; n < 7; n++)
            box.Source.Folder("Friends").Add(MailboxFixture.Mail($"f{n}"));
        await box.RunAsync();
        box.Source.Folders.Remove(FolderPath.Parse("Friends"), out var friends);
        if (isRenamed)
            box.Source.Folders[FolderPath.Parse("Family")] = friends!;
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        if (!isRenamed && deletions == DeletionPolicy.Mirror)
            box.Target.Folders.Remove(FolderPath.Parse("Friends"));
        var report = await box.VerifyAsync(new VerifyOptions(Offline: true));
        Assert.True(report.Counts.Differences == 0, string.Join('\n', report.Findings));
        Assert.Equal(JobOutcome.Ok, report.Job.Outcome);
    }

    [Fact]
    public void In_one_account_what_lies_where_the_copies_go_is_no_source()
    {
        Assert.Equal(["INBOX", "Work"], Mapped(new FolderRules { Prefix = new FolderPath("Backup") }, "INBOX", "Work", "Backup/INBOX", "Backup/Work", "Backup"));
        Assert.Equal(["INBOX", "Work"], Mapped(Map("Work", "Work/Old"), "INBOX", "Work", "Work/Old", "Work/Old/Deep"));
        Assert.Equal(["INBOX", "Work/Sub"], Mapped(Map("Work/Sub", "Work"), "INBOX", "Work", "Work/Sub"));
        Assert.Equal(["INBOX"], Mapped(Map("INBOX", "Copy/INBOX"), "INBOX", "Copy/INBOX"));
    }

    private static FolderRules Map(string from, string to) => new() { Map = FolderRulesMap(from, to) };

    private static System.Collections.Immutable.ImmutableDictionary<FolderPath, FolderPath> FolderRulesMap(string from, string to) =>
        System.Collections.Immutable.ImmutableDictionary<FolderPath, FolderPath>.Empty.Add(FolderPath.Parse(from), FolderPath.Parse(to));

    private static IEnumerable<string> Mapped(FolderRules rules, params string[] folders) => FolderMapper
        .Map([.. folders.Select(f => new FolderEntry(FolderPath.Parse(f)))], rules with { IsOneAccount = true })
        .Pairs.Select(p => p.Source.Path.ToString()).Order(StringComparer.Ordinal);

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(f) != "lock"))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy, overwrite: true);
        }
    }
}
