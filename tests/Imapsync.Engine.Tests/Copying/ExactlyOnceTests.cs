using Imapsync.Engine.Copying;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Engine.Tests.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// A run is interrupted at each of its steps in turn. The run after it must leave exactly one copy of each message at the target.
/// </summary>
public abstract class ExactlyOnceTests : IDisposable
{
    private readonly StateOpener open;

    protected ExactlyOnceTests(StateOpener open) => this.open = open;

    public virtual void Dispose() => GC.SuppressFinalize(this);

    [Fact]
    public async Task Stopped_at_any_step_of_source_target_or_checkpoint_the_next_run_completes_exactly_once()
    {
        var steps = await CountStepsAsync();
        Assert.True(steps > 40, $"only {steps} steps");
        for (var at = 1; at <= steps; at++)
        {
            using var box = new MailboxFixture { OpenState = open };
            Fill(box);
            var taken = 0;
            EndAt(box, () => ++taken >= at);
            var interrupted = await box.RunAsync();
            Assert.True(interrupted.Outcome == JobOutcome.Failed, $"step {at}: {interrupted.Outcome}");

            EndAt(box, () => false);
            var report = await box.RunAsync();
            Assert.True(report.Outcome == JobOutcome.Ok, $"step {at}: {string.Join('\n', report.Problems)}");
            Assert.Equal($"step {at}\n" + MailboxFixture.Describe(box.Source), $"step {at}\n" + MailboxFixture.Describe(box.Target));
            Assert.Equal(0, (await box.RunAsync()).Totals.Copied);
        }
    }

