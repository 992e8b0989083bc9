using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.LocalFaults;

/// <summary>A backup whose disk is not mounted. Whatever its directory contains then, nothing is written there.</summary>
public sealed class UnmountedTargetTests : IDisposable
{
    private static readonly (string Name, Action<string> Put)[] Junk =
    [
        ("lost+found", root => Directory.CreateDirectory(Path.Combine(root, "lost+found"))),
        ("another account's Maildir", root => Maildir(Path.Combine(root, "bob"), "1.other:2,S")),
        ("another account's folder", root => Maildir(Path.Combine(root, ".Bobs"), "1.other:2,S")),
        ("another account's mbox", root => File.WriteAllText(Path.Combine(root, "Bobs"), "From bob Thu Jan  2 03:04:05 2020\nSubject: x\n\nx\n\n")),
        ("directories of no mail", root => Directory.CreateDirectory(Path.Combine(root, "photos", "2020"))),
        ("a note", root => File.WriteAllText(Path.Combine(root, "NOT MOUNTED"), "")),
        ("an empty Maildir", root => Maildir(root, "")),
        ("an empty folder", root => Maildir(Path.Combine(root, ".Work"), "")),
        ("an empty mbox", root => File.WriteAllText(Path.Combine(root, "INBOX"), "")),
        ("a disk's rubbish", root => Directory.CreateDirectory(Path.Combine(root, ".Trash-1000", "files"))),
    ];

    private readonly MailboxFixture box = new();
    private readonly string target = Directory.CreateTempSubdirectory("imapsync-unmounted-").FullName;

    public void Dispose()
    {
        box.Dispose();
        Directory.Delete(target, recursive: true);
    }

    [Theory]
    [InlineData("maildir")]
    [InlineData("fs")]
    [InlineData("mbox")]
    [InlineData("eml")]
    public async Task Nothing_is_written_whatever_else_lies_at_the_mount_point(string format)
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        var root = Path.Combine(target, "mail");
        box.Job = box.Job with
        {
            Target = format switch
            {
                "mbox" => new MboxEndpoint(root),
                "eml" => new EmlEndpoint(root),
                "fs" => new MaildirEndpoint(root, MaildirLayout.Fs),
                _ => new MaildirEndpoint(root),
            },
        };
        box.OpenTarget = StoreRegistry.OpenTargetAsync;
        for (var n = 0; n < 6; n++)
            box.Source.Folder(n % 2 == 0 ? "Work" : "INBOX").Add(MailboxFixture.Mail($"m{n}"));
        AssertGood(await box.RunAsync(), 6);
        Directory.Move(root, root + ".away");
        var summary = Path.Combine(box.StateDirectory, "summary");
        for (var round = 0; round < 25; round++)
        {
            Directory.CreateDirectory(root);
            var put = random.GetItems(Junk, random.Next(1, 5)).DistinctBy(j => j.Name)
                // Use an empty mbox as junk for mbox targets only. Junk is never mail in one of the job's folders, because a run accepts
                // such mail as an existing backup.
                .Where(j => j.Name != "an empty mbox" || format == "mbox").ToList();
            put.ForEach(j => j.Put(root));
            var before = Listing(root);
            var what = $"seed {seed}, round {round}: {string.Join(", ", put.Select(p => p.Name))}";
            if (random.Next(3) == 0)
                File.Delete(summary);
            var report = await box.RunAsync(dryRun: random.Next(4) == 0);
            Assert.True(report.Outcome == JobOutcome.Failed && report.Problems.Any(p => p.Text.Contains("--heal", StringComparison.Ordinal)), $"{what}\n{report.Outcome} {string.Join('\n', report.Problems)}");
            // The 'check' command reports the failure that a run would have.
            var check = await box.CheckAsync();
            Assert.True(!check.IsOk && check.Reason.Contains("--heal", StringComparison.Ordinal), $"{what}\n{check.Reason}");
            Assert.True(before.SequenceEqual(Listing(root)), $"{what}\n{string.Join(' ', before)}\n{string.Join(' ', Listing(root))}");
            Directory.Delete(root, recursive: true);
        }

        // Once the backup is mounted again, runs go on as before; once it is gone for good, --heal creates it anew.
        Directory.Move(root + ".away", root);
        AssertGood(await box.RunAsync(), 0);
        AssertGood(await box.RunAsync(), 0);
        Assert.Equal("", (await box.CheckAsync()).Reason);
        Directory.Delete(root, recursive: true);
        Directory.CreateDirectory(Path.Combine(root, "lost+found"));
        AssertGood(await box.RunAsync(heal: true), 6);
        AssertGood(await box.RunAsync(), 0);
    }

    [Fact]
    public async Task A_backup_that_lacks_some_of_its_folders_is_there()
    {
        box.Job = box.Job with { Target = new MaildirEndpoint(target) };
        box.OpenTarget = StoreRegistry.OpenTargetAsync;
        for (var n = 0; n < 6; n++)
            box.Source.Folder(n % 2 == 0 ? "Work" : "INBOX").Add(MailboxFixture.Mail($"m{n}"));
        AssertGood(await box.RunAsync(), 6);
        Directory.Delete(Path.Combine(target, ".Work"), recursive: true);
        AssertGood(await box.RunAsync(), 3);
    }

    private static void Maildir(string directory, string message)
    {
        foreach (var part in (string[])["tmp", "new", "cur"])
            Directory.CreateDirectory(Path.Combine(directory, part));
        if (message.Length > 0)
            File.WriteAllText(Path.Combine(directory, "cur", message), "Subject: other\n\nother\n");
    }

    private static List<string> Listing(string root) =>
        [.. Directory.GetFileSystemEntries(root, "*", SearchOption.AllDirectories).Select(e => Path.GetRelativePath(root, e)).Order(StringComparer.Ordinal)];

    private static void AssertGood(JobReport report, int copied)
    {
        Assert.True(report.Outcome == JobOutcome.Ok, string.Join('\n', report.Problems));
        Assert.Equal(copied, report.Totals.Copied);
    }
}
