using Imapsync.Engine.Checking;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// The server refuses STATUS for every folder. The counters that it reports when a folder is opened are enough for a run.
/// </summary>
public sealed class RefusedStatusTests
{
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Mail_flags_and_removals_are_carried_over_without_a_status(bool atSource, bool atTarget)
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 20; round++)
        {
            using var box = new MailboxFixture();
            box.Job = box.Job with
            {
                Deletions = random.Next(2) == 0 ? DeletionPolicy.Mirror : DeletionPolicy.Trash,
                DeletionLimit = new DeletionLimit(100, IsPercent: true),
                Flags = random.Next(2) == 0 ? FlagPolicy.Follow : FlagPolicy.Exact,
            };
            (box.Source.RefusesStatus, box.Target.RefusesStatus) = (atSource, atTarget);
            box.Source.HasModSeq = random.Next(2) == 0;
            var names = (string[])["INBOX", "A", "B"];
            var count = 0;
            foreach (var name in names)
            {
                for (var n = random.Next(1, 6); n > 0; n--)
                    box.Source.Folder(name).Add(MailboxFixture.Mail($"m{++count}"));
            }

            for (var night = 0; night < 4; night++)
            {
                var report = await box.RunAsync();
                Assert.True(report.Outcome == JobOutcome.Ok, $"seed {seed}, round {round}, night {night}: {string.Join("; ", report.Problems.Select(p => p.Text))}");
                Assert.Equal(MailboxFixture.Describe(box.Source), Living(box));
                var folder = box.Source.Folder(names[random.Next(names.Length)]);
                folder.Add(MailboxFixture.Mail($"m{++count}"));
                if (folder.Messages.Count > 1 && random.Next(2) == 0)
                    folder.Remove(folder.Messages[0].Uid);
                folder.SetFlags(folder.Messages[^1].Uid, "\\Seen");
            }
        }
    }

    /// <summary>
    /// A message is deleted after the folders were listed and before its folder is opened. The run reports the message as missing and still
    /// copies the folder.
    /// </summary>
    [Fact]
    public async Task A_count_that_can_not_be_asked_for_again_costs_no_folder()
    {
        using var box = new MailboxFixture();
        var inbox = box.Source.Folder("INBOX");
        for (var n = 1; n <= 3; n++)
            inbox.Add(MailboxFixture.Mail($"m{n}"));
        box.Source.AnswersStatus = false;
        var isGone = false;
        box.Source.OnStep = step =>
        {
            if (isGone || step != "open INBOX")
                return;
            isGone = true;
            inbox.Remove(1);
        };

        var report = await box.RunAsync();

        Assert.Equal((JobOutcome.Incomplete, 2, Reasons.Listing), (report.Outcome, report.Totals.Copied, Assert.Single(report.Problems).Reason));
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
    }

    [Fact]
    public async Task Its_folders_are_counted()
    {
        var store = new MemoryStore { RefusesStatus = true };
        var count = new Random(Seeds.Next()).Next(1, 9);
        for (var n = 0; n < count; n++)
            store.Folder("INBOX").Add(MailboxFixture.Mail($"m{n}"));
        await using var open = store.Open();
        var entry = Assert.Single(await open.ListFoldersAsync(TestContext.Current.CancellationToken));
        Assert.Equal(count, await FolderSize.CountAsync(open, entry, TestContext.Current.CancellationToken));
    }

    private static string Living(MailboxFixture box)
    {
        var living = new MemoryStore();
        foreach (var (path, folder) in box.Target.Folders.Where(f => !f.Key.Equals(box.Job.TrashFolder)))
            living.Folders[path] = folder;
        return MailboxFixture.Describe(living);
    }
}