    [Fact]
    public async Task What_goes_into_the_trash_folder_does_so_once_wherever_the_run_is_stopped()
    {
        for (var at = 1; ; at++)
        {
            using var box = new MailboxFixture { OpenState = open };
            box.Job = box.Job with { Deletions = DeletionPolicy.Trash, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
            Fill(box);
            await box.RunAsync();
            // The trash folder already holds two of the messages to be removed: "m1", and one of the identical messages "twin".
            var trash = box.Target.Folder("Removed");
            trash.Add(MailboxFixture.Mail("m1"));
            trash.Add("Subject: twin\r\n\r\ntwin\r\n");
            foreach (var uid in (uint[])[1, 2, 7, 8])
                box.Source.Folder("INBOX").Remove(uid);

            var taken = 0;
            EndAt(box, () => ++taken >= at);
            var isInterrupted = (await box.RunAsync()).Outcome == JobOutcome.Failed;
            EndAt(box, () => false);
            var report = await box.RunAsync();
            Assert.True(report.Outcome == JobOutcome.Ok, $"step {at}: {string.Join('\n', report.Problems)}");
            Assert.Equal(
                ["m0", "m1", "m1", "twin", "twin", "twin"],
                trash.Messages.Select(m => System.Text.RegularExpressions.Regex.Match(System.Text.Encoding.Latin1.GetString(m.Octets), "Subject: (.*)\r").Groups[1].Value).Order(StringComparer.Ordinal));
            box.Target.Folders.Remove(FolderPath.Parse("Removed"));
            Assert.Equal($"step {at}\n" + MailboxFixture.Describe(box.Source), $"step {at}\n" + MailboxFixture.Describe(box.Target));
            if (!isInterrupted)
                break;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Healing_stopped_at_any_step_takes_no_damaged_copy_for_a_message_and_loses_none(bool nextHeals)
    {
        for (var at = 1; ; at++)
        {
            using var box = new MailboxFixture { OpenState = open };
            box.Target.KeepsWhatItGets = true;
            Fill(box);
            await box.RunAsync();
            var inbox = box.Target.Folder("INBOX").Messages;
            // Damage the bodies of two copies, one of which has an identical second copy. Remove a third copy.
            foreach (var n in (int[])[2, 6])
                inbox[n].Octets[^3] ^= 1;
            inbox.RemoveAt(4);
            var damaged = MailboxFixture.Describe(box.Target);

            var taken = 0;
            EndAt(box, () => ++taken >= at);
            var isInterrupted = (await box.RunAsync(heal: true)).Outcome == JobOutcome.Failed;
            EndAt(box, () => false);
            var next = await box.RunAsync(heal: nextHeals);
            var found = MailboxFixture.Describe(box.Target);
            Assert.True(found == MailboxFixture.Describe(box.Source) || (!nextHeals && found == damaged && next.Outcome == JobOutcome.Incomplete), $"step {at}: {next.Outcome}\n{found}");
            var report = await box.RunAsync(heal: true);
            Assert.True(report.Outcome == JobOutcome.Ok, $"step {at}: {string.Join('\n', report.Problems)}");
            Assert.Equal($"step {at}\n" + MailboxFixture.Describe(box.Source), $"step {at}\n" + MailboxFixture.Describe(box.Target));
            Assert.Equal(0, (await box.RunAsync(heal: true)).Totals.Copied);
            if (!isInterrupted)
                break;
        }
    }

    [Fact]
    public async Task What_a_former_filter_left_out_is_copied_once_wherever_the_run_that_first_accepts_it_ends()
    {
        for (var at = 1; ; at++)
        {
            using var box = new MailboxFixture { OpenState = open };
            Fill(box);
            box.Job = box.Job with { Messages = new MessageFilter { WithoutFlags = FlagSet.Parse(["$Work"]), MaxSizeBytes = 60 } };
            Assert.True((await box.RunAsync()).Totals.Skipped > 3);
            box.Job = box.Job with { Messages = new MessageFilter() };
            var (taken, isInterrupted) = (0, false);
            EndAt(box, () => isInterrupted |= ++taken >= at);
            await box.RunAsync();
            EndAt(box, () => false);
            var report = await box.RunAsync();
            Assert.True(report.Outcome == JobOutcome.Ok, $"step {at}: {string.Join('\n', report.Problems)}");
            Assert.Equal($"step {at}\n" + MailboxFixture.Describe(box.Source), $"step {at}\n" + MailboxFixture.Describe(box.Target));
            if (!isInterrupted)
                break;
        }
    }

    [Fact]
    public async Task Mail_delivered_to_the_target_between_an_interruption_and_the_next_run_stays_and_hides_nothing()
    {
        using var box = new MailboxFixture { OpenState = open };
        Fill(box);
        var appended = 0;
        box.Target.OnStep = s => EndWhen(s == "append!" && ++appended == 3);
        await box.RunAsync();
        box.Target.OnStep = _ => { };
        box.Target.Folder("INBOX").Add(MailboxFixture.Mail("foreign"));

        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        box.Target.Folder("INBOX").Messages.RemoveAll(m => System.Text.Encoding.Latin1.GetString(m.Octets).Contains("foreign", StringComparison.Ordinal));
        Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(box.Target));
    }

    private async Task<int> CountStepsAsync()
    {
        using var box = new MailboxFixture { OpenState = open };
        Fill(box);
        var steps = 0;
        EndAt(box, () =>
        {
            steps++;
            return false;
        });
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        return steps;
    }

    private static void Fill(MailboxFixture box)
    {
        for (var i = 0; i < 6; i++)
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail($"m{i}"), i % 2 == 0 ? "\\Seen" : "$Work");
        box.Source.Folder("INBOX").Add("Subject: twin\r\n\r\ntwin\r\n");
        box.Source.Folder("INBOX").Add("Subject: twin\r\n\r\ntwin\r\n");
        for (var i = 0; i < 3; i++)
            box.Source.Folder("Work").Add(MailboxFixture.Mail($"w{i}"));
    }

    /// <summary>Simulates the end of the process: from the chosen step on, all operations on the stores and the state fail.</summary>
    /// <param name="isTheEnd">Called at each step. Returns true at the step where the failures begin.</param>
    private void EndAt(MailboxFixture box, Func<bool> isTheEnd)
    {
        box.Source.OnStep = box.Target.OnStep = _ => EndWhen(isTheEnd());
        box.OpenState = location => new SteppedMedium(open(location), () => EndWhen(isTheEnd()));
    }

    private static void EndWhen(bool isTheEnd)
    {
        if (isTheEnd)
            throw new MailException(FailureScope.Store, isTransient: false, "the end");
    }
}

/// <summary>The tests with the job's state in files.</summary>
public sealed class ExactlyOnceInFilesTests() : ExactlyOnceTests(FileMedium.Opener(TimeProvider.System));

/// <summary>The same tests with the job's state in a database.</summary>
public sealed class ExactlyOnceInADatabaseTests : ExactlyOnceTests
{
    private readonly SqliteDatabase database;

    public ExactlyOnceInADatabaseTests()
        : this(new SqliteDatabase())
    {
    }

    private ExactlyOnceInADatabaseTests(SqliteDatabase database)
        : base(database.Opener(TimeProvider.System)) => this.database = database;

    public override void Dispose()
    {
        database.Dispose();
        base.Dispose();
    }
}
