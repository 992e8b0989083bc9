using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Tests;

public sealed class ExitStatusTests
{
    [Theory]
    [InlineData(JobOutcome.Ok, StopReason.None, 0)]
    [InlineData(JobOutcome.Incomplete, StopReason.None, 3)]
    [InlineData(JobOutcome.Failed, StopReason.None, 1)]
    [InlineData(JobOutcome.Failed, StopReason.Other, 1)]
    [InlineData(JobOutcome.Failed, StopReason.Locked, 10)]
    [InlineData(JobOutcome.Failed, StopReason.Connect, 11)]
    [InlineData(JobOutcome.Failed, StopReason.Authentication, 12)]
    [InlineData(JobOutcome.Failed, StopReason.Configuration, 2)]
    [InlineData(JobOutcome.Failed, StopReason.DeletionLimit, 13)]
    [InlineData(JobOutcome.Incomplete, StopReason.DeletionLimit, 13)]
    [InlineData(JobOutcome.Incomplete, StopReason.Connect, 11)]
    [InlineData(JobOutcome.Incomplete, StopReason.Other, 3)]
    [InlineData(JobOutcome.Ok, StopReason.Other, 1)]
    [InlineData(JobOutcome.Cancelled, StopReason.Cancelled, 143)]
    [InlineData(JobOutcome.Cancelled, StopReason.None, 143)]
    [InlineData(JobOutcome.Failed, StopReason.Cancelled, 143)]
    public void A_report_decides_the_status(JobOutcome outcome, StopReason stop, int status) =>
        Assert.Equal(status, ExitStatus.Of(Reports.Of("a", outcome, stop), ExitStatus.Terminated));

    [Theory]
    [InlineData(FailureKind.Connect, 11)]
    [InlineData(FailureKind.Authentication, 12)]
    [InlineData(FailureKind.Configuration, 2)]
    [InlineData(FailureKind.Quota, 1)]
    [InlineData(FailureKind.Other, 1)]
    public void A_failure_decides_the_status(FailureKind kind, int status) =>
        Assert.Equal(status, ExitStatus.Of(new MailException(FailureScope.Store, false, "x") { Kind = kind }));

    [Theory]
    [InlineData(0)]
    [InlineData(0, 0, 0)]
    [InlineData(3, 0, 3)]
    [InlineData(10, 3, 10, 0)]
    [InlineData(11, 10, 11, 3)]
    [InlineData(12, 11, 12, 10)]
    [InlineData(13, 12, 13, 11)]
    [InlineData(1, 13, 1, 12)]
    [InlineData(130, 1, 130, 13)]
    [InlineData(143, 130, 143)]
    public void Of_several_jobs_the_worst_counts(int worst, params int[] statuses) => Assert.Equal(worst, ExitStatus.Worst(statuses));
}
