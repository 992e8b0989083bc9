using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>A folder that can't be listed, created or renamed does not affect the mail of other folders.</summary>
public sealed class IsolatedFolderTests : IDisposable
{
    private readonly MailboxFixture box = new();

    public void Dispose() => box.Dispose();

    [Theory]
    [InlineData("Poison")]
    [InlineData("Poison,Poison 2,Poison 3,Poison 4,Poison 5,Poison 6,Poison 7")]
    public async Task A_name_that_ends_the_session_each_time_is_reported_and_the_others_arrive(string names)
    {
        var poison = names.Split(',');
        foreach (var name in (string[])["INBOX", "A", "Z", .. poison])
            box.Source.Folder(name).Add(MailboxFixture.Mail(name));
        box.Target.OnStep = s => Break(s, "create Poison");
        for (var run = 0; run < 2; run++)
        {
            var report = await box.RunAsync();
            Assert.Equal(JobOutcome.Incomplete, report.Outcome);
            Assert.Equal(poison.Order(StringComparer.Ordinal), report.Problems.Select(p => p.Folder!.ToString()).Order(StringComparer.Ordinal));
            Assert.All(report.Problems, p => Assert.Equal("create", p.Reason));
            Assert.Equal((3L, poison.Length), (report.Totals.Copied + report.Totals.AlreadyPresent, report.Totals.Failed));
        }

        box.Target.OnStep = _ => { };
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_renaming_that_fails_each_time_does_not_keep_other_folders_from_being_copied(bool isTransient)
    {
        box.Source.Folder("A").Add(MailboxFixture.Mail("a"));
        box.Source.Folder("B").Add(MailboxFixture.Mail("b"));
        await box.RunAsync();
        Assert.True(box.Source.Folders.Remove(FolderPath.Parse("A"), out var renamed));
        box.Source.Folders[FolderPath.Parse("A2")] = renamed;
        box.Source.Folder("B").Add(MailboxFixture.Mail("new"));
        box.Target.OnStep = s => Break(s, "rename", isTransient);
        var report = await box.RunAsync();
        Assert.True(report.Outcome is JobOutcome.Ok or JobOutcome.Incomplete);
        Assert.Equal(2, box.Target.Folder("B").Messages.Count);
    }

    [Fact]
    public async Task A_name_found_by_asking_is_the_one_that_later_runs_and_verify_look_at()
    {
        box.Target.MakesAs = p => new FolderPath(p.Levels.Select(l => l.Trim()));
        box.Source.Folder("Customer/ PROBLEM").Add(MailboxFixture.Mail("a"));
        box.Source.Folder("x /y ").Add(MailboxFixture.Mail("b"));
        var first = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 2L), (first.Outcome, first.Totals.Copied));
        Assert.Equal(0, (await box.VerifyAsync(new VerifyOptions(Full: true))).Counts.Differences);
        box.Target.Steps.Clear();
        var second = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 2L), (second.Outcome, second.Totals.AlreadyPresent));
        Assert.DoesNotContain(box.Target.Steps, s => s.StartsWith("create", StringComparison.Ordinal));
        Assert.Empty(second.Notes);
    }

    [Fact]
    public async Task A_source_that_says_nothing_proves_nothing()
    {
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("a"));
        box.Source.Folder("B").Add(MailboxFixture.Mail("b"));
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror };
        await box.RunAsync();
        var mail = MailboxFixture.Describe(box.Target);

        box.Source.Folders.Clear();
        Assert.Equal(JobOutcome.Incomplete, (await box.VerifyAsync(new VerifyOptions())).Job.Outcome);
        Assert.Equal(JobOutcome.Incomplete, (await box.RunAsync()).Outcome);
        Assert.Equal(mail, MailboxFixture.Describe(box.Target));

        box.Source.Folder("B").Add(MailboxFixture.Mail("b"));
        Assert.Equal(JobOutcome.Incomplete, (await box.RunAsync()).Outcome);
        Assert.Equal(mail, MailboxFixture.Describe(box.Target));
    }

    [Fact]
    public async Task A_source_whose_folders_are_all_empty_now_is_no_proof_for_verify()
    {
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("a"));
        await box.RunAsync();
        box.Source.Folder("INBOX").Messages.Clear();
        Assert.Equal(JobOutcome.Incomplete, (await box.VerifyAsync(new VerifyOptions())).Job.Outcome);
    }

    private static void Break(string step, string at, bool isTransient = true)
    {
        if (step.StartsWith(at, StringComparison.Ordinal))
            throw new MailException(FailureScope.Folder, isTransient, "the server ended the session: BYE Internal error occurred");
    }
}
