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
