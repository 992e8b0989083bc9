using System.Collections.Immutable;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// A folder is mapped to another target folder than before. A run reports this once, since the folder's mail is then at the target twice.
/// </summary>
public sealed class RemappedFolderTests
{
    [Theory]
    [InlineData(DeletionPolicy.Keep)]
    [InlineData(DeletionPolicy.Mirror)]
    public async Task A_map_added_later_is_told_in_the_run_that_follows_it(DeletionPolicy policy)
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Deletions = policy };
        foreach (var name in (string[])["INBOX", "Sent Items", "Other"])
            box.Source.Folder(name).Add(MailboxFixture.Mail(name));
        Assert.DoesNotContain(await RunAsync(), n => n.Contains("from now on", StringComparison.Ordinal));
        box.Job = box.Job with { Folders = box.Job.Folders with { Map = ImmutableDictionary<FolderPath, FolderPath>.Empty.Add(FolderPath.Parse("Sent Items"), FolderPath.Parse("Sent")) } };

        Assert.Equal(
            ["Sent Items: goes to Sent from now on; what earlier runs copied to Sent Items stays there as it is, remove it if it is not wanted twice"],
            (await RunAsync()).Where(n => n.Contains("from now on", StringComparison.Ordinal)));
        Assert.Single(box.Target.Folder("Sent").Messages);
        Assert.Single(box.Target.Folder("Sent Items").Messages);
        Assert.DoesNotContain(await RunAsync(), n => n.Contains("from now on", StringComparison.Ordinal));

        async Task<IReadOnlyList<string>> RunAsync()
        {
            var report = await box.RunAsync();
            Assert.Equal(JobOutcome.Ok, report.Outcome);
            return report.Notes;
        }
    }
}
