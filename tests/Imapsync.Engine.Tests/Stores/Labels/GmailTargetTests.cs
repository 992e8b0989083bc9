using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support.Gmail;

namespace Imapsync.Engine.Tests.Stores.Labels;

/// <summary>Gmail as the target of <c>labels: keywords</c>: one copy of each message, with the labels set on this copy.</summary>
public sealed class GmailTargetTests
{
    [Fact]
    public async Task Labels_are_set_on_the_one_copy()
    {
        await using var box = new GmailPair();
        box.Fill();
        var report = await box.RunAsync();
        Assert.Equal(JobOutcome.Ok, report.Outcome);
        Assert.Equal(GmailPair.Describe(box.Source.Account), GmailPair.Describe(box.Target.Account));
    }

    [Fact]
    public async Task A_second_run_appends_and_stores_nothing()
    {
        await using var box = new GmailPair();
        box.Fill();
        await box.RunAsync();
        box.Target.Forget();
        Assert.Equal(0, (await box.RunAsync()).Totals.Copied);
        Assert.DoesNotContain(box.Target.Commands, c => c.StartsWith("APPEND", StringComparison.Ordinal) || c.StartsWith("UID STORE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Changed_labels_follow_and_the_targets_own_stay()
    {
        await using var box = new GmailPair();
        box.Fill();
        await box.RunAsync();
        box.Source.Account.Change(() => box.Source.Account.Messages[0].Labels.Remove("\\Inbox"));
        box.Source.Account.Change(() => box.Source.Account.Messages[0].Labels.Add("Very \"new\""));
        box.Target.Account.Change(() => box.Target.Account.Messages[0].Labels.Add("Mine"));
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        Assert.Equal(["Mine", "Very \"new\"", "Work"], box.Target.Account.Messages[0].Labels.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_message_that_the_target_has_already_gets_the_labels_and_no_second_copy()
    {
        await using var box = new GmailPair();
        box.Fill();
        box.Target.Account.Deliver(GmailFixture.Mail("both"), "Mine");
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 1L), (report.Outcome, report.Totals.AlreadyPresent));
        Assert.Equal(["Mine", "Work", "\\Inbox"], box.Target.Account.Messages[0].Labels.Order(StringComparer.Ordinal));
        Assert.Equal(2, box.Target.Account.Messages.Count);
    }

    [Fact]
    public async Task An_append_that_is_thrown_away_is_told_and_not_repeated()
    {
        await using var box = new GmailPair();
        box.Fill();
        // Somebody delivers the same message to the target after the run has listed the target's mail.
        box.Target.OnCommand = c =>
        {
            if (c.StartsWith("APPEND", StringComparison.Ordinal) && box.Target.Account.Messages.Count == 0)
                box.Target.Account.Deliver(GmailFixture.Mail("both"));
        };
        Assert.Equal((JobOutcome.Ok, 2L), await box.OutcomeAsync());
        Assert.Contains(box.Notes, n => n.Contains("threw", StringComparison.Ordinal) && n.Contains("Work", StringComparison.Ordinal));
        Assert.Equal(2, box.Target.Account.Messages.Count);
        box.Target.Forget();
        Assert.Equal((JobOutcome.Ok, 0L), await box.OutcomeAsync());
        Assert.DoesNotContain(box.Target.Commands, c => c.StartsWith("APPEND", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_message_to_be_deleted_is_not_filed_away()
    {
        await using var box = new GmailPair();
        box.Fill();
        box.Source.Account.Change(() => box.Source.Account.Messages[0].Flags.Add("\\Deleted"));
        await box.RunAsync();
        Assert.DoesNotContain("\\Deleted", box.Target.Account.Messages[0].Flags);
        Assert.Equal(["Work", "\\Inbox"], box.Target.Account.Messages[0].Labels.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Cut_after_any_command_each_message_is_there_once_with_its_labels()
    {
        var commands = 0;
        await using (var box = new GmailPair())
        {
            box.Fill();
            box.Target.CutsAfter = _ => ++commands < 0;
            await box.RunAsync();
        }

        Assert.True(commands > 10, $"only {commands} commands");
        for (var at = 1; at <= commands; at++)
        {
            await using var box = new GmailPair();
            box.Fill();
            var count = 0;
            box.Target.CutsAfter = _ => ++count == at;
            await box.RunAsync();
            Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
            Assert.Equal($"command {at}\n" + GmailPair.Describe(box.Source.Account), $"command {at}\n" + GmailPair.Describe(box.Target.Account));
        }
    }

    [Fact]
    public async Task A_label_that_may_not_be_set_is_noted_and_the_others_are_set()
    {
        await using var box = new GmailPair();
        box.Fill();
        box.Target.RefusedLabels.Add("Work");
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        Assert.Equal(["\\Inbox"], box.Target.Account.Messages[0].Labels);
        Assert.Contains(box.Notes, n => n.Contains("Work", StringComparison.Ordinal) && n.Contains("Invalid label", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_vanished_goes_to_the_targets_trash()
    {
        await using var box = new GmailPair();
        box.Fill();
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(10, false) };
        await box.RunAsync();
        var gone = box.Source.Account.Messages[0];
        box.Source.Account.Expunge(box.Source.Account.Find(box.Source.Account.Trash)!, gone);
        Assert.Equal(1, (await box.RunAsync()).Totals.Deleted);
        Assert.Equal([GmailPlace.Trash, GmailPlace.All], box.Target.Account.Messages.Select(m => m.Place));
    }

    [Fact]
    public async Task A_backup_made_with_keywords_gives_the_labels_back()
    {
        await using var box = new GmailPair();
        box.Fill();
        var target = box.Job.Target;
        box.Job = box.Job with { Target = new MaildirEndpoint(box.Directory) };
        await box.RunAsync();
        box.Job = new RestoreOrigin(box.Job, []).ToJob(target, new MessageFilter());
        Assert.Equal((JobOutcome.Ok, 2L), await box.OutcomeAsync());
        Assert.Equal(GmailPair.Describe(box.Source.Account), GmailPair.Describe(box.Target.Account));
        Assert.Equal((JobOutcome.Ok, 0L), await box.OutcomeAsync());
    }

    /// <summary>Two Gmail accounts and a job from one to the other.</summary>
    private sealed class GmailPair : IAsyncDisposable
    {
        private readonly GmailFixture box = new(LabelPolicy.Keywords);

        public GmailPair()
        {
            Directory = ((MaildirEndpoint)box.Job.Target).Directory;
            box.Job = box.Job with { Target = GmailFixture.Endpoint(Target) };
        }

        public GmailServer Source => box.Server;

        public GmailServer Target { get; } = new(new GmailAccount());

        public string Directory { get; }

        public List<string> Notes => box.Notes;

        public JobDefinition Job
        {
            get => box.Job;
            set => box.Job = value;
        }

        /// <summary>All messages of an account with labels and flags; equal for two accounts that hold the same mail.</summary>
        public static string Describe(GmailAccount account) => string.Join('\n', account.Messages
            .Select(m => $"{m.Octets.Split("\r\n")[2]} {m.Place} ({string.Join(' ', m.Flags.Order(StringComparer.Ordinal))}) {string.Join(", ", m.Labels.Order(StringComparer.Ordinal))} {m.Date:O}")
            .Order(StringComparer.Ordinal));

        public void Fill()
        {
            Source.Account.Deliver(GmailFixture.Mail("both"), "\\Inbox", "Work");
            var other = Source.Account.Deliver(GmailFixture.Mail("other"), "Entw&APw-rfe (alt)", "\\Important", "Junk");
            Source.Account.Change(() => other.Flags.UnionWith(["\\Seen", "\\Flagged", "$Forwarded"]));
        }

        public Task<JobReport> RunAsync() => box.RunAsync();

        public async Task<(JobOutcome Outcome, long Copied)> OutcomeAsync()
        {
            var report = await RunAsync();
            return (report.Outcome, report.Totals.Copied);
        }

        public async ValueTask DisposeAsync()
        {
            await Target.DisposeAsync();
            await box.DisposeAsync();
        }
    }
}
