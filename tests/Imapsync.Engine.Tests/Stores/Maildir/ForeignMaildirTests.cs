using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Maildir;

/// <summary>
/// A job runs over several nights from a Maildir that other programs write. Nothing is skipped silently, and nothing arrives twice.
/// </summary>
public sealed class ForeignMaildirTests : IDisposable
{
    private readonly MaildirJob job = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => job.Dispose();

    [Fact]
    public async Task Files_that_share_a_unique_name_are_messages_of_their_own()
    {
        _ = job.Deliver("cur/1.h:2,S", "Subject: one\n\n1\n");
        _ = job.Deliver("cur/1.h:2,RS", "Subject: two\n\n2\n");
        _ = job.Deliver("new/1.h", "Subject: three\n\n3\n");
        _ = job.Deliver("cur/1.h:2,FS.sync-conflict-20200101", "Subject: four\n\n4\n");
        _ = job.Deliver("cur/2.h:2,S", "Subject: same\n\n5\n");
        _ = job.Deliver("new/2.h", "Subject: same\n\n5\n");
        for (var night = 0; night < 3; night++)
        {
            await job.RunAsync();
            Assert.Equal(JobOutcome.Ok, job.Report.Outcome);
            Assert.Equal(5, job.Report.Totals.SourceMessages);
            Assert.Equal(5, job.Arrived().Count);
        }
    }

