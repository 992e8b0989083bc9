using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Restoring;

/// <summary>Restores from real files: which messages come back, which do not, and that the backup stays unchanged.</summary>
public sealed class RestoreTests : IDisposable
{
    private readonly BackupFixture box = new();

    public void Dispose() => box.Dispose();

    [Theory]
    [InlineData("maildir")]
    [InlineData("mbox")]
    [InlineData("eml")]
    public async Task The_awkward_set_comes_back_with_its_octets_flags_keywords_and_dates_and_only_once(string kind)
    {
        await box.FillAsync();
        var before = box.Fingerprint();
        Endpoint to = kind switch { "mbox" => new MboxEndpoint(box.Directory["to"]), "eml" => new EmlEndpoint(box.Directory["to"]), _ => new MaildirEndpoint(box.Directory["to"]) };

        var first = await box.OkAsync(box.Restore(to));
        Assert.Equal(first.Totals.SourceMessages, first.Totals.Copied);
        var expected = await StoreReader.ReadAsync(box.Backup.Source);
        Assert.Equal("", (await StoreReader.ReadAsync(to)).DifferenceFrom(expected));

        var second = await box.OkAsync(box.Restore(to));
        Assert.Equal((0L, first.Totals.Copied), (second.Totals.Copied, second.Totals.AlreadyPresent));
        Directory.Delete(box.Directory["state"], recursive: true);
        var withoutCheckpoints = await box.OkAsync(box.Restore(to));
        Assert.Equal((0L, first.Totals.Copied), (withoutCheckpoints.Totals.Copied, withoutCheckpoints.Totals.AlreadyPresent));
        Assert.Equal("", (await StoreReader.ReadAsync(to)).DifferenceFrom(expected));
        Assert.Equal(before, box.Fingerprint());
    }

    [Fact]
    public async Task To_where_it_came_from_only_what_is_missing_comes_back_and_what_is_missing_again_comes_again()
    {
        await box.FillAsync();
        var expected = await StoreReader.ReadAsync(box.Backup.Source);
        for (var time = 0; time < 2; time++)
        {
            File.Delete(Path.Combine(box.Directory["mbox"], "Awkward"));
            var report = await box.OkAsync(new RestoreOrigin(box.Backup, []).ToJob(null, new MessageFilter()));
            Assert.Equal(AwkwardMail.Messages().Count(), report.Totals.Copied);
            Assert.Equal("", (await StoreReader.ReadAsync(box.Backup.Source)).DifferenceFrom(expected));
        }
    }

    [Fact]
    public async Task Messages_come_back_by_their_ids_and_no_folder_is_made_for_the_others()
    {
        await box.FillAsync();
        var before = box.Fingerprint();
        var to = new MaildirEndpoint(box.Directory["to"]);
        var job = box.Restore(to, new MessageFilter { MessageIds = [MessageId.Normalize("<dup@x.example>"), "one@x.example"] });
        var pretended = await box.RunAsync(job, dryRun: true);
        Assert.False(Directory.Exists(to.Directory));

        var report = await box.RunAsync(job);
        Assert.Equal((JobOutcome.Ok, 3L), (report.Outcome, report.Totals.Copied));
        Assert.Equal((pretended.Totals, pretended.Outcome), (report.Totals, report.Outcome));
        var there = await StoreReader.ReadAsync(to);
        Assert.Equal([(AwkwardMail.Folder, 2), ("INBOX", 1)], there.Folders.Select(f => (f.Key, f.Value.Messages.Count)));
        Assert.Equal(0, (await box.RunAsync(job)).Totals.Copied);
        Assert.Equal(before, box.Fingerprint());
    }

