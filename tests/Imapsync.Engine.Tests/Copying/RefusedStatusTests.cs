using Imapsync.Engine.Checking;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>A server that refuses STATUS for every folder. It reports its counters when a folder is opened, and these are enough for a run.</summary>
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
            box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
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
                Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(box.Target));
                var folder = box.Source.Folder(names[random.Next(names.Length)]);
                folder.Add(MailboxFixture.Mail($"m{++count}"));
                if (folder.Messages.Count > 1 && random.Next(2) == 0)
                    folder.Remove(folder.Messages[0].Uid);
                folder.SetFlags(folder.Messages[^1].Uid, "\\Seen");
            }
        }
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
}
