using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Engine.Verifying;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Eml;

/// <summary>People, file systems and synchronisation programs changed the directories of a backup of .eml files.</summary>
public sealed class EmlTreeByHandTests : IDisposable
{
    private readonly MailboxFixture box = new();
    private readonly TemporaryDirectory directory = new();
    private readonly List<string> notes = [];

    public EmlTreeByHandTests()
    {
        box.Job = box.Job with { Target = new EmlEndpoint(Root), Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        box.OpenTarget = StoreRegistry.OpenTargetAsync;
    }

    private string Root => Path.Combine(directory.Path, "mail");

    private string Inbox => Path.Combine(Root, "INBOX");

    private string Index => Path.Combine(Inbox, EmlIndex.FileName);

    public void Dispose()
    {
        box.Dispose();
        directory.Dispose();
    }

    [Fact]
    public async Task An_index_of_a_later_version_ends_the_folder_and_stays_as_it_is()
    {
        Add("INBOX", 3);
        await OkAsync(3);
        await File.WriteAllBytesAsync(Index, EmlIndexTests.Later(), TestContext.Current.CancellationToken);
        Add("INBOX", 1);
        var report = await box.RunAsync();
        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        Assert.Contains(report.Problems, p => p.Text.Contains(Index, StringComparison.Ordinal) && p.Text.Contains("version 2", StringComparison.Ordinal));
        await Assert.ThrowsAsync<MailException>(() => StoreReader.ReadAsync(box.Job.Target));
        Assert.Equal(EmlIndexTests.Later(), await File.ReadAllBytesAsync(Index, TestContext.Current.CancellationToken));
        Assert.Equal(3, Files(Inbox).Count);
    }

    [Fact]
    public async Task As_a_source_a_folder_says_that_its_UIDs_are_not_lasting_where_files_were_renamed_or_the_index_is_damaged()
    {
        Add("INBOX", 4);
        await OkAsync(4);
        var (before, lastingBefore) = await ValiditiesAsync();
        Assert.Equal((before, false), (lastingBefore, before.IsNone));

        var whole = await File.ReadAllBytesAsync(Index, TestContext.Current.CancellationToken);
        foreach (var at in new[] { whole.Length - 3, whole.Length / 2, 3 })
        {
            var damaged = whole.ToArray();
            damaged[at] ^= 1;
            await File.WriteAllBytesAsync(Index, damaged, TestContext.Current.CancellationToken);
            Assert.Equal((UidValidity.None, UidValidity.None), await ValiditiesAsync());
        }

        await File.WriteAllBytesAsync(Index, whole, TestContext.Current.CancellationToken);
        Assert.Equal((before, before), await ValiditiesAsync());
        File.Move(Files(Inbox)[0], Path.Combine(Inbox, "renamed.eml"));
        // The renamed file keeps its UID. The folder reports no UIDVALIDITY, because a further rename might not be recognised.
        Assert.Equal((UidValidity.None, before), await ValiditiesAsync());
    }

    [Fact]
    public async Task As_a_source_it_loses_and_doubles_nothing_when_files_are_renamed_again_and_again()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        // Several of these files have the same size and time, so that only their contents distinguish them.
        for (var i = 0; i < 12; i++)
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail($"m{i:D2}"), i % 2 == 0 ? "\\Seen" : "Work", MemoryFolderState.Day(i / 3));
        await OkAsync(12);
        var copy = new MaildirEndpoint(Path.Combine(directory.Path, "copy"));
        var job = new JobDefinition("back", box.Job.Target, copy)
        {
            StateDirectory = Path.Combine(directory.Path, "state"),
            Deletions = DeletionPolicy.Mirror,
            DeletionLimit = new DeletionLimit(100, IsPercent: true),
        };
        Assert.Equal(12, (await RunAsync(job)).Totals.Copied);
        var expected = (await StoreReader.ReadAsync(copy)).Folders["INBOX"].Messages.Select(m => m.Digest).Order().ToList();
        for (var round = 0; round < 10; round++)
        {
            foreach (var file in Files(Inbox).Where(_ => random.Next(3) == 0))
                File.Move(file, Path.Combine(Inbox, $"{random.Next()}.eml"));
            var report = await RunAsync(job);
            Assert.True(report.Outcome == JobOutcome.Ok, $"seed {seed}, round {round}: {string.Join('\n', report.Problems)}");
            Assert.Equal((0L, 0L), (report.Totals.Copied, report.Totals.Deleted));
            Assert.Equal(expected, (await StoreReader.ReadAsync(copy)).Folders["INBOX"].Messages.Select(m => m.Digest).Order().ToList());
        }
    }

    [Fact]
    public async Task A_damaged_line_costs_neither_flags_nor_dates_of_the_other_messages()
    {
        Add("INBOX", 6);
        await OkAsync(6);
        var expected = (await StoreReader.ReadAsync(box.Job.Target)).Folders["INBOX"].Messages;
        var damaged = await File.ReadAllBytesAsync(Index, TestContext.Current.CancellationToken);
        damaged[damaged.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(Index, damaged, TestContext.Current.CancellationToken);
        Assert.InRange(expected.Except((await StoreReader.ReadAsync(box.Job.Target)).Folders["INBOX"].Messages).Count(), 0, 2);

        // Only the target is opened, so the flags in the damaged lines of the index can't be read from the source again.
        await using (var store = await StoreRegistry.OpenTargetAsync(box.Job.Target, true, new StoreContext(TimeProvider.System, notes.Add), TestContext.Current.CancellationToken))
            await (await store.OpenForWritingAsync(FolderPath.Inbox, TestContext.Current.CancellationToken)).DisposeAsync();
        Assert.Contains(notes, n => n.Contains("is damaged", StringComparison.Ordinal));
        Assert.InRange(expected.Except((await StoreReader.ReadAsync(box.Job.Target)).Folders["INBOX"].Messages).Count(), 0, 2);
        Add("INBOX", 1);
        await OkAsync(1);
        Assert.Empty(expected.Except((await StoreReader.ReadAsync(box.Job.Target)).Folders["INBOX"].Messages));
    }

    [Fact]
    public async Task An_older_index_put_back_gives_no_UID_to_another_message()
    {
        Add("INBOX", 3);
        await OkAsync(3);
        var older = await File.ReadAllBytesAsync(Index, TestContext.Current.CancellationToken);
        // The file names of these messages sort in another order than their UIDs.
        for (var i = 0; i < 3; i++)
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail($"later{i}", new string('x', i)), "\\Flagged", MemoryFolderState.Day(30 - i));
        await OkAsync(3);
        var expected = await StoreReader.ReadAsync(box.Job.Target);
        await File.WriteAllBytesAsync(Index, older, TestContext.Current.CancellationToken);
        Add("INBOX", 1);
        var report = await box.RunAsync();
        Assert.Contains(report.Problems, p => p.Reason == Reasons.MissingAtTarget);
        await box.RunAsync(heal: true);
        await OkAsync(0);
        Assert.Equal(7, Files(Inbox).Count);
        Assert.Empty(expected.Folders["INBOX"].Messages.Except((await StoreReader.ReadAsync(box.Job.Target)).Folders["INBOX"].Messages));
    }

    [Fact]
    public async Task Names_that_a_file_system_spells_in_another_way_are_the_same_names()
    {
        for (var i = 0; i < 4; i++)
            box.Source.Folder("INBOX").Add($"Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= {i}\r\nMessage-ID: <{i}@x.example>\r\n\r\nx\r\n", i % 2 == 0 ? "\\Seen Work" : "", MemoryFolderState.Day(1));
        await OkAsync(4);
        var expected = await StoreReader.ReadAsync(box.Job.Target);
        foreach (var file in Files(Inbox))
        {
            // HFS+ and some network shares store the character as a letter and a combining mark.
            var other = Path.Combine(Inbox, Path.GetFileName(file).Replace("ü", "u\u0308", StringComparison.Ordinal));
            Assert.NotEqual(file, other);
            File.Move(file, other);
            File.SetLastWriteTimeUtc(other, TimeProvider.System.GetUtcNow().UtcDateTime);
        }

        Assert.Equal("", (await StoreReader.ReadAsync(box.Job.Target)).DifferenceFrom(expected));
        box.Source.Folder("INBOX").SetFlags(1, "\\Seen Work \\Draft");
        await OkAsync(0);
        Assert.Equal(4, Files(Inbox).Count);
        Assert.Contains((await StoreReader.ReadAsync(box.Job.Target)).Folders["INBOX"].Messages, m => m.Flags == SnapshotMessage.Canonical(["\\Seen", "\\Draft", "Work"]));
    }

    [Theory]
    [InlineData(".stversions")]
    [InlineData(".Trash-1000/files")]
    [InlineData("$RECYCLE.BIN/S-1-5-21")]
    [InlineData("#recycle")]
    [InlineData("INBOX/@eaDir/x.eml")]
    [InlineData(".dropbox.cache/2026-11-29")]
    public async Task What_programs_keep_of_deleted_files_is_no_folder(string place)
    {
        Add("INBOX", 2);
        await OkAsync(2);
        var kept = Path.Combine(Root, place);
        Directory.CreateDirectory(kept);
        File.Copy(Files(Inbox)[0], Path.Combine(kept, "deleted long ago.eml"));
        Assert.Equal(["INBOX"], (await StoreReader.ReadAsync(box.Job.Target)).Folders.Keys);
        Add("INBOX", 1);
        var report = await OkAsync(1);
        Assert.Contains(report.Notes, n => n.Contains(kept.Split('/').First(l => ".@$#".Contains(l.FirstOrDefault('x'), StringComparison.Ordinal)), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("lost+found")]
    [InlineData("#recycle")]
    [InlineData("$RECYCLE.BIN/S-1")]
    [InlineData(".Trash-1000")]
    [InlineData(".stversions/files")]
    public async Task A_folder_may_have_the_name_of_such_a_directory(string folder)
    {
        Add("INBOX", 1);
        Add(folder, 2);
        await OkAsync(3);
        await OkAsync(0);
        Assert.Equal(2, (await StoreReader.ReadAsync(box.Job.Target)).Folders[folder].Messages.Count);
    }

    [Theory]
    [InlineData("note.txt", "just a note", true)]
    [InlineData("saved.txt", "From: a@example.com\r\nSubject: x\r\nDate: Mon, 02 Nov 2026 10:00:00 +0000\r\n\r\nmail\r\n", false)]
    [InlineData("all.mbox", "From a@example.com Mon Nov  2 10:00:00 2026\nFrom: a@example.com\nSubject: x\n\nmail\n", false)]
    public async Task A_source_with_mail_in_other_files_is_not_complete(string name, string text, bool isComplete)
    {
        Add("INBOX", 1);
        await OkAsync(1);
        await File.WriteAllTextAsync(Path.Combine(Inbox, name), text, TestContext.Current.CancellationToken);
        var report = await RunAsync(new JobDefinition("back", box.Job.Target, new MaildirEndpoint(Path.Combine(directory.Path, "copy"))) { StateDirectory = Path.Combine(directory.Path, "state") });
        Assert.Equal((isComplete ? JobOutcome.Ok : JobOutcome.Incomplete, 1), (report.Outcome, report.Totals.Copied));
    }

    [Fact]
    public async Task A_link_in_the_place_of_a_message_is_not_followed_and_healing_puts_the_message_beside_it()
    {
        Add("INBOX", 2);
        await OkAsync(2);
        var outside = Path.Combine(directory.Path, "outside");
        await File.WriteAllTextAsync(outside, "Subject: outside\r\n\r\nx\r\n", TestContext.Current.CancellationToken);
        var first = Files(Inbox)[0];
        File.Delete(first);
        File.CreateSymbolicLink(first, outside);
        Assert.Single((await box.VerifyAsync(new VerifyOptions(Full: true))).Findings, f => f.Kind == FindingKind.Unreadable);
        Assert.Equal(1, (await box.RunAsync(heal: true)).Totals.Copied);
        Assert.Equal(2, Files(Inbox).Count(f => new FileInfo(f).LinkTarget is null));
        Assert.Equal("Subject: outside\r\n\r\nx\r\n", await File.ReadAllTextAsync(outside, TestContext.Current.CancellationToken));
        Assert.Empty((await box.VerifyAsync(new VerifyOptions(Full: true))).Findings.Where(f => f.Kind != FindingKind.Extra));
    }

    [Fact]
    public async Task The_root_stays_INBOX_where_it_was_written_to_and_a_directory_of_that_name_is_told()
    {
        Directory.CreateDirectory(Root);
        await File.WriteAllTextAsync(Path.Combine(Root, "first.eml"), "Subject: first\r\n\r\nx\r\n", TestContext.Current.CancellationToken);
        Add("INBOX", 3);
        await OkAsync(3);
        Assert.Equal(4, Files(Root).Count);
        Directory.CreateDirectory(Inbox);
        File.Move(Files(Root)[0], Path.Combine(Inbox, "sorted.eml"));
        Add("INBOX", 1);
        var report = await box.RunAsync();
        Assert.Equal(1, report.Totals.Copied);
        Assert.Equal(4, Files(Root).Count);
        Assert.Contains(report.Notes, n => n.Contains(Inbox, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Whatever_a_person_does_to_the_tree_a_healing_run_has_each_message_in_place_and_no_more_than_that()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        string[] folders = ["INBOX", "Work", "Work/Büro"];
        foreach (var folder in folders)
            Add(folder, 6, random);
        await OkAsync(18);
        var theirs = new HashSet<string>();
        for (var round = 0; round < 15; round++)
        {
            var said = new StringBuilder($"seed {seed}, round {round}:");
            var spare = 0;
            for (var i = random.Next(1, 4); i > 0; i--)
                spare += Tidy(random, folders, theirs, said);
            Add(folders[random.Next(3)], random.Next(3), random);
            await box.RunAsync();
            await box.RunAsync(heal: true);
            var report = await box.RunAsync();
            Assert.True(report.Outcome == JobOutcome.Ok, $"{said}\n{string.Join('\n', report.Problems)}");
            Assert.Equal(0, report.Totals.Copied);

            var total = 0;
            foreach (var folder in folders)
            {
                var files = Files(Path.Combine(Root, folder));
                total += files.Count;
                var there = files.Select(f => Encoding.Latin1.GetString(File.ReadAllBytes(f))).ToHashSet();
                foreach (var message in box.Source.Folder(folder).Messages)
                    Assert.True(there.Contains(Encoding.Latin1.GetString(message.Octets)), $"{said}\nmissing from {folder}: {Encoding.Latin1.GetString(message.Octets)}");
            }

            Assert.Empty(theirs.Except(folders.SelectMany(f => Files(Path.Combine(Root, f))).Select(File.ReadAllText)));
            Assert.True(total <= box.Source.Folders.Values.Sum(f => f.Messages.Count) + theirs.Count + spare, $"{said}\n{total} files, {theirs.Count} theirs, {spare} spare\n{string.Join('\n', folders.SelectMany(f => Files(Path.Combine(Root, f))).Select(f => $"{f} {File.ReadAllText(f).Length}"))}");
            // Delete moved and copied files before the next round, because the program keeps them as a person's own mail.
            Purge(folders, theirs);
        }
    }

    /// <summary>Makes one change that a person or a program may make. Returns how many surplus files a run with --heal may leave.</summary>
    /// <param name="theirs">The contents of the files that a person added.</param>
    /// <param name="said">Receives a description of the change.</param>
    private int Tidy(Random random, string[] folders, HashSet<string> theirs, StringBuilder said)
    {
        var folder = Path.Combine(Root, folders[random.Next(3)]);
        var files = Files(folder).Where(f => !theirs.Contains(File.ReadAllText(f))).ToList();
        if (files.Count == 0)
            return 0;
        var file = files[random.Next(files.Count)];
        var other = Path.Combine(Root, folders[random.Next(3)]);
        var index = Path.Combine(folder, EmlIndex.FileName);
        var what = random.Next(13);
        said.Append(' ').Append(what).Append(' ').Append(Path.GetRelativePath(Root, file)).Append(';');
        switch (what)
        {
            case 0:
                File.Move(file, Path.Combine(folder, $"{random.Next()}.eml"));
                return 0;
            case 1:
                File.Delete(file);
                return 0;
            case 2:
                File.Move(file, Path.Combine(other, $"moved {random.Next()}.eml"));
                return 1;
            case 3:
                File.Copy(file, Path.Combine(other, $"copied {random.Next()}.eml"));
                return 1;
            case 4:
                var text = $"{(random.Next(2) == 0 ? "\ufeff" : "")}Subject: theirs {random.Next()}{(random.Next(2) == 0 ? "\r\n\r\nx\r\n" : "\n\nx\n")}";
                theirs.Add(text.TrimStart('\ufeff'));
                File.WriteAllText(Path.Combine(folder, $"theirs {random.Next()}.EML".ToLowerInvariant()), text);
                return 0;
            case 5:
                // The damaged file may remain, because --heal removes only messages that the job copied. It keeps those that the job found
                // at the target, for example after the index was lost. The same applies to the cases below.
                File.WriteAllText(file, "");
                return 1;
            case 6:
                foreach (var each in Directory.GetFiles(Root, "*.eml", SearchOption.AllDirectories))
                    File.SetLastWriteTimeUtc(each, TimeProvider.System.GetUtcNow().UtcDateTime);
                return 0;
            case 7 when File.Exists(index):
                File.Delete(index);
                return 0;
            case 8 when File.Exists(index):
                var damaged = File.ReadAllBytes(index);
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
                File.WriteAllBytes(index, damaged);
                return 0;
            case 9:
                // These are the files that Syncthing leaves if a file was changed on two machines.
                File.Copy(file, Path.ChangeExtension(file, $"sync-conflict-20261129-041200-{random.Next()}.eml"));
                if (File.Exists(index))
                    File.Copy(index, Path.Combine(folder, $".sync-conflict-20261129-041200-{random.Next()}{EmlIndex.FileName}"));
                File.WriteAllText(Path.Combine(folder, $".syncthing.{random.Next()}.eml.tmp"), "half a mess");
                return 1;
            case 10:
                var second = files[random.Next(files.Count)];
                File.Move(file, file + ".x");
                if (second != file)
                {
                    File.Move(second, file);
                    File.Move(file + ".x", second);
                }
                else
                {
                    File.Move(file + ".x", file);
                }

                // The contents of two files were exchanged. The run with --heal keeps both files as other mail, and copies both messages
                // again.
                return 2;
            case 11:
                // Replaces the directory's files by copies, as another program or a move to another disk does.
                var copy = folder + ".copy";
                Directory.CreateDirectory(copy);
                foreach (var each in Directory.GetFiles(folder))
                    File.Copy(each, Path.Combine(copy, Path.GetFileName(each)));
                foreach (var each in Directory.GetFiles(folder))
                    File.Delete(each);
                foreach (var each in Directory.GetFiles(copy))
                    File.Move(each, Path.Combine(folder, Path.GetFileName(each)));
                Directory.Delete(copy);
                return 0;
            default:
                File.AppendAllText(file, "changed");
                return 1;
        }
    }

    /// <summary>
    /// Deletes the files that are neither a person's nor a message of the source. Keeps only as many equal files as the source has equal
    /// messages.
    /// </summary>
    private void Purge(string[] folders, HashSet<string> theirs)
    {
        foreach (var folder in folders)
        {
            var wanted = box.Source.Folder(folder).Messages.Select(m => Encoding.Latin1.GetString(m.Octets)).ToHashSet();
            foreach (var file in Files(Path.Combine(Root, folder)))
            {
                if (!theirs.Contains(File.ReadAllText(file)) && !wanted.Remove(Encoding.Latin1.GetString(File.ReadAllBytes(file))))
                    File.Delete(file);
            }
        }
    }

    private void Add(string folder, int count, Random? random = null)
    {
        for (var i = 0; i < count; i++)
        {
            var number = box.Source.Folders.Values.Sum(f => f.Messages.Count) + (random?.Next() ?? 0);
            box.Source.Folder(folder).Add(
                MailboxFixture.Mail($"{folder.Length}.{number}", $"text {number}"), number % 2 == 0 ? "\\Seen Work" : "$Forwarded", MemoryFolderState.Day(number % 7));
        }
    }

    private async Task<(UidValidity Told, UidValidity Lasting)> ValiditiesAsync()
    {
        await using var store = await StoreRegistry.OpenAsync(box.Job.Target, new StoreContext(TimeProvider.System, notes.Add), TestContext.Current.CancellationToken);
        await using var folder = await store.OpenAsync(FolderPath.Inbox, TestContext.Current.CancellationToken);
        return (folder.Status.UidValidity, folder.LastingUidValidity);
    }

    private static List<string> Files(string folder) => [.. Directory.GetFiles(folder, "*.eml").Order(StringComparer.Ordinal)];

    private static Task<JobReport> RunAsync(JobDefinition job) =>
        new JobRunner(TimeProvider.System, StoreRegistry.Opener).RunAsync(job, new RunOptions(), _ => { }, CancellationToken.None, CancellationToken.None);

    private async Task<JobReport> OkAsync(int copied)
    {
        var report = await box.RunAsync();
        Assert.True(report.Outcome == JobOutcome.Ok, string.Join('\n', report.Problems));
        Assert.Equal(copied, report.Totals.Copied);
        return report;
    }
}