    /// <summary>A restore reports how many messages are missing from the backup although the job recorded them.</summary>
    [Fact]
    public async Task What_is_gone_from_the_backup_is_told_and_decides_the_exit_status()
    {
        var seed = Seeds.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await box.FillAsync();
        var whole = box.Directory["whole"];
        Directory.Move(box.Directory["backup"], whole);
        for (var round = 0; round < 6; round++)
        {
            var copy = box.Directory["backup"];
            CopyTree(whole, copy);
            var lost = 0L;
            foreach (var folder in Directory.EnumerateDirectories(copy).Where(d => Directory.Exists(Path.Combine(d, "cur"))).Append(copy).Order(StringComparer.Ordinal).ToList())
            {
                var files = Directory.EnumerateFiles(Path.Combine(folder, "cur")).Concat(Directory.EnumerateFiles(Path.Combine(folder, "new"))).Order(StringComparer.Ordinal).ToList();
                switch (random.Next(round == 0 ? 1 : 5))
                {
                    case 1:
                        List<string> some = [.. files.Where(_ => random.Next(3) == 0)];
                        some.ForEach(File.Delete);
                        lost += some.Count;
                        break;
                    case 2 when folder != copy:
                        Directory.Delete(folder, recursive: true);
                        lost += files.Count;
                        break;
                    case 3 when files.Count > 0:
                        // Without the uidlist the messages get new UIDs. One message is deleted, too.
                        File.Delete(Path.Combine(folder, "dovecot-uidlist"));
                        File.Delete(files[0]);
                        lost++;
                        break;
                    default:
                        break;
                }
            }

            var report = await box.RunAsync(box.Restore(new MaildirEndpoint(box.Directory[$"to{round}"])));
            var told = report.Problems.Where(p => p.Reason == Reasons.MissingAtTarget).Sum(p => int.Parse(p.Text[(p.Text.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
            Assert.True(told == lost && report.Outcome == (lost == 0 ? JobOutcome.Ok : JobOutcome.Incomplete), $"seed {seed}, round {round}: {lost} lost, {told} told: {string.Join('\n', report.Problems)}");
            Assert.Equal(report.Totals.SourceMessages, report.Totals.Copied);
            Directory.Delete(copy, recursive: true);
        }
    }

    /// <summary>A folder missing from the backup is not reported if the job now excludes it or copies its mail to another folder.</summary>
    [Fact]
    public async Task What_the_job_has_left_behind_may_be_gone_from_the_backup()
    {
        await box.FillAsync();
        var rules = box.Backup.Folders;
        box.Backup = box.Backup with { Folders = rules with { Map = rules.Map.Add(FolderPath.Parse(AwkwardMail.Folder), FolderPath.Parse("Elsewhere")) } };
        await box.OkAsync(box.Backup);
        Directory.Delete(Path.Combine(box.Directory["backup"], "." + AwkwardMail.Folder), recursive: true);
        await box.OkAsync(box.Restore(new MaildirEndpoint(box.Directory["to"])));

        box.Backup = box.Backup with { Folders = rules with { Exclude = ["Awkward"] } };
        Directory.Delete(Path.Combine(box.Directory["backup"], ".Elsewhere"), recursive: true);
        await box.OkAsync(box.Restore(new MaildirEndpoint(box.Directory["to2"])));
    }

    private static void CopyTree(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var directory in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, directory)));
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            File.Copy(file, copy);
            File.SetLastWriteTimeUtc(copy, File.GetLastWriteTimeUtc(file));
        }
    }

    [Fact]
    public async Task An_id_that_no_message_has_is_told()
    {
        await box.FillAsync();
        var report = await box.RunAsync(box.Restore(new MaildirEndpoint(box.Directory["to"]), new MessageFilter { MessageIds = ["nobody@x.example"] }));
        Assert.Equal((JobOutcome.Incomplete, "not_found"), (report.Outcome, Assert.Single(report.Problems).Reason));
    }

    [Fact]
    public async Task A_range_of_dates_comes_back()
    {
        await box.FillAsync();
        var to = new MboxEndpoint(box.Directory["to"]);
        var filter = new MessageFilter { Since = BackupFixture.Day(2), Before = BackupFixture.Day(6) };
        var report = await box.OkAsync(box.Restore(to, filter, AwkwardMail.Folder));
        Assert.Equal((4L, report.Totals.SourceMessages - 4), (report.Totals.Copied, report.Totals.Skipped));
        Assert.Equal([2, 3, 4, 5], (await StoreReader.ReadAsync(to)).Folders[AwkwardMail.Folder].Messages.Select(m => (m.InternalDate - BackupFixture.Day(0)).Days).Order());
    }

    [Fact]
    public async Task Folders_are_chosen_by_globs_and_a_glob_that_fits_none_is_an_error()
    {
        await box.FillAsync();
        var to = new MaildirEndpoint(box.Directory["to"]);
        await box.OkAsync(box.Restore(to, null, "deep/**", "日本語"));
        Assert.Equal(["deep/a/b/c/d/e/f/g/h", "日本語"], (await StoreReader.ReadAsync(to)).Folders.Where(f => f.Value.Messages.Count > 0).Select(f => f.Key));

        var none = await box.RunAsync(box.Restore(to, null, "Nowhere"));
        Assert.Equal(JobOutcome.Failed, none.Outcome);
        Assert.Contains("no folder fits Nowhere", Assert.Single(none.Problems).Text, StringComparison.Ordinal);

        // If only one of several globs fits no folder, this is reported, too: the mail that it was meant for is not restored.
        var some = await box.RunAsync(box.Restore(to, null, "日本語", "Nowhere"));
        Assert.Equal(JobOutcome.Incomplete, some.Outcome);
        Assert.Equal(Reasons.NotFound, Assert.Single(some.Problems).Reason);
        Assert.StartsWith("no folder fits Nowhere; there are ", some.Problems[0].Text, StringComparison.Ordinal);
    }
}