    [Fact]
    public async Task A_file_with_a_name_that_was_there_already_arrives_and_removing_one_removes_that_one()
    {
        job.Definition = job.Definition with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(10, IsPercent: false) };
        var first = job.Deliver("cur/1.h:2,S", "Subject: one\n\n1\n");
        _ = job.Deliver("cur/2.h:2,S", "Subject: other\n\no\n");
        await job.RunAsync();
        var second = job.Deliver("cur/1.h:2,RS", "Subject: two\n\n2\n");
        await job.RunAsync();
        Assert.Equal(3, job.Arrived().Count);
        File.Delete(first);
        File.Move(second, Path.Combine(job.Source, "cur/1.h:2,FRS"));
        await job.RunAsync();
        Assert.Equal([". FRS Subject: two\n\n2\n", ". S Subject: other\n\no\n"], job.Arrived());
        Assert.Equal(JobOutcome.Ok, job.Report.Outcome);
    }

    /// <summary>
    /// The job assigns UIDs in a folder without a uidlist. A restore may write a uidlist with other UIDs in the same second. The job's
    /// UIDVALIDITYs start at 2^31, so that the two never agree.
    /// </summary>
    [Fact]
    public async Task UIDs_remembered_are_never_under_the_UIDVALIDITY_of_a_uidlist_made_at_the_same_time()
    {
        _ = job.Deliver("cur/1.h:2,S", "Subject: one\n\n1\n");
        await job.RunAsync();
        var names = Directory.GetFiles(job.Definition.StateDirectory, "*.names", SearchOption.AllDirectories).Single();
        var validity = uint.Parse(File.ReadLines(names).First().Split(' ')[2][1..], System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(validity >= 1u << 31);
    }

    [Fact]
    public async Task A_target_gives_files_that_share_a_name_names_of_their_own()
    {
        _ = job.Deliver("cur/9.h:2,S", "Message-ID: <b@x>\nSubject: two\n\n2\n");
        foreach (var part in (string[])["tmp", "new", "cur"])
            Directory.CreateDirectory(Path.Combine(job.Target, part));
        await File.WriteAllTextAsync(Path.Combine(job.Target, "cur/1.h:2,S"), "Message-ID: <a@x>\nSubject: one\n\n1\n", Token);
        await File.WriteAllTextAsync(Path.Combine(job.Target, "cur/1.h:2,RS"), "Message-ID: <b@x>\nSubject: two\n\n2\n", Token);
        await job.RunAsync();
        Assert.Equal(JobOutcome.Ok, job.Report.Outcome);
        Assert.Equal(2, job.Arrived().Count);
        Assert.Equal(1, job.Report.Totals.AlreadyPresent);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Flags_and_removals_follow_without_a_uidlist_and_with_one_that_does_not_list_all(bool withList)
    {
        job.Definition = job.Definition with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(10, IsPercent: false) };
        for (var i = 1; i <= 4; i++)
            _ = job.Deliver($"cur/{i}.h:2,FS", $"Subject: {i}\n\nwithout Message-ID, nul \0 and\r\r\nline ends\n");
        if (withList)
            await File.WriteAllTextAsync(Path.Combine(job.Source, "dovecot-uidlist"), "3 V77 N3 G0\n1 :1.h\n2 :2.h\n", Token);
        var before = Directory.GetFileSystemEntries(job.Source, "*", SearchOption.AllDirectories);
        await job.RunAsync();
        await job.RunAsync();
        Assert.Equal(before, Directory.GetFileSystemEntries(job.Source, "*", SearchOption.AllDirectories));
        Assert.Equal(4, job.Arrived().Count);

        File.Move(Path.Combine(job.Source, "cur/1.h:2,FS"), Path.Combine(job.Source, "cur/1.h:2,"));
        File.Move(Path.Combine(job.Source, "cur/3.h:2,FS"), Path.Combine(job.Source, "cur/3.h:2,R"));
        File.Delete(Path.Combine(job.Source, "cur/2.h:2,FS"));
        File.Delete(Path.Combine(job.Source, "cur/4.h:2,FS"));
        _ = job.Deliver("new/5.h", "Subject: 5\n\nnew\n");
        if (withList)
            await File.WriteAllTextAsync(Path.Combine(job.Source, "dovecot-uidlist"), "3 V77 N6 G0\n1 :1.h\n2 :2.h\n3 :3.h\n4 :4.h\n5 :5.h\n", Token);
        await job.RunAsync();
        Assert.Equal(JobOutcome.Ok, job.Report.Outcome);
        Assert.Equal(2, job.Report.Totals.Deleted);
        Assert.Equal(1, job.Report.Totals.Copied);
        Assert.Equal(["", "", "R"], job.Arrived().Select(a => a.Split(' ')[1]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_the_targets_user_took_away_stays_away()
    {
        _ = job.Deliver("cur/1.h:2,F", "Subject: 1\n\n1\n");
        await job.RunAsync();
        var arrived = Assert.Single(Directory.GetFiles(Path.Combine(job.Target, "cur")));
        File.Move(arrived, arrived[..(arrived.LastIndexOf(',') + 1)]);
        await job.RunAsync();
        Assert.Equal([".  Subject: 1\n\n1\n"], job.Arrived());
    }

    [Fact]
    public async Task Another_directory_in_its_place_is_met_anew_and_nothing_is_removed()
    {
        job.Definition = job.Definition with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(10, IsPercent: false) };
        _ = job.Deliver("cur/1.h:2,S", "Message-ID: <1@x>\nSubject: 1\n\n1\n");
        await job.RunAsync();
        _ = job.Deliver("../other/cur/7.h:2,S", "Message-ID: <7@x>\nSubject: 7\n\n7\n");
        job.Definition = job.Definition with { Source = new MaildirEndpoint(Path.Combine(job.Root, "other")) };
        await job.RunAsync();
        Assert.Equal(2, job.Arrived().Count);
    }

    [Fact]
    public async Task What_is_no_file_costs_itself_alone_and_never_waits()
    {
        for (var i = 1; i <= 3; i++)
            _ = job.Deliver($"cur/{i}.h:2,S", $"Subject: {i}\n\n{i}\n");
        var outside = job.Deliver("../elsewhere/cur/x", "Subject: outside\n\n");
        File.CreateSymbolicLink(Path.Combine(job.Source, "cur/4.h:2,S"), outside);
        File.CreateSymbolicLink(Path.Combine(job.Source, "cur/5.h:2,S"), "nowhere");
        File.CreateSymbolicLink(Path.Combine(job.Source, "cur/6.h:2,S"), "6.h:2,S");
        Run("mkfifo", Path.Combine(job.Source, "cur/7.h:2,S"));
        Directory.CreateDirectory(Path.Combine(job.Source, "cur/8.h:2,S"));
        await job.RunAsync();
        await job.RunAsync();
        Assert.Equal(JobOutcome.Incomplete, job.Report.Outcome);
        Assert.Equal(3, job.Arrived().Count);
        Assert.Equal(4, job.Report.Totals.Failed);
        Assert.All((string[])["4.h", "5.h", "6.h", "7.h", "8.h"], name => Assert.Contains(name, job.Problems, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_becomes_of_keywords_is_told_with_the_right_reason()
    {
        _ = job.Deliver("cur/1.h:2,Sab", "Subject: one\n\n");
        var letters = string.Join('\n', Enumerable.Range(0, 26).Select(i => i == 0 ? "0 two words" : $"{i} k{i}"));
        await File.WriteAllTextAsync(Path.Combine(job.Source, "dovecot-keywords"), letters, Token);
        Directory.CreateDirectory(Path.Combine(job.Source, "courierimapkeywords"));
        await job.RunAsync();
        Assert.Equal(JobOutcome.Ok, job.Report.Outcome);
        Assert.Contains(job.Report.Notes, n => n.Contains("'two words'", StringComparison.Ordinal) && n.Contains("can't be kept in a Maildir", StringComparison.Ordinal));
        Assert.DoesNotContain(job.Report.Notes, n => n.Contains("has room for", StringComparison.Ordinal));
        Assert.Contains(job.Report.Notes, n => n.Contains("courierimapkeywords are not read", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("subscriptions", 3)]
    [InlineData(".A/dovecot-uidlist", 2)]
    [InlineData(".A/dovecot-keywords", 2)]
    public async Task A_pipe_in_the_place_of_a_list_is_told_and_the_rest_is_copied(string name, int arrive)
    {
        _ = job.Deliver("cur/1.h:2,S", "Subject: 1\n\n");
        _ = job.Deliver(".A/cur/1.h:2,S", "Subject: 1\n\n");
        _ = job.Deliver(".B/cur/1.h:2,S", "Subject: 1\n\n");
        Run("mkfifo", Path.Combine(job.Source, name));
        await job.RunAsync();
        Assert.Equal(JobOutcome.Incomplete, job.Report.Outcome);
        Assert.Contains(Path.GetFileName(name), job.Problems, StringComparison.Ordinal);
        Assert.Equal(arrive, job.Arrived().Count);
    }

    [Fact]
    public async Task A_name_that_is_no_utf8_is_told()
    {
        _ = job.Deliver("cur/1.h:2,S", "Subject: 1\n\n1\n");
        Run("sh", "-c", "printf 'Subject: 2\\n\\n' > \"$(printf 'cur/2.h\\303\\050\\374:2,S')\"; mkdir -p \"$(printf '.Entw\\374rfe')/cur\"", job.Source);
        await job.RunAsync();
        Assert.Equal(JobOutcome.Incomplete, job.Report.Outcome);
        Assert.Contains("2.h", job.Problems, StringComparison.Ordinal);
        Assert.Contains(".Entw", job.Problems, StringComparison.Ordinal);
        _ = Assert.Single(job.Arrived());

        // The .NET runtime can't delete a file whose name it can't decode, so use rm.
        Run("rm", "-rf", job.Source);
    }

    [Fact]
    public async Task Compressed_files_are_unpacked_or_told_and_never_copied_as_they_are()
    {
        var mail = Encoding.ASCII.GetBytes("Subject: packed\n\n" + string.Concat(Enumerable.Repeat("text\n", 500)));
        _ = job.Folder("");
        await PackAsync($"cur/1.h,S={mail.Length}:2,S", mail);
        await PackAsync("cur/2.h:2,S", mail);
        await PackAsync($"cur/3.h,S={mail.Length + 1}:2,S", mail);
        await File.WriteAllBytesAsync(Path.Combine(job.Source, $"cur/4.h,S={mail.Length}:2,S"), [.. "BZh91AY"u8, 1, 2, 3], Token);
        await File.WriteAllBytesAsync(Path.Combine(job.Source, $"cur/5.h,S={mail.Length}:2,S"), [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 1], Token);
        await File.WriteAllBytesAsync(Path.Combine(job.Source, $"cur/6.h,S={mail.Length}:2,S"), [0x28, 0xb5, 0x2f, 0xfd, 1], Token);
        await File.WriteAllBytesAsync(Path.Combine(job.Source, $"cur/7.h,S={mail.Length}:2,S"), [0x1f, 0x8b, 8, 1], Token);
        for (var night = 0; night < 2; night++)
        {
            await job.RunAsync();
            Assert.Equal(JobOutcome.Incomplete, job.Report.Outcome);
            Assert.Equal(5, job.Report.Totals.Failed);
            Assert.Equal(Enumerable.Repeat($". S {Encoding.ASCII.GetString(mail)}", 2), job.Arrived());
        }

        Assert.Contains("zstd", job.Problems, StringComparison.Ordinal);
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task Directories_above_a_target_belong_to_their_owner_alone()
    {
        _ = job.Deliver("cur/1.h:2,S", "Subject: 1\n\n1\n");
        job.Definition = job.Definition with { Target = new MaildirEndpoint(Path.Combine(job.Root, "a/b/c")) };
        await job.RunAsync();
        foreach (var made in (string[])["a", "a/b", "a/b/c", "a/b/c/cur"])
            Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(Path.Combine(job.Root, made)) & (UnixFileMode)0b111_111);
    }

    [Fact]
    public async Task Nothing_is_lost_over_nights_of_any_changes()
    {
        var seed = Seeds.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        job.Definition = job.Definition with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(1000, IsPercent: false) };
        var (bodies, names) = (0, 0);
        _ = job.Folder("");
        for (var night = 0; night < 12; night++)
        {
            // Real Maildirs don't reuse the unique name of a deleted file. So in a night in which a new file gets an existing name, no file
            // of that name is deleted.
            var before = Directory.GetFiles(job.Source, "*.h*", SearchOption.AllDirectories);
            var touched = new HashSet<string>(StringComparer.Ordinal);
            for (var n = random.Next(4); n >= 0; n--)
            {
                var old = before.Length > 0 && random.Next(2) == 0 ? Path.GetFileName(before[random.Next(before.Length)]).Split(':')[0] : null;
                var unique = old ?? $"{++names}.h";
                touched.Add(unique);
                var info = random.Next(3) == 0 ? "" : $":2,{(random.Next(2) == 0 ? "F" : "")}{(random.Next(2) == 0 ? "S" : "")}";
                var file = Path.Combine(job.Source, info.Length == 0 ? "new" : "cur", unique + info);
                if (!File.Exists(file))
                    await File.WriteAllTextAsync(file, $"Subject: s\n\nbody {++bodies} \0\n", Token);
            }

            foreach (var file in before)
            {
                if (random.Next(6) == 0 && !touched.Contains(Path.GetFileName(file).Split(':')[0]))
                    File.Delete(file);
            }

            if (random.Next(2) == 0)
            {
                var all = Directory.GetFiles(Path.Combine(job.Source, "cur")).Concat(Directory.GetFiles(Path.Combine(job.Source, "new")));
                var listed = all.Select(f => Path.GetFileName(f).Split(':')[0]).Distinct().Order(StringComparer.Ordinal).Take(random.Next(3)).Select((f, i) => $"{i + 1} :{f}\n");
                await File.WriteAllTextAsync(Path.Combine(job.Source, "dovecot-uidlist"), $"3 V{1000 + night} N900 G0\n{string.Concat(listed)}", Token);
            }

            await job.RunAsync();
            var there = Directory.GetFiles(job.Source, "*.h*", SearchOption.AllDirectories).Select(File.ReadAllText).Order(StringComparer.Ordinal);
            var arrived = Directory.GetFiles(job.Target, "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(Path.GetDirectoryName(f)) is "cur" or "new").Select(File.ReadAllText).ToHashSet(StringComparer.Ordinal);
            Assert.All(there, text => Assert.True(arrived.Contains(text), $"night {night}, seed {seed}: {text} is nowhere"));
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program);
        if (program == "sh")
            start.WorkingDirectory = arguments[2];
        foreach (var argument in arguments.Take(2))
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private async Task PackAsync(string name, byte[] mail)
    {
        await using var packed = new GZipStream(File.Create(Path.Combine(job.Source, name)), CompressionLevel.Fastest);
        await packed.WriteAsync(mail, Token);
    }
}
