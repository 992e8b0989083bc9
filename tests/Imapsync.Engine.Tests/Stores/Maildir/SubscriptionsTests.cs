using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Maildir;

/// <summary>A job writes all its subscriptions together; the result must equal that of writing them one by one.</summary>
public sealed class SubscriptionsTests
{
    private static readonly string[] Folders = ["A", "B", "C", "D", "E", "F", "G", "H"];

    [Fact]
    public async Task Changes_at_the_source_are_carried_over_once_and_the_target_s_users_keep_theirs()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        using var job = new MaildirJob();
        foreach (var (n, folder) in Folders.Index())
            _ = job.Deliver($".{folder}/cur/{n}.h:2,S", $"Subject: {folder}\n\n");
        HashSet<string> before = [], wanted = [];
        for (var round = 0; round < 12; round++)
        {
            HashSet<string> source = [.. Folders.Where(_ => random.Next(2) == 0)];
            Write(job.Source, source);
            // A user changes the subscriptions at the target, among them one to a folder that does not exist there.
            if (round > 0)
            {
                wanted = [.. Folders.Append("Elsewhere").Where(_ => random.Next(2) == 0)];
                Write(job.Target, wanted);
            }

            wanted.UnionWith(source.Except(before));
            wanted.ExceptWith(before.Except(source));
            await job.RunAsync();
            Assert.Equal(JobOutcome.Ok, job.Report.Outcome);
            Assert.True(wanted.SetEquals(Read(job.Target)), $"seed {seed}, round {round}: {string.Join(' ', Read(job.Target).Order())}");
            before = source;
        }
    }

    private static void Write(string root, IEnumerable<string> folders) =>
        File.WriteAllText(Path.Combine(root, "subscriptions"), "V\t2\n\n" + string.Concat(folders.Select(f => f + "\n")));

    private static HashSet<string> Read(string root) => Path.Combine(root, "subscriptions") is var file && File.Exists(file)
        ? [.. File.ReadAllLines(file).Skip(2)]
        : [];
}
