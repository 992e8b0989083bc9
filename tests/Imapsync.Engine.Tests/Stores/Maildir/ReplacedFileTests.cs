using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Maildir;

/// <summary>
/// In a Maildir of another program, a file is replaced by one with the same unique name. The new file is another message.
/// </summary>
public sealed class ReplacedFileTests : IDisposable
{
    private readonly MaildirJob job = new();

    public void Dispose() => job.Dispose();

    [Theory]
    [InlineData(DeletionPolicy.Keep, 3)]
    [InlineData(DeletionPolicy.Mirror, 2)]
    public async Task A_replaced_file_arrives_as_a_message_of_its_own(DeletionPolicy deletions, int count)
    {
        Accept(deletions);
        var file = job.Deliver("cur/1.h:2,S", "Subject: old\n\nold\n");
        _ = job.Deliver("cur/2.h:2,S", "Subject: other\n\no\n");
        await OkAsync(2);
        await File.WriteAllTextAsync(file, "Subject: new\n\nnew\n", TestContext.Current.CancellationToken);
        await OkAsync(2);
        Assert.Equal(count, job.Arrived().Count);
        Assert.Contains(". S Subject: new\n\nnew\n", job.Arrived());
        await OkAsync(2);
        Assert.Equal(count, job.Arrived().Count);
        Assert.Equal(0, job.Report.Totals.Copied);
    }

    [Fact]
    public async Task Files_written_again_with_the_same_octets_are_the_same_messages()
    {
        Accept(DeletionPolicy.Mirror);
        job.Definition = job.Definition with { DeletionLimit = new DeletionLimit(0, IsPercent: false), Flags = FlagPolicy.Follow };
        for (var i = 0; i < 20; i++)
            _ = job.Deliver($"cur/{i}.h:2,", $"Message-ID: <{i}@x>\nSubject: {i}\n\n{i}\n");
        await OkAsync(20);
        var before = job.Arrived();
        // Write every file anew, as a restore of the whole tree does: files and dates are new, the mail is the same. Also set a flag.
        foreach (var file in Directory.GetFiles(Path.Combine(job.Source, "cur")))
        {
            var text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
            File.Delete(file);
            await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);
            File.SetLastWriteTimeUtc(file, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        }

        await OkAsync(20);
        Assert.Equal((0L, 0L), (job.Report.Totals.Copied, job.Report.Totals.Deleted));
        Assert.Equal(before, job.Arrived());
        File.Move(Path.Combine(job.Source, "cur/7.h:2,"), Path.Combine(job.Source, "cur/7.h:2,F"));
        await OkAsync(20);
        Assert.Equal(1, job.Report.Totals.FlagsUpdated);
        Assert.Equal(20, job.Arrived().Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task What_a_filter_left_out_is_recognised_though_its_file_was_put_back_before_the_filter_went(int times)
    {
        var file = job.Deliver("cur/1.h:2,S", $"Message-ID: <1@x>\nSubject: large\n\n{new string('x', 500)}\n");
        _ = job.Deliver("cur/2.h:2,S", "Message-ID: <2@x>\nSubject: small\n\n2\n");
        await OkAsync(2);
        // The target has mail from an earlier migration, of which this job has no record.
        Directory.Delete(job.Definition.StateDirectory, recursive: true);
        job.Definition = job.Definition with { Messages = new MessageFilter { MaxSizeBytes = 200 } };
        await OkAsync(2);
        Assert.Equal(1, job.Report.Totals.Skipped);

        var text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        for (var i = 0; i < times; i++)
        {
            File.Delete(file);
            await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);
            File.SetLastWriteTimeUtc(file, new DateTime(2020, 1, 1 + i, 0, 0, 0, DateTimeKind.Utc));
            if (i < times - 1)
                await OkAsync(2);
        }

        job.Definition = job.Definition with { Messages = new MessageFilter() };
        await OkAsync(2);
        Assert.Equal((0L, 2), (job.Report.Totals.Copied, job.Arrived().Count));
    }

    [Fact]
    public async Task Whatever_becomes_of_files_between_runs_the_target_has_what_the_source_has()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 12; round++)
        {
            using var other = new MaildirJob();
            var deletions = random.Next(2) == 0 ? DeletionPolicy.Keep : DeletionPolicy.Mirror;
            other.Definition = other.Definition with { Deletions = deletions, DeletionLimit = new DeletionLimit(1000, IsPercent: false) };
            var (serial, ever) = (0, new HashSet<string>());
            string Next() => ever.Add($"Subject: {++serial}\n\n{serial % 3}\n") ? $"Subject: {serial}\n\n{serial % 3}\n" : "";
            for (var i = 0; i < 12; i++)
                _ = other.Deliver($"cur/{i}.h:2,S", Next());
            for (var night = 0; night < 4; night++)
            {
                var report = await other.RunAsync();
                var there = Directory.GetFiles(Path.Combine(other.Source, "cur")).Select(File.ReadAllText).Order(StringComparer.Ordinal).ToList();
                var arrived = other.Arrived().Select(a => a[(a.IndexOf("Subject", StringComparison.Ordinal))..]).Order(StringComparer.Ordinal).ToList();
                var expected = deletions == DeletionPolicy.Mirror ? there : [.. ever.Order(StringComparer.Ordinal)];
                Assert.True(report.Outcome == JobOutcome.Ok && expected.SequenceEqual(arrived), $"seed {seed}, round {round}, night {night}, {deletions}: {other.Problems}\n{string.Join("", expected)}\n—\n{string.Join("", arrived)}");
                foreach (var file in Directory.GetFiles(Path.Combine(other.Source, "cur")))
                    Change(file, random, Next);
            }
        }
    }

    private static void Change(string file, Random random, Func<string> next)
    {
        switch (random.Next(8))
        {
            case 0:
                File.WriteAllText(file, next());
                break;
            case 1:
                // Replace the file by another one of the same size and date.
                var time = File.GetLastWriteTimeUtc(file);
                var beside = file + ".new";
                File.WriteAllText(beside, next());
                File.SetLastWriteTimeUtc(beside, time);
                File.Move(beside, file, overwrite: true);
                break;
            case 2:
                File.SetLastWriteTimeUtc(file, new DateTime(2019, 1, random.Next(1, 28), 0, 0, 0, DateTimeKind.Utc));
                break;
            case 3:
                var text = File.ReadAllText(file);
                File.Delete(file);
                File.WriteAllText(file, text);
                break;
            case 4:
                File.Move(file, file[..^1] + (file.EndsWith('S') ? "F" : "S"), overwrite: true);
                break;
        }
    }

    private void Accept(DeletionPolicy deletions) =>
        job.Definition = job.Definition with { Deletions = deletions, DeletionLimit = new DeletionLimit(10, IsPercent: false) };

    private async Task OkAsync(long messages)
    {
        await job.RunAsync();
        Assert.True(job.Report.Outcome == JobOutcome.Ok, job.Problems);
        Assert.Equal(messages, job.Report.Totals.SourceMessages);
    }
}
