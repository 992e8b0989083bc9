using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Tests.State;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// A store restored from an older copy gives new mail the UIDs of lost mail. Its UIDVALIDITY stays the same, so a run must notice the
/// restore by other signs.
/// </summary>
public sealed class PutBackTests : IDisposable
{
    private readonly MailboxFixture box = new();

    public PutBackTests() => box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };

    private MemoryFolderState Source => box.Source.Folder("INBOX");

    private MemoryFolderState Target => box.Target.Folder("INBOX");

    public void Dispose() => box.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_missing_in_a_target_put_back_comes_again_though_nothing_is_new_at_the_source(bool hasModSeq)
    {
        box.Source.HasModSeq = box.Target.HasModSeq = hasModSeq;
        Deliver(1, 5);
        await box.RunAsync();
        var putBack = Target.BackUp();
        Deliver(6, 8);
        await box.RunAsync();
        putBack();

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 3), (report.Outcome, report.Totals.Copied));
        Assert.Contains(report.Notes, n => n.Contains("UIDNEXT at the target went back from 9 to 6", StringComparison.Ordinal));
        AssertSame();
    }

    [Theory]
    [InlineData(DeletionPolicy.Mirror, 0)]
    [InlineData(DeletionPolicy.Trash, 0)]
    [InlineData(DeletionPolicy.Mirror, 4)]
    [InlineData(DeletionPolicy.Trash, 4)]
    public async Task No_living_message_goes_for_one_whose_UID_it_has_by_now(DeletionPolicy policy, int foreign)
    {
        box.Job = box.Job with { Deletions = policy };
        box.Target.HasModSeq = false;
        Deliver(1, 5);
        await box.RunAsync();
        var putBack = Target.BackUp();
        Deliver(6, 8);
        await box.RunAsync();
        putBack();
        // Somebody delivers messages of equal size to the restored store, so that UIDNEXT reaches or passes its former value.
        for (var i = 0; i < foreign; i++)
            Target.Add(Text(100 + i));
        for (uint uid = 6; uid <= 8; uid++)
            Source.Remove(uid);
        Deliver(9, 10);

        await box.RunAsync();
        await box.RunAsync();
        Assert.Equal([.. Subjects(1, 5), .. Subjects(9, 10), .. Subjects(100, 99 + foreign)], Here(Target));
    }

    [Fact]
    public async Task No_living_message_goes_for_one_that_was_adopted_and_whose_UID_it_has_by_now()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 20; round++)
        {
            using var fresh = new MailboxFixture();
            fresh.Job = box.Job with { StateDirectory = fresh.StateDirectory };
            fresh.Target.HasModSeq = random.Next(2) == 0;
            var (source, target) = (fresh.Source.Folder("INBOX"), fresh.Target.Folder("INBOX"));
            var (count, kept) = (random.Next(2, 9), random.Next(1, 9));
            var putBack = target.BackUp();
            for (var n = 1; n <= count; n++)
            {
                source.Add(Text(n));
                target.Add(Text(n));
                if (n == kept)
                    putBack = target.BackUp();
            }

            var adopted = await fresh.RunAsync();
            Assert.True(adopted is { Outcome: JobOutcome.Ok, Totals.Copied: 0 }, $"seed {seed}, round {round}");
            putBack();
            List<int> others = [];
            for (var n = target.Messages.Count; n < count; n++)
            {
                others.Add(100 + n);
                target.Add(Text(100 + n));
            }

            List<int> left = [];
            for (var n = 1; n <= count; n++)
            {
                if (n < count && random.Next(2) == 0)
                    source.Remove((uint)n);
                else
                    left.Add(n);
            }

            await fresh.RunAsync();
            var report = await fresh.RunAsync();
            var there = Here(target).ToList();
            Assert.All(others, n => Assert.True(there.Contains(Subjects(n, n).Single()), $"seed {seed}, round {round}: {n} was removed"));
        }
    }

    [Fact]
    public async Task What_no_longer_has_the_octets_recorded_stays_and_is_told_once()
    {
        Deliver(1, 5);
        await box.RunAsync();
        Target.Messages[1] = Target.Messages[1] with { Octets = [.. "X-Added: by the server\r\n"u8, .. Target.Messages[1].Octets] };
        Source.Remove(2);
        Source.Remove(3);
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Incomplete, 1L), (report.Outcome, report.Totals.Deleted));
        Assert.Contains("not touched", Assert.Single(report.Problems).Text, StringComparison.Ordinal);
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        Assert.Equal(4, Target.Messages.Count);
    }

    [Fact]
    public async Task A_changed_flag_does_not_fall_on_other_mail_and_the_copy_comes_again()
    {
        box.Target.HasModSeq = false;
        Deliver(1, 2);
        await box.RunAsync();
        var putBack = Target.BackUp();
        Deliver(3, 3);
        await box.RunAsync();
        putBack();
        Target.Add(Text(100));
        Target.Add(Text(101));
        Source.SetFlags(3, "\\Flagged");

        var report = await box.RunAsync();
        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        Assert.Contains("not touched", Assert.Single(report.Problems).Text, StringComparison.Ordinal);
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        Assert.All(Target.Messages.Where(m => Subject(m) is "s100" or "s101"), m => Assert.True(m.Flags.IsEmpty));
        Assert.Equal("\\Flagged", Assert.Single(Target.Messages, m => Subject(m) == "s003").Flags.ToString());
    }

    [Fact]
    public async Task A_source_put_back_loses_no_mail_that_came_under_known_UIDs()
    {
        Deliver(1, 5);
        await box.RunAsync();
        var putBack = Source.BackUp();
        Deliver(6, 8);
        await box.RunAsync();
        putBack();
        Deliver(9, 10);

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 2, 0L), (report.Outcome, report.Totals.Copied, report.Totals.Deleted));
        Assert.Equal([.. Subjects(1, 10)], Here(Target));
    }

    /// <summary>
    /// After a restore, a new message has the UID of an earlier one, and all counters are as before. A run notices this when the earlier
    /// message comes back to the source and is compared with the whole target.
    /// </summary>
    [Fact]
    public async Task A_copy_that_is_recorded_for_other_mail_is_found_when_its_message_is_back()
    {
        box.Job = box.Job with { Deletions = DeletionPolicy.Keep };
        box.Source.HasModSeq = false;
        Deliver(1, 3);
        await box.RunAsync();
        var putBack = Source.BackUp();
        Deliver(4, 4);
        await box.RunAsync();
        putBack();
        Deliver(5, 5);
        await box.RunAsync();
        Deliver(4, 4);
        await RunRefusedAsync();

        var report = await box.RunAsync();

        Assert.Equal((JobOutcome.Incomplete, 1), (report.Outcome, report.Totals.Copied));
        Assert.Equal(Reasons.OtherMail, Assert.Single(report.Problems).Reason);
        Assert.Equal([.. Subjects(1, 5)], Here(Target));
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
    }

    /// <summary>
    /// The target is restored from an older copy. Then somebody's message gets the UID of a lost copy. Its size equals the lost copy's
    /// recorded size or differs from it.
    /// </summary>
    [Theory]
    [InlineData(4)]
    [InlineData(1000)]
    public async Task A_message_under_the_UID_of_a_missing_copy_is_found_when_it_comes_to_the_source(int missing)
    {
        box.Job = box.Job with { Deletions = DeletionPolicy.Keep };
        box.Source.HasModSeq = false;
        Deliver(1, 3);
        await box.RunAsync();
        var putBack = Target.BackUp();
        Deliver(missing, missing);
        await box.RunAsync();
        putBack();
        Target.Add(Text(5));
        Deliver(5, 5);
        await RunRefusedAsync();

        var report = await box.RunAsync();

        Assert.Equal((JobOutcome.Incomplete, Reasons.OtherMail), (report.Outcome, Assert.Single(report.Problems).Reason));
        string[] expected = [.. Subjects(1, 3), "s005", $"s{missing:000}"];
        Assert.Equal(expected.Order(StringComparer.Ordinal), Here(Target));
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
    }

    /// <summary>
    /// The source reported no UIDNEXT, or the run was interrupted. Then the recorded UIDs show which UIDs were already assigned.
    /// </summary>
    [Fact]
    public async Task A_source_put_back_is_known_though_nobody_remembers_its_UIDNEXT()
    {
        box.Source.HasModSeq = false;
        Deliver(1, 5);
        await box.RunAsync();
        var putBack = Source.BackUp();
        Source.TellsUidNext = false;
        Deliver(6, 7);
        await box.RunAsync();
        Source.TellsUidNext = true;
        putBack();

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0, 0L), (report.Outcome, (int)report.Totals.Copied, report.Totals.Deleted));
        Assert.Equal([.. Subjects(1, 7)], Here(Target));
    }

    /// <summary>The target reported no UIDNEXT. Then the recorded UIDs of the copies show which UIDs were already assigned.</summary>
    [Fact]
    public async Task A_target_put_back_is_known_though_nobody_remembers_its_UIDNEXT()
    {
        box.Target.HasModSeq = false;
        Deliver(1, 5);
        await box.RunAsync();
        var putBack = Target.BackUp();
        Target.TellsUidNext = false;
        Deliver(6, 7);
        await box.RunAsync();
        Target.TellsUidNext = true;
        putBack();

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 2, 0L), (report.Outcome, (int)report.Totals.Copied, report.Totals.Deleted));
        AssertSame();
    }

    [Fact]
    public async Task Mail_that_came_when_the_MODSEQs_began_again_is_not_passed_over()
    {
        Deliver(1, 3);
        await box.RunAsync();
        // One message is removed and one delivered, so that the new MODSEQs reach exactly the old ones.
        Source.ForgetModSeqs();
        Source.Remove(2);
        Deliver(4, 4);

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 1), (report.Outcome, (int)report.Totals.Copied));
        AssertSame();
    }

    [Fact]
    public async Task Flags_follow_after_the_MODSEQs_of_the_source_began_again()
    {
        Source.Add(Text(1), "\\Seen");
        Source.Add(Text(2), "\\Seen");
        for (var i = 0; i < 20; i++)
            Source.SetFlags(2, i % 2 == 0 ? "" : "\\Seen");
        await box.RunAsync();
        Target.SetFlags(1, "\\Seen $Mine");
        Source.ForgetModSeqs();
        Source.SetFlags(1, "\\Flagged");

        Assert.Equal((JobOutcome.Ok, 0), Outcome(await box.RunAsync()));
        Assert.Equal("\\Flagged $Mine", Target.Messages[0].Flags.ToString());
        Source.SetFlags(2, "\\Answered");
        await box.RunAsync();
        Assert.Equal("\\Answered", Target.Messages[1].Flags.ToString());

        static (JobOutcome, int) Outcome(JobReport r) => (r.Outcome, (int)r.Totals.Copied);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Without_UIDVALIDITY_nothing_is_removed_or_flagged_on_a_UIDs_word_and_it_is_said(bool atTarget)
    {
        (atTarget ? Target : Source).Validity = 0;
        Deliver(1, 3);
        await box.RunAsync();
        // Recreates the folder, with its owner's mail before the job's copies.
        if (atTarget)
        {
            var old = Target.Messages.ToList();
            Target.Messages.Clear();
            Target.UidNext = 1;
            Target.Add(Text(100));
            foreach (var m in old)
                Target.Add(m.Octets, m.Flags, m.Date);
        }

        Source.Remove(1);
        Source.SetFlags(2, "\\Flagged");
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0L, 0), (report.Outcome, report.Totals.Deleted, report.Totals.Copied));
        Assert.Contains(report.Notes, n => n.Contains("tells no UIDVALIDITY, so what is deleted", StringComparison.Ordinal));
        Assert.Equal(["s002"], Target.Messages.Where(m => !m.Flags.IsEmpty).Select(Subject));
        Assert.Equal([.. Subjects(1, 3), .. atTarget ? ["s100"] : Array.Empty<string>()], Here(Target));
    }

    [Fact]
    public async Task Without_UIDNEXT_and_MODSEQ_an_equal_status_is_no_proof_that_nothing_is_new()
    {
        box.Job = box.Job with { Flags = FlagPolicy.Once, Deletions = DeletionPolicy.Keep };
        box.Source.HasModSeq = false;
        Source.TellsUidNext = false;
        Deliver(1, 3);
        await box.RunAsync();
        Source.Remove(1);
        Deliver(4, 4);

        Assert.Equal(1, (await box.RunAsync()).Totals.Copied);
        Assert.Equal([.. Subjects(1, 4)], Here(Target));
    }

    /// <summary>
    /// Random deliveries, removals, flag changes and restored older copies on both sides, with and without counters. No message that is
    /// still at the source is removed from the target. Nobody else's mail is changed.
    /// </summary>
    [Fact]
    public async Task Whatever_is_put_back_nothing_living_is_removed_and_nothing_foreign_is_touched()
    {
        var seed = Seeds.Next();
        for (var round = 0; round < 60; round++)
        {
            var random = new Random(seed + round);
            using var each = new MailboxFixture();
            each.Job = box.Job with { StateDirectory = each.StateDirectory, Flags = random.Next(3) == 0 ? FlagPolicy.Exact : FlagPolicy.Follow };
            (each.Source.HasModSeq, each.Target.HasModSeq) = (random.Next(2) == 0, random.Next(2) == 0);
            var (source, target) = (each.Source.Folder("INBOX"), each.Target.Folder("INBOX"));
            each.Source.Folder("Other").Add(Text(9999));
            (source.TellsUidNext, target.TellsUidNext) = (random.Next(4) > 0, random.Next(4) > 0);
            source.Validity = random.Next(6) == 0 ? 0 : source.Validity;
            target.Validity = random.Next(6) == 0 ? 0 : target.Validity;
            await PlayAsync(each, source, target, random, $"seed {seed}, round {round}");
        }
    }

    private static async Task PlayAsync(MailboxFixture each, MemoryFolderState source, MemoryFolderState target, Random random, string what)
    {
        var next = 1;
        var (atSource, atTarget) = (source.BackUp(), target.BackUp());
        for (var step = 0; step < 40; step++)
        {
            switch (random.Next(9))
            {
                case 0 or 1:
                    source.Add(Text(next++), random.Next(2) == 0 ? "\\Seen" : "");
                    break;
                case 2 when source.Messages.Count > 0:
                    source.Remove(source.Messages[random.Next(source.Messages.Count)].Uid);
                    break;
                case 3 when source.Messages.Count > 0:
                    source.SetFlags(source.Messages[random.Next(source.Messages.Count)].Uid, random.Next(2) == 0 ? "\\Flagged" : "\\Answered");
                    break;
                case 4:
                    target.Add(Text(5000 + next++), "$Theirs");
                    break;
                case 5:
                    (atSource, atTarget) = (random.Next(2) == 0 ? source.BackUp() : atSource, random.Next(2) == 0 ? target.BackUp() : atTarget);
                    break;
                case 6 when random.Next(3) == 0:
                    (random.Next(3) == 0 ? atSource : atTarget)();
                    break;
                default:
                    await CheckAsync(each, source, target, $"{what}, step {step}");
                    break;
            }
        }
    }

    private static async Task CheckAsync(MailboxFixture each, MemoryFolderState source, MemoryFolderState target, string what)
    {
        var living = source.Messages.Select(Subject).ToHashSet();
        bool IsForeign(MemoryMessage m) => Subject(m).Length == 5;
        var before = target.Messages.Where(m => living.Contains(Subject(m)) || IsForeign(m)).Select(Subject).ToList();
        await each.RunAsync();
        Assert.True(target.Messages.Select(Subject).ToHashSet().IsSupersetOf(before), $"{what}: removed {string.Join(' ', before.Except(target.Messages.Select(Subject)))}");
        Assert.True(target.Messages.Where(IsForeign).All(m => m.Flags.ToString() == "$Theirs"), $"{what}: somebody else's mail was flagged");
        Assert.True(target.Messages.Select(Subject).Distinct().Count() == target.Messages.Count, $"{what}: twice");
    }

    /// <summary>
    /// Runs the job while the target refuses every message. The next run then compares these messages with the whole target.
    /// </summary>
    private async Task RunRefusedAsync()
    {
        box.Target.OnStep = step =>
        {
            if (step == "append")
                throw new MailException(FailureScope.Message, false, "NO not this one");
        };
        Assert.Equal(1, (await box.RunAsync()).Totals.Failed);
        box.Target.OnStep = _ => { };
    }

    private void Deliver(int from, int to)
    {
        for (var n = from; n <= to; n++)
            Source.Add(Text(n));
    }

    /// <summary>A text of the same size and date for all numbers with equally many digits.</summary>
    private static string Text(int number) => MailboxFixture.Mail($"s{number:000}");

    private static string Subject(MemoryMessage m) =>
        System.Text.RegularExpressions.Regex.Match(System.Text.Encoding.Latin1.GetString(m.Octets), "Subject: (.*)\r").Groups[1].Value;

    private static IEnumerable<string> Subjects(int from, int to) => Enumerable.Range(from, Math.Max(0, to - from + 1)).Select(n => $"s{n:000}");

    private static IEnumerable<string> Here(MemoryFolderState folder) => folder.Messages.Select(Subject).Order(StringComparer.Ordinal);

    private void AssertSame() => Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(box.Target));
}
