using Imapsync.Engine.Copying;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>The report shows header fields of each message that was not copied. A huge header must not make this slow.</summary>
public sealed class FailureDescriptionTests : IDisposable
{
    private readonly MailboxFixture box = new();

    public void Dispose() => box.Dispose();

    [Fact]
    public async Task Each_message_that_failed_is_told_by_its_own_header_and_no_other_is_read()
    {
        var random = new Random(Seeds.Next());
        var source = box.Source.Folder("INBOX");
        for (var n = 0; n < 40; n++)
            source.Add(MailboxFixture.Mail($"m{n}"));
        var refused = 0;
        box.Target.OnStep = step =>
        {
            if (step == "append" && random.Next(3) == 0)
                throw new MailException(FailureScope.Message, false, $"no, because of {refused++}");
        };
        var report = await box.RunAsync();
        Assert.Equal(refused, report.Problems.Length);
        Assert.All(report.Problems, p => Assert.Equal(($"m{p.Uid - 1}", "a@example.org"), (p.Envelope?.Subject, p.Envelope?.From)));
        Assert.Equal(report.Problems, box.Events.OfType<ProblemFound>().Select(e => e.Problem));
    }

    [Fact]
    public async Task A_run_without_failures_reads_no_header()
    {
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("a"));
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        Assert.DoesNotContain("headers INBOX", box.Source.Steps);
    }

    [Theory]
    [InlineData(FailureScope.Store, true)]
    [InlineData(FailureScope.Folder, true)]
    [InlineData(FailureScope.Folder, false)]
    [InlineData(FailureScope.Message, false)]
    public async Task Where_the_header_can_not_be_had_the_run_ends_as_without_it(FailureScope scope, bool isTransient)
    {
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("a"));
        box.Target.OnStep = step => ThrowAt(step, "append", new MailException(FailureScope.Message, false, "no"));
        box.Source.OnStep = step => ThrowAt(step, "headers INBOX", new MailException(scope, isTransient, "gone"));
        var report = await box.RunAsync();
        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        Assert.Equal(new Problem(FailureScope.Message, new FolderPath("INBOX"), 1, "refused", "no"), Assert.Single(report.Problems));
    }

    [Fact]
    public async Task Of_many_failures_alike_those_are_described_that_are_told()
    {
        for (var n = 0; n < 60; n++)
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail($"m{n}"));
        box.Target.OnStep = step => ThrowAt(step, "append", new MailException(FailureScope.Message, false, "no"));
        var report = await box.RunAsync();
        Assert.Equal(["m0", "m1", "m2", null], report.Problems.Select(p => p.Envelope?.Subject));
    }

    [Fact]
    public async Task A_job_reads_a_bounded_number_of_headers_for_it()
    {
        for (var folder = 0; folder < 12; folder++)
        {
            for (var n = 0; n < 15; n++)
                box.Source.Folder($"F{folder}").Add(MailboxFixture.Mail($"m{n}"));
        }

        box.Target.OnStep = step => ThrowAt(step, "append", new MailException(FailureScope.Message, false, "no"));
        var report = await box.RunAsync();
        Assert.Equal(180, report.Problems.Length);
        Assert.Equal(FailureDescriptions.MostOfAJob, report.Problems.Count(p => p.Envelope is not null));
    }

    private static void ThrowAt(string step, string at, MailException failure)
    {
        if (step == at)
            throw failure;
    }
}
