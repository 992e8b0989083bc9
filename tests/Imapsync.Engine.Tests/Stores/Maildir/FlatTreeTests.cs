using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Maildir;

/// <summary>
/// The target tree exists in another layout than the job's. No existing folder is created a second time in the job's layout.
/// </summary>
public sealed class FlatTreeTests
{
    private static readonly string[] Names = ["Work", "Sent", "Lists", "a", "b c", "Ünï", "x.y"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Into_a_tree_with_levels_joined_by_dots_nothing_comes_twice()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 15; round++)
        {
            using var job = new MaildirJob(MaildirLayout.Fs, MaildirLayout.Fs);
            var folders = Tree(random);
            foreach (var (at, folder) in folders.Index())
            {
                var text = $"Message-ID: <{at}@x>\nSubject: {folder}\n\n{at}\n";
                _ = job.Deliver($"{folder}/cur/{at}.h:2,S", text);
                Plant(job.Target, folder.Replace('/', '.'), $"{at}.o:2,S", text);
            }

            var before = Tops(job.Target);
            for (var run = 0; run < 2; run++)
            {
                var report = await job.RunAsync();
                Assert.True(report.Outcome == JobOutcome.Ok && report.Totals.Copied == 0 && before.SequenceEqual(Tops(job.Target)), $"seed {seed}, round {round}, run {run} of {string.Join(' ', folders)}: {report.Totals} {job.Problems}\n{string.Join(' ', Tops(job.Target))}");
            }

            // The new folder is created in the existing tree's layout, where the program that owns the tree finds it.
            _ = job.Deliver("Work/New/Deep/cur/n.h:2,S", "Subject: new\n\nnew\n");
            var later = await job.RunAsync();
            Assert.True(later.Totals.Copied == 1, $"seed {seed}, round {round}: {later.Totals} {job.Problems}");
            Assert.True(Directory.Exists(Path.Combine(job.Target, "Work.New.Deep", "cur")), $"seed {seed}, round {round} {string.Join(' ', Tops(job.Target))}");
            await job.RunAsync();
            Assert.Equal(folders.Count + 1, job.Arrived().Count);
        }
    }

    [Fact]
    public async Task From_such_a_tree_into_the_nested_one_nothing_comes_twice()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 10; round++)
        {
            using var job = new MaildirJob(MaildirLayout.Fs, random.Next(2) == 0 ? MaildirLayout.Fs : MaildirLayout.MaildirPlusPlus);
            var isNested = job.Definition.Target is MaildirEndpoint { Layout: MaildirLayout.Fs };
            var folders = Tree(random).Where(f => isNested || !f.Contains("x.y", StringComparison.Ordinal)).ToList();
            if (!folders.Exists(f => f.Contains('/')))
                continue;
            foreach (var (at, folder) in folders.Index())
            {
                var text = $"Message-ID: <{at}@x>\nSubject: {folder}\n\n{at}\n";
                _ = job.Deliver($"{folder.Replace('/', '.')}/cur/{at}.h:2,S", text);
                Plant(job.Target, isNested || folder == "INBOX" ? folder == "INBOX" ? "" : folder : "." + folder.Replace('/', '.'), $"{at}.o:2,S", text);
            }

            for (var run = 0; run < 2; run++)
            {
                var report = await job.RunAsync();
                Assert.True(report.Outcome == JobOutcome.Ok && report.Totals.Copied == 0, $"seed {seed}, round {round}, run {run} of {string.Join(' ', folders)}: {report.Totals} {job.Problems}");
                Assert.Equal(folders.Count, job.Arrived().Count);
            }
        }
    }

    [Fact]
    public async Task Names_with_dots_that_the_source_has_itself_stay_what_they_are()
    {
        using var job = new MaildirJob(MaildirLayout.Fs, MaildirLayout.Fs);
        _ = job.Deliver("example.org/cur/1.h:2,S", "Subject: dotted\n\n1\n");
        _ = job.Deliver("example/cur/2.h:2,S", "Subject: plain\n\n2\n");
        await job.RunAsync();
        _ = job.Deliver("example/org/cur/3.h:2,S", "Subject: nested\n\n3\n");
        await job.RunAsync();
        Assert.Equal(["example S Subject: plain\n\n2\n", "example.org S Subject: dotted\n\n1\n", "example/org S Subject: nested\n\n3\n"], job.Arrived());
    }

    [Theory]
    [InlineData("INBOX", "Work")]
    [InlineData("Work/Sub", "Lists/a")]
    [InlineData("", "Work")]
    [InlineData("Work.Sub", "Work")]
    public async Task The_layout_without_directories_is_refused_where_directories_hold_Maildirs(string one, string other)
    {
        using var job = new MaildirJob(MaildirLayout.Fs);
        _ = job.Deliver("Work/cur/1.h:2,S", "Subject: work\n\n1\n");
        Plant(job.Target, one, "1.o:2,S", "Subject: one\n\n1\n");
        Plant(job.Target, other, "2.o:2,S", "Subject: other\n\n1\n");
        var before = Directory.GetFileSystemEntries(job.Target, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();
        await job.RunAsync();
        Assert.Equal(JobOutcome.Failed, job.Report.Outcome);
        Assert.Contains("layout: fs", job.Problems, StringComparison.Ordinal);
        Assert.Equal(before, Directory.GetFileSystemEntries(job.Target, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_tree_of_the_programs_own_takes_whatever_lies_beside_it()
    {
        using var job = new MaildirJob();
        _ = job.Deliver("cur/1.h:2,S", "Subject: one\n\n1\n");
        await job.RunAsync();
        Plant(job.Target, "other", "1.o:2,S", "Subject: other\n\n1\n");
        _ = job.Deliver("cur/2.h:2,S", "Subject: two\n\n2\n");
        await job.RunAsync();
        Assert.Equal(1, job.Report.Totals.Copied);
    }

    /// <summary>Random folders together with their parents; at least one folder is two levels deep.</summary>
    private static List<string> Tree(Random random)
    {
        var folders = new SortedSet<string>(StringComparer.Ordinal) { "INBOX", "Work", "Work/Sub" };
        for (var n = random.Next(6); n > 0; n--)
        {
            var path = "";
            for (var depth = random.Next(1, 4); depth > 0; depth--)
                folders.Add(path = path.Length == 0 ? Names[random.Next(Names.Length)] : $"{path}/{Names[random.Next(Names.Length)]}");
        }

        // Two folders whose dot-joined names are equal can't both exist, so keep only one of them.
        return [.. folders.DistinctBy(f => f.Replace('/', '.'))];
    }

    private static void Plant(string root, string folder, string name, string text)
    {
        foreach (var part in (string[])["tmp", "new", "cur"])
            Directory.CreateDirectory(Path.Combine(root, folder, part));
        File.WriteAllText(Path.Combine(root, folder, "cur", name), text);
    }

    private static List<string> Tops(string root) => [.. Directory.GetDirectories(root).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal)];
}
