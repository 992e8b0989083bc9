using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Tests;

public sealed class RehearsalTests
{
    /// <summary>One that fails, or copies, would load what a run with nothing new does without.</summary>
    [Fact]
    public async Task It_goes_the_way_of_a_run_with_nothing_new()
    {
        var report = Assert.Single(await Rehearsal.RunAsync());
        Assert.Empty(report.Problems);
        Assert.Empty(report.Notes);
        Assert.Equal(JobOutcome.Ok, report.Outcome);
        var folder = Assert.Single(report.Folders);
        Assert.Equal((17, 17, 0), (folder.Counts.SourceMessages, folder.Counts.AlreadyPresent, folder.Counts.Copied));
    }
}
