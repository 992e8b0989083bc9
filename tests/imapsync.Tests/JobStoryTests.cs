using Imapsync.CommandLine.Pages;
using Imapsync.Engine.History;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Tests;

/// <summary>What a job's history shows about the growth of its source.</summary>
public sealed class JobStoryTests
{
    [Theory]
    [InlineData(StopReason.Cancelled, JobOutcome.Cancelled)]
    [InlineData(StopReason.Limit, JobOutcome.Incomplete)]
    [InlineData(StopReason.Connect, JobOutcome.Failed)]
    public void A_run_that_did_not_get_to_all_folders_is_no_count_of_the_source(StopReason stop, JobOutcome outcome)
    {
        HistoryEntry[] entries = [Run(1, 4000) with { Stop = stop, Outcome = outcome }, Run(2, 5000), Run(3, 5100), Run(4, 100) with { Stop = stop, Outcome = outcome }];
        var story = new JobStory("alice", "a", "b", entries, JobStanding.Of(entries, Reports.Start.AddDays(9), null, _ => false), null, []);
        Assert.Equal((100, Reports.Start.AddDays(2)), story.Growth(TimeSpan.FromDays(30)));
        Assert.Equal(5100, story.Counted[^1].Totals.SourceMessages);
    }

    private static HistoryEntry Run(int day, int messages) => new($"{day}", HistoryKind.Run, Reports.Start.AddDays(day))
    {
        Ended = Reports.Start.AddDays(day).AddMinutes(1),
        Outcome = JobOutcome.Ok,
        FolderCount = 2,
        Totals = new FolderCounts { SourceMessages = messages },
    };
}
