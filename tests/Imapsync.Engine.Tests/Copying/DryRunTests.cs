using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Engine.Tests.State;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>A dry run's report must equal the report of the real run that follows it.</summary>
public sealed class DryRunTests
{
    private static readonly string[] FolderNames = ["INBOX", "Sent", "Sent Items", "Lists/a"];
    private static readonly string[] FlagTexts = ["", "\\Seen", "\\Seen \\Flagged", "\\Answered $Work"];

    [Theory]
    [InlineData(FlagPolicy.Follow)]
    [InlineData(FlagPolicy.Once)]
    [InlineData(FlagPolicy.Exact)]
    [InlineData(FlagPolicy.Yield)]
    public async Task A_dry_run_reports_what_the_next_run_does(FlagPolicy flags)
    {
        var first = Seeds.Next();
        for (var seed = first; seed < first + 25; seed++)
            await CompareAsync(seed, flags);
    }

    [Fact]
    public async Task A_dry_run_counts_what_goes_to_a_target_that_is_not_there_yet()
    {
        var directory = Directory.CreateTempSubdirectory("imapsync-dry-");
        try
        {
            var source = new MemoryStore();
            source.Folder("INBOX").Add(MailboxFixture.Mail("one"));
            foreach (var target in new Endpoint[] { new MaildirEndpoint(Path.Combine(directory.FullName, "md")), new MboxEndpoint(Path.Combine(directory.FullName, "mbox")), new Engine.Stores.Eml.EmlEndpoint(Path.Combine(directory.FullName, "eml")) })
            {
                var job = new JobDefinition("job", new MaildirEndpoint("/source"), target) { StateDirectory = Path.Combine(directory.FullName, "state") };
                var runner = new JobRunner(TimeProvider.System, Openers.Both((endpoint, forWriting, context, c) => endpoint == target
                    ? Imapsync.Engine.Stores.StoreRegistry.OpenTargetAsync(endpoint, forWriting, context, c)
                    : Task.FromResult(source.Open())));
                var report = await runner.RunAsync(job, new RunOptions(DryRun: true), _ => { }, CancellationToken.None, TestContext.Current.CancellationToken);
                Assert.Equal((JobOutcome.Ok, 1L), (report.Outcome, report.Totals.Copied));
            }

            Assert.Empty(directory.EnumerateFileSystemInfos());
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task CompareAsync(int seed, FlagPolicy flags)
    {
        var random = new Random(seed);
        using var box = new MailboxFixture();
        box.Source.HasModSeq = random.Next(2) == 0;
        box.Target.HasModSeq = random.Next(2) == 0;
        // Sometimes the target is a backup. A run reports messages that are missing from a backup, or copies them again when it heals.
        box.Target.KeepsWhatItGets = random.Next(3) == 0;
        box.Job = box.Job with
        {
            Flags = flags,
            Deletions = (DeletionPolicy)random.Next(3),
            DeletionLimit = random.Next(2) == 0 ? new DeletionLimit(100, IsPercent: true) : new DeletionLimit(1, IsPercent: false),
            Messages = random.Next(3) switch
            {
                0 => new MessageFilter { Since = MemoryFolderState.Day(2) },
                1 => new MessageFilter { WithoutFlags = Imapsync.Imap.FlagSet.Parse(["\\Flagged"]) },
                _ => new MessageFilter(),
            },
            // Some jobs map two source folders to one target folder.
            Folders = random.Next(3) switch
            {
                0 => new FolderRules(),
                1 => new FolderRules { Map = new FolderRules().Map.Add(FolderPath.Parse("Sent Items"), FolderPath.Parse("Sent")) },
                _ => new FolderRules { Prefix = FolderPath.Parse("Old/mail") },
            },
        };
        for (var round = 0; round < 5; round++)
        {
            Disturb(box, random);
            if (random.Next(4) == 0)
                await BreakOffAsync(box, random.Next(4));
            var before = MailboxFixture.Describe(box.Target) + Shown(box.StateDirectory);
            var heals = random.Next(3) == 0;
            box.Source.Steps.Clear();
            var pretended = await box.RunAsync(dryRun: true, heals);
            Assert.Equal(before, MailboxFixture.Describe(box.Target) + Shown(box.StateDirectory));
            // A dry run may read messages to compare those with equal headers. It must not read messages to copy them.
            var reads = box.Source.Steps.Count(s => s == "read");
            box.Source.Steps.Clear();
            var real = await box.RunAsync(heal: heals);
            Assert.True(reads + Math.Min(1, real.Totals.Copied) <= box.Source.Steps.Count(s => s == "read"), $"seed {seed}, round {round}: the dry run read {reads} times");
            Assert.True(
                Describe(pretended) == Describe(real),
                $"seed {seed}, round {round}\n--- dry run\n{Describe(pretended)}\n--- run\n{Describe(real)}");
        }
    }

    /// <summary>Makes a run that fails at one of its appends and leaves its earlier changes in place.</summary>
    private static async Task BreakOffAsync(MailboxFixture box, int appends)
    {
        box.Target.OnStep = step =>
        {
            if (step == "append!" && --appends < 0)
                throw new MailException(FailureScope.Store, isTransient: false, "the end");
        };
        await box.RunAsync();
        box.Target.OnStep = _ => { };
    }

    private static string Shown(string directory) =>
        string.Join('\n', Directory.EnumerateFileSystemEntries(directory, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(f => $"{f} {(File.Exists(f) ? File.ReadAllText(f) : "")}"));

    private static void Disturb(MailboxFixture box, Random random)
    {
        for (var i = random.Next(8); i >= 0; i--)
        {
            var (store, name) = (random.Next(3) == 0 ? box.Target : box.Source, FolderNames[random.Next(FolderNames.Length)]);
            var path = FolderPath.Parse(name);
            switch (random.Next(12))
            {
                case < 5:
                    // Use few different texts, so that many messages are identical to one on the other side.
                    var text = MailboxFixture.Mail($"m{random.Next(6)}");
                    store.Folder(name).Add(text, FlagTexts[random.Next(FlagTexts.Length)], MemoryFolderState.Day(random.Next(5)));
                    break;
                case < 8 when store.Folders.TryGetValue(path, out var folder) && folder.Messages.Count > 0:
                    folder.SetFlags(folder.Messages[random.Next(folder.Messages.Count)].Uid, FlagTexts[random.Next(FlagTexts.Length)]);
                    break;
                case < 10 when store.Folders.TryGetValue(path, out var folder) && folder.Messages.Count > 0:
                    folder.Remove(folder.Messages[random.Next(folder.Messages.Count)].Uid);
                    break;
                case 10 when box.Source.Folders.Remove(path, out var moved):
                    // The folder is deleted or renamed. Its OBJECTID may or may not be known.
                    if (random.Next(3) > 0)
                        box.Source.Folders[FolderPath.Parse($"Moved {random.Next(100_000)}")] = moved;
                    break;
                case 11 when random.Next(3) == 0:
                    store.Folder(name).Renumber(store.NextValidity++);
                    break;
            }
        }

        foreach (var folder in box.Source.Folders.Values)
            folder.MailboxId ??= random.Next(2) == 0 ? $"id-{box.Source.NextValidity++}" : null;
    }

    private static string Describe(JobReport report) =>
        $"{report.Outcome} {report.Stop}\n{string.Join('\n', report.Folders)}\n{string.Join('\n', report.Problems)}\n{string.Join('\n', report.Notes)}";
}
