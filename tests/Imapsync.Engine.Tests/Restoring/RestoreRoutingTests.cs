using System.Collections.Immutable;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Restoring;

/// <summary>
/// The job's <c>map</c> copied several source folders into one target folder. A restore must bring each message back to the right source
/// folder.
/// </summary>
public sealed class RestoreRoutingTests : IDisposable
{
    private readonly MailboxFixture box = new();
    private readonly MemoryStore account = new() { NextValidity = 9000 };

    public RestoreRoutingTests() => box.Job = box.Job with { Folders = Map(("Sent Items", "Sent"), ("Old/Sent", "Sent")) };

    public void Dispose() => box.Dispose();

    [Fact]
    public async Task Each_folder_gets_back_what_came_from_it()
    {
        Fill();
        await box.RunAsync();
        var report = await RestoreAsync();
        Assert.True(report.Outcome == JobOutcome.Ok, string.Join('\n', report.Problems));
        Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(account));
        Assert.Equal(0, (await RestoreAsync()).Totals.Copied);
    }

    /// <summary>
    /// The account was moved to another server, where a folder has another name. The job has records under both names for the same messages
    /// in the backup.
    /// </summary>
    [Fact]
    public async Task What_two_folders_claim_comes_back_once_to_the_one_that_is_there()
    {
        box.Job = box.Job with { Folders = Map(("New", "Old")) };
        foreach (var name in (string[])["Old", "New"])
        {
            box.Source.Folders.Clear();
            for (var n = 0; n < 3; n++)
                box.Source.Folder(name).Add(MailboxFixture.Mail($"m{n}"));
            Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        }

        Assert.Equal(3, box.Target.Folder("Old").Messages.Count);
        Assert.Equal(JobOutcome.Ok, (await RestoreAsync()).Outcome);
        Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(account));
        Assert.Equal(0, (await RestoreAsync()).Totals.Copied);
    }

    [Fact]
    public async Task Mail_that_nobody_knows_the_folder_of_is_not_lost()
    {
        Fill();
        await box.RunAsync();
        box.Target.Folder("Sent").Add(MailboxFixture.Mail("stray"));
        var report = await RestoreAsync();
        Assert.Equal(5, report.Totals.Copied);
        Assert.Contains(report.Notes, n => n.Contains("no folder is known for", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_checkpoints_two_folders_are_an_error_that_names_both_until_one_is_chosen()
    {
        Fill();
        await box.RunAsync();
        box.DeleteCheckpoints();
        var report = await RestoreAsync();
        var text = Assert.Single(report.Problems).Text;
        Assert.Contains("Old/Sent and of Sent Items", text, StringComparison.Ordinal);
        Assert.Empty(account.Folders);

        var chosen = await RestoreAsync("Sent Items");
        Assert.Equal((JobOutcome.Ok, 3L), (chosen.Outcome, chosen.Totals.Copied));
        Assert.Equal(["Sent Items"], account.Folders.Keys.Select(k => k.ToString()));
    }

    [Fact]
    public async Task Without_checkpoints_the_one_folder_of_the_map_is_meant()
    {
        box.Job = box.Job with { Folders = Map(("Sent Items", "Sent")) };
        box.Source.Folder("Sent Items").Add(MailboxFixture.Mail("a"));
        await box.RunAsync();
        box.DeleteCheckpoints();
        Assert.Equal(JobOutcome.Ok, (await RestoreAsync()).Outcome);
        Assert.Equal(["Sent Items"], account.Folders.Keys.Select(k => k.ToString()));
    }

    [Fact]
    public async Task What_the_backup_removed_comes_back_only_when_asked_for()
    {
        box.Job = box.Job with { Folders = new FolderRules(), Deletions = DeletionPolicy.Trash };
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("kept"));
        box.Target.Folder("Removed").Add(MailboxFixture.Mail("removed"));
        await box.RunAsync();
        Assert.Equal(1, (await RestoreAsync()).Totals.Copied);
        Assert.Equal(1, (await RestoreAsync("Removed")).Totals.Copied);
    }

    [Theory]
    [InlineData("memory")]
    [InlineData("maildir")]
    [InlineData("mbox")]
    [InlineData("eml")]
    public async Task A_removed_message_goes_back_by_its_id_to_the_folder_it_was_removed_from_and_only_once(string kind)
    {
        using var directory = new TempDir();
        if (kind != "memory")
        {
            box.Job = box.Job with { Target = kind switch { "mbox" => new MboxEndpoint(directory["backup"]), "eml" => new EmlEndpoint(directory["backup"]), _ => new MaildirEndpoint(directory["backup"]) } };
            box.OpenTarget = StoreRegistry.OpenTargetAsync;
        }

        box.Job = box.Job with { Folders = new FolderRules(), Deletions = DeletionPolicy.Trash, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        var lists = box.Source.Folder("Lists");
        foreach (var id in (string[])["a", "b", "c"])
            lists.Add(MailboxFixture.Mail(id), "\\Seen", DateTimeOffset.UnixEpoch.AddDays(20_000)); // A Maildir keeps the instant, not the zone.
        await box.RunAsync();
        var before = MailboxFixture.Describe(box.Source);
        for (var time = 0; time < 3; time++)
        {
            lists.Remove(lists.Messages.Find(m => System.Text.Encoding.Latin1.GetString(m.Octets).Contains("<b@", StringComparison.Ordinal))!.Uid);
            await box.RunAsync();
            for (var again = 0; again < 2; again++)
            {
                var report = await RestoreToSourceAsync("b@example.org");
                Assert.True(report.Outcome == JobOutcome.Ok, string.Join('\n', report.Problems.Select(p => p.Text).Concat(report.Notes)));
                Assert.Equal(before, MailboxFixture.Describe(box.Source));
                await RestoreToSourceAsync(null);
                Assert.Equal(before, MailboxFixture.Describe(box.Source));
                await box.RunAsync();
            }

            await RestoreToSourceAsync(null, "Removed");
            Assert.Equal(before, MailboxFixture.Describe(box.Source));
        }
    }

    [Fact]
    public async Task A_removed_message_of_unknown_origin_is_told_of_and_how_to_ask_for_it()
    {
        box.Job = box.Job with { Folders = new FolderRules(), Deletions = DeletionPolicy.Trash };
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("kept"));
        box.Target.Folder("Removed").Add(MailboxFixture.Mail("removed"));
        await box.RunAsync();
        var report = await RestoreToSourceAsync("removed@example.org");
        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        Assert.Contains("looked in INBOX", Assert.Single(report.Problems).Text, StringComparison.Ordinal);
        Assert.Contains(report.Notes, n => n.Contains("--folder 'Removed'", StringComparison.Ordinal));
        Assert.Equal(JobOutcome.Ok, (await RestoreToSourceAsync("removed@example.org", "Removed")).Outcome);
        Assert.Single(box.Source.Folder("Removed").Messages);
    }

    [Fact]
    public async Task An_interrupted_restore_goes_on_and_doubles_nothing()
    {
        Fill();
        await box.RunAsync();
        for (var step = 1; step < 12; step++)
        {
            account.Folders.Clear();
            var count = 0;
            account.OnStep = name => Fail(name.StartsWith("append", StringComparison.Ordinal) && ++count == step);
            await RestoreAsync();
            account.OnStep = _ => { };
            Assert.Equal(JobOutcome.Ok, (await RestoreAsync()).Outcome);
            Assert.True(MailboxFixture.Describe(box.Source) == MailboxFixture.Describe(account), $"interrupted at append step {step}");
        }
    }

    private static void Fail(bool now)
    {
        if (now)
            throw new MailException(FailureScope.Store, isTransient: false, "the line is dead");
    }

    private static FolderRules Map(params (string From, string To)[] map) =>
        new() { Map = map.ToImmutableDictionary(m => FolderPath.Parse(m.From), m => FolderPath.Parse(m.To)) };

    private void Fill()
    {
        box.Source.Folder("Sent Items").Add(MailboxFixture.Mail("a"), "\\Seen");
        box.Source.Folder("Sent Items").Add(MailboxFixture.Mail("b"), "$Work");
        box.Source.Folder("Old/Sent").Add(MailboxFixture.Mail("c"));
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("d"));
    }

    private async Task<JobReport> RestoreToSourceAsync(string? id, params string[] folders)
    {
        var job = new RestoreOrigin(box.Job, [.. folders]).ToJob(null, new MessageFilter { MessageIds = id is null ? [] : [id] });
        var runner = new JobRunner(
            TimeProvider.System,
            Openers.Both((endpoint, writable, context, c) => endpoint == job.Target ? Task.FromResult(box.Source.Open())
                : box.OpenTarget is { } open ? open(endpoint, writable, context, c)
                : Task.FromResult(box.Target.Open())),
            box.OpenState);
        return await runner.RunAsync(job, new RunOptions(), _ => { }, CancellationToken.None, TestContext.Current.CancellationToken);
    }

    private async Task<JobReport> RestoreAsync(params string[] folders)
    {
        var job = new RestoreOrigin(box.Job, [.. folders]).ToJob(new MaildirEndpoint("/account"), new MessageFilter());
        var runner = new JobRunner(
            TimeProvider.System, Openers.Both(endpoint => endpoint == job.Target ? account.Open() : box.Target.Open()), box.OpenState);
        return await runner.RunAsync(job, new RunOptions(), _ => { }, CancellationToken.None, TestContext.Current.CancellationToken);
    }
}
