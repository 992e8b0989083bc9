using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Tests.Copying;

public sealed class StopAtLimitTests : IDisposable
{
    private readonly MailboxFixture box = new();

    public void Dispose() => box.Dispose();

    [Fact]
    public async Task A_store_that_reaches_a_limit_ends_the_job_as_incomplete_and_the_next_run_goes_on()
    {
        foreach (var folder in new[] { "A", "B", "C" })
            box.Source.Folder(folder).Add(MailboxFixture.Mail(folder));
        box.OpenTarget = (_, _, context, _) =>
        {
            box.Target.OnStep = step =>
            {
                if (step == "append!")
                    context.OnLimit("bytes_per_day", "today's octets are used up");
            };
            return Task.FromResult(box.Target.Open());
        };

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, StopReason.Limit), (report.Outcome, report.Stop));
        Assert.Equal(new Problem(FailureScope.Store, null, null, "bytes_per_day", "today's octets are used up"), Assert.Single(report.Problems));
        Assert.Equal(1, report.Totals.Copied);

        await box.RunAsync();
        var last = await box.RunAsync();
        // No limit stops a run that has nothing left to do.
        Assert.Equal((JobOutcome.Ok, StopReason.None, 1L, 2L), (last.Outcome, last.Stop, last.Totals.Copied, last.Totals.AlreadyPresent));
        Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(box.Target));
    }
}
