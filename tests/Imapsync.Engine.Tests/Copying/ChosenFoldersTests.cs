using System.Collections.Immutable;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>Rules that choose no folder are probably mistaken, so a run with them is not a success.</summary>
public sealed class ChosenFoldersTests
{
    private static readonly string[] Names = ["INBOX", "Sent", "Work/2026"];

    [Theory]
    [InlineData("Nope/**", "")]
    [InlineData("sent", "")]
    [InlineData("Work", "")]
    [InlineData("**", "**")]
    [InlineData("Sent", "S*")]
    public async Task Rules_that_choose_none_of_the_folders_are_told(string include, string exclude)
    {
        using var box = await RanAsync("**", "");
        Choose(box, include, exclude);

        var report = await box.RunAsync();
        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        var problem = Assert.Single(report.Problems);
        Assert.Equal((FailureScope.Store, Reasons.NotFound), (problem.Scope, problem.Reason));
        Assert.Equal("'folders' chooses none of the source's folders (3): INBOX, Sent, Work/2026", problem.Text);
        // The target's mail of folders that the rules do not choose is not removed.
        Assert.All(Names, n => Assert.Single(box.Target.Folder(n).Messages));
    }

    [Theory]
    [InlineData("Sent", "")]
    [InlineData("Work/*", "")]
    [InlineData("**", "Work/**")]
    public async Task Rules_that_choose_some_are_no_mistake(string include, string exclude)
    {
        using var box = await RanAsync(include, exclude);
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
    }

    /// <summary>
    /// An entry that matches no folder is probably misspelt and must be reported. Otherwise mail would be missing silently.
    /// </summary>
    [Theory]
    [InlineData("Sent,Wrok/**", "", "include 'Wrok/**'")]
    [InlineData("Inbox,sent", "", "include 'sent'")]
    [InlineData("Work/**,Sent,INBOX", "", null)]
    [InlineData("**", "Work,INBOX", null)]
    [InlineData("**", "work,Work", "map 'work'")]
    [InlineData("Sent,Drafts,Trash", "Junk,Sent", "include 'Drafts', include 'Trash', map 'Junk'")]
    public async Task Entries_that_match_no_folder_are_told(string include, string map, string? told)
    {
        using var box = new MailboxFixture();
        foreach (var name in Names)
            box.Source.Folder(name).Add(MailboxFixture.Mail(name));
        box.Job = box.Job with
        {
            Folders = box.Job.Folders with
            {
                Include = [.. include.Split(',')],
                Map = map.Split(',', StringSplitOptions.RemoveEmptyEntries).ToImmutableDictionary(m => FolderPath.Parse(m), m => FolderPath.Parse("To " + m)),
            },
        };

        var report = await box.RunAsync();
        Assert.Equal(JobOutcome.Ok, report.Outcome);
        var notes = report.Notes.Where(n => n.StartsWith("'folders'", StringComparison.Ordinal));
        Assert.Equal(told is null ? [] : [$"'folders' names what the source does not have: {told}"], notes);
    }

    [Fact]
    public async Task A_source_without_folders_is_told_otherwise()
    {
        using var box = new MailboxFixture();
        Choose(box, "Nope", "");
        Assert.DoesNotContain((await box.RunAsync()).Problems, p => p.Reason == Reasons.NotFound);
    }

    private static async Task<MailboxFixture> RanAsync(string include, string exclude)
    {
        var box = new MailboxFixture();
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror };
        foreach (var name in Names)
            box.Source.Folder(name).Add(MailboxFixture.Mail(name));
        Choose(box, include, exclude);
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        return box;
    }

    private static void Choose(MailboxFixture box, string include, string exclude) =>
        box.Job = box.Job with { Folders = box.Job.Folders with { Include = [include], Exclude = exclude.Length == 0 ? [] : [exclude] } };
}
