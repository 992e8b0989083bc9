using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Watching;

namespace Imapsync.Engine.Tests.Watching;

public sealed class RunSumTests
{
    [Fact]
    public void What_was_done_is_added_up_and_how_things_stand_is_the_last_runs()
    {
        var problem = new Problem(FailureScope.Message, FolderPath.Inbox, 3, "refused", "no");
        var sum = new RunSum();
        sum.Add(Run(1, [problem], Counts(10, copied: 4, failed: 1)));
        sum.Add(Run(2, [], Counts(12, copied: 3, deleted: 2)));
        var report = sum.Report!;
        Assert.Equal((Counts(12, copied: 7, deleted: 2) with { Bytes = 700 }, At(1), 0), (Assert.Single(report.Folders).Counts, report.Started, report.Problems.Length));
        Assert.Equal(report.Folders[0].Counts, report.Totals);
    }

    /// <summary>
    /// The sum of any sequence of runs must add up like a single run: its counts give the number of messages at the source.
    /// </summary>
    [Fact]
    public void The_counts_add_up()
    {
        var random = new Random(11);
        for (var round = 0; round < 2000; round++)
        {
            var sum = new RunSum();
            List<FolderCounts> runs = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ =>
            {
                var messages = random.Next(20);
                var failed = random.Next(messages + 1) / 4;
                return Counts(messages, copied: random.Next(messages - failed + 1), failed, deleted: random.Next(5));
            })];
            foreach (var (i, counts) in runs.Index())
                sum.Add(random.Next(5) == 0 && i > 0 ? Run(i, []) : Run(i, [], counts));
            var c = sum.Report!.Totals;
            Assert.Equal(c.SourceMessages, c.Copied + c.AlreadyPresent + c.Skipped + c.Failed);
            Assert.True(c.Adopted <= c.AlreadyPresent && c.AlreadyPresent >= 0 && c.Copied >= 0, $"round {round}: {c}");
        }
    }

    private static DateTimeOffset At(int minute) => DateTimeOffset.UnixEpoch.AddMinutes(minute);

    private static FolderCounts Counts(long messages, long copied, long failed = 0, long deleted = 0) => new()
    {
        SourceMessages = messages,
        Copied = copied,
        AlreadyPresent = messages - copied - failed,
        Failed = failed,
        Deleted = deleted,
        Bytes = 100 * copied,
    };

    private static JobReport Run(int minute, Problem[] problems, params FolderCounts[] folders) => new(
        "alice", problems.Length == 0 ? JobOutcome.Ok : JobOutcome.Incomplete, At(minute), At(minute + 1), folders.Aggregate(new FolderCounts(), (a, b) => a + b),
        [.. folders.Select(f => new FolderReport(FolderPath.Inbox, FolderPath.Inbox, f))], [.. problems], []);
}
