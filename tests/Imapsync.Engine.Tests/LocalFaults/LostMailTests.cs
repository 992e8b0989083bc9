using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.LocalFaults;

/// <summary>A run treats a message as stored only if the backup really contains it. A record in the job's state is not enough.</summary>
public sealed class LostMailTests : IDisposable
{
    private readonly MailboxFixture box = new();
    private readonly string target = Directory.CreateTempSubdirectory("imapsync-lost-").FullName;

    public void Dispose()
    {
        box.Dispose();
        Directory.Delete(target, recursive: true);
    }

    [Fact]
    public async Task Messages_that_are_gone_from_a_Maildir_are_told_each_time_and_healed_when_asked_to()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        box.Job = box.Job with { Target = new MaildirEndpoint(target) };
        box.OpenTarget = StoreRegistry.OpenTargetAsync;
        const int messages = 12;
        for (var n = 0; n < messages; n++)
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail($"m{n}"));
        AssertGood(await box.RunAsync(), messages);
        for (var round = 0; round < 8; round++)
        {
            var files = Files();
            var lost = random.GetItems(files, random.Next(1, 5)).Distinct().ToList();
            lost.ForEach(File.Delete);
            // New mail at the source or target must not hide the loss, although it changes the message counts.
            if (random.Next(2) == 0)
                box.Source.Folder("INBOX").Add(MailboxFixture.Mail($"r{round}"));
            if (random.Next(2) == 0)
                await File.WriteAllTextAsync(Path.Combine(target, "new", $"{round}.theirs"), MailboxFixture.Mail($"t{round}"), TestContext.Current.CancellationToken);
            var what = $"seed {seed}, round {round}, {lost.Count} lost";
            for (var again = 0; again < 2; again++)
            {
                var told = await box.RunAsync();
                Assert.True(told.Outcome == JobOutcome.Incomplete, $"{what}, run {again}: {told.Outcome} {string.Join(' ', told.Problems)}");
                Assert.True(told.Problems.Any(p => p.Reason == "missing_at_target"), what);
                var counts = told.Totals;
                Assert.True(counts.SourceMessages == counts.Copied + counts.AlreadyPresent + counts.Skipped + counts.Failed && counts.Failed >= 1, what);
            }

            var healed = await box.RunAsync(heal: true);
            Assert.True(healed.Outcome == JobOutcome.Ok, $"{what}: {string.Join('\n', healed.Problems)}");
            AssertGood(await box.RunAsync(), 0);
            var there = Files().Select(File.ReadAllText).ToList();
            Assert.All(box.Source.Folders[FolderPath.Inbox].Messages, m =>
                Assert.Single(there, t => t == System.Text.Encoding.Latin1.GetString(m.Octets).Replace("\r\n", "\n", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task A_rotten_message_is_fetched_again_and_its_damaged_copy_goes()
    {
        box.Job = box.Job with { Target = new MaildirEndpoint(target) };
        box.OpenTarget = StoreRegistry.OpenTargetAsync;
        for (var n = 0; n < 5; n++)
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail($"m{n}"));
        AssertGood(await box.RunAsync(), 5);
        var rotten = Files()[2];
        var whole = await File.ReadAllTextAsync(rotten, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(rotten, whole.Replace("text", "tezt", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        AssertGood(await box.RunAsync(heal: true), 1);
        var there = Files().Select(File.ReadAllText).ToList();
        Assert.Equal(5, there.Count);
        Assert.Single(there, whole);
        AssertGood(await box.RunAsync(heal: true), 0);
    }

    /// <summary>
    /// Octets of an mbox change. A run with --heal copies each damaged message again and takes no damaged copy for a good one.
    /// </summary>
    [Fact]
    public async Task Whatever_octets_of_an_mbox_change_healing_brings_every_message_back()
    {
        var seed = Seeds.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        box.Job = box.Job with { Target = new MboxEndpoint(target) };
        box.OpenTarget = StoreRegistry.OpenTargetAsync;
        const int messages = 8;
        for (var n = 0; n < messages; n++)
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail($"m{n}", string.Concat(Enumerable.Repeat($"line {n}\r\n", 10))));
        AssertGood(await box.RunAsync(), messages);
        var file = Path.Combine(target, "INBOX");
        for (var round = 0; round < 12; round++)
        {
            var octets = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                var at = random.Next(octets.Length);
                // Only letters and digits are changed, so that the boundaries between messages stay intact.
                if (char.IsAsciiLetterOrDigit((char)octets[at]))
                    octets[at] = (byte)'#';
            }

            await File.WriteAllBytesAsync(file, octets, TestContext.Current.CancellationToken);
            if (random.Next(2) == 0)
                await box.RunAsync();
            var healed = await box.RunAsync(heal: true);
            Assert.True(healed.Outcome == JobOutcome.Ok, $"seed {seed}, round {round}: {string.Join('\n', healed.Problems)}");
            var there = await StoreReader.ReadAsync(box.Job.Target);
            var texts = there.Folders["INBOX"].Messages.Select(m => m.Digest).ToHashSet(StringComparer.OrdinalIgnoreCase);
            Assert.True(box.Source.Folder("INBOX").Messages.TrueForAll(m => texts.Contains(Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(m.Octets)))), $"seed {seed}, round {round}");
            AssertGood(await box.RunAsync(heal: true), 0);
        }
    }

    [Fact]
    public async Task A_message_that_is_gone_from_an_mbox_is_told()
    {
        box.Job = box.Job with { Target = new MboxEndpoint(target) };
        box.OpenTarget = StoreRegistry.OpenTargetAsync;
        for (var n = 0; n < 5; n++)
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail($"m{n}"));
        AssertGood(await box.RunAsync(), 5);
        AssertGood(await box.RunAsync(), 0);
        await using (var store = await StoreRegistry.OpenTargetAsync(box.Job.Target, true, new StoreContext(TimeProvider.System, _ => { }), TestContext.Current.CancellationToken))
        await using (var folder = await store.OpenForWritingAsync(FolderPath.Inbox, TestContext.Current.CancellationToken))
        {
            var uids = new UidSet();
            await foreach (var message in folder.ListAsync(new ListRequest(), TestContext.Current.CancellationToken))
                uids.Add(message.Uid);
            await folder.RemoveAsync(new UidSet([uids.Enumerate().First()]), null, TestContext.Current.CancellationToken);
        }

        var told = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, "missing_at_target"), (told.Outcome, Assert.Single(told.Problems).Reason));
        AssertGood(await box.RunAsync(heal: true), 1);
        AssertGood(await box.RunAsync(), 0);
    }

    [Theory]
    [InlineData("maildir", true, false)]
    [InlineData("maildir", false, false)]
    [InlineData("maildir", true, true)]
    [InlineData("mbox", true, false)]
    [InlineData("mbox", false, true)]
    [InlineData("eml", true, false)]
    [InlineData("eml", false, true)]
    public async Task A_backup_on_a_disk_that_is_not_mounted_is_not_made_anew_in_its_place_unless_healing_is_asked_for(string format, bool isThere, bool wasKilled)
    {
        var root = Path.Combine(target, "mail");
        box.Job = box.Job with { Target = format switch { "mbox" => new MboxEndpoint(root), "eml" => new EmlEndpoint(root), _ => new MaildirEndpoint(root) } };
        box.OpenTarget = StoreRegistry.OpenTargetAsync;
        for (var n = 0; n < 3; n++)
            box.Source.Folder(n == 2 ? "Work" : "INBOX").Add(MailboxFixture.Mail($"m{n}"));
        AssertGood(await box.RunAsync(), 3);
        if (wasKilled)
            File.Delete(Path.Combine(box.StateDirectory, "summary"));
        Directory.Move(root, root + ".away");
        if (isThere)
        {
            Directory.CreateDirectory(root);
            if (format == "maildir")
                await File.WriteAllTextAsync(Path.Combine(root, "NOT MOUNTED"), "", TestContext.Current.CancellationToken);
        }

        foreach (var dryRun in (bool[])[false, true, false])
        {
            var report = await box.RunAsync(dryRun);
            Assert.Equal(JobOutcome.Failed, report.Outcome);
            Assert.Contains("put 3 messages there", Assert.Single(report.Problems).Text, StringComparison.Ordinal);
            Assert.Equal(isThere, Directory.Exists(root));
            Assert.True(!isThere || Directory.GetDirectories(root).Length == 0);
        }

        if (isThere)
            Directory.Delete(root, recursive: true);
        Directory.Move(root + ".away", root);
        AssertGood(await box.RunAsync(), 0);
        Directory.Delete(root, recursive: true);
        AssertGood(await box.RunAsync(heal: true), 3);
        AssertGood(await box.RunAsync(), 0);
    }

    private static void AssertGood(JobReport report, int copied)
    {
        Assert.True(report.Outcome == JobOutcome.Ok, string.Join('\n', report.Problems));
        Assert.Equal(copied, report.Totals.Copied);
    }

    private string[] Files() => [.. Directory.GetFiles(Path.Combine(target, "cur")).Concat(Directory.GetFiles(Path.Combine(target, "new"))).Order(StringComparer.Ordinal)];
}
