using Imapsync.CommandLine.Output;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Tests;

public sealed class WatchedEventsTests
{
    private static readonly JobEvent Started = new JobStarted("alice", "a", "b", DryRun: false);
    private static readonly JobEvent Planned = new FoldersPlanned("alice", 1, 2);
    private static readonly JobEvent Copied = new MessagesCopied("alice", FolderPath.Inbox, 1, 10);
    private static readonly JobEvent Good = new JobFinished("alice", Reports.Of("alice"));
    private static readonly JobEvent Bad = new JobFinished("alice", Reports.Of("alice", JobOutcome.Incomplete));

    private readonly List<JobEvent> shown = [];

    [Fact]
    public void The_first_run_is_shown_whole_and_of_others_what_is_new()
    {
        var events = new WatchedEvents(shown.Add);
        var (refused, other) = (Problem(1), Problem(2));
        Assert.Equal([Started, Planned, Good], Shown(Started, Planned, Good));
        Assert.Empty(Shown(Started, Planned, Good));
        Assert.Equal([Copied, Good], Shown(Started, Planned, Copied, Good));
        Assert.Equal([refused, Bad], Shown(Started, Planned, refused, refused, Bad));
        Assert.Empty(Shown(Started, Planned, Problem(1), Bad));
        Assert.Equal([other, Bad], Shown(Started, Planned, refused, other, Bad));
        Assert.Equal([Good], Shown(Started, Planned, Good));
        // A problem that did not occur in the last run is shown again when it comes back.
        Assert.Equal([refused, Bad], Shown(Started, Planned, refused, Bad));

        IReadOnlyList<JobEvent> Shown(params JobEvent[] run)
        {
            shown.Clear();
            foreach (var happened in run)
                events.Show(happened);
            return [.. shown];
        }
    }

    [Fact]
    public void A_run_that_meets_another_ones_lock_is_not_the_first()
    {
        var events = new WatchedEvents(shown.Add);
        JobEvent locked = new JobFinished("alice", Reports.Of("alice", JobOutcome.Failed) with { Stop = StopReason.Locked });
        foreach (var happened in (JobEvent[])[Started, locked, Started, locked, Started, Planned, Good, Started, Planned, Good])
            events.Show(happened);
        Assert.Equal([Started, locked, Planned, Good], shown);
    }

    private static ProblemFound Problem(uint uid) => new("alice", new Problem(FailureScope.Message, FolderPath.Inbox, uid, "refused", "no"));
}
