using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// Mail that is moved between folders during a run is never removed from the target. Before a run removes anything, it lists changed
/// folders again: the second look.
/// </summary>
public sealed class SecondLookTests
{
    [Theory]
    [InlineData(DeletionPolicy.Mirror)]
    [InlineData(DeletionPolicy.Trash)]
    public async Task Mail_moved_during_a_run_lies_at_the_target_after_it(DeletionPolicy policy)
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 60; round++)
        {
            using var box = new MailboxFixture();
            box.Job = box.Job with { Deletions = policy, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
            box.Source.HasModSeq = random.Next(2) == 0;
            box.Target.HasModSeq = random.Next(2) == 0;
            var names = (string[])["INBOX", "A", "B", "C"];
            foreach (var name in names)
            {
                box.Source.Folder(name).TellsUidNext = random.Next(4) != 0;
                for (var n = 1; n <= 4; n++)
                    box.Source.Folder(name).Add(MailboxFixture.Mail($"{name}{n}"));
            }

            await box.RunAsync();
            // A run lists only changed folders, so first change some. During the run, mail is then moved before or after a listing.
            foreach (var name in names.Where(_ => random.Next(2) == 0))
            {
                box.Source.Folder(name).Remove(1);
                box.Source.Folder(name).Add(MailboxFixture.Mail($"{name}new"));
            }

            var moves = random.Next(1, 4);
            var created = random.Next(5) == 0;
            var copied = Living(box.Target);
            box.Source.OnStep = step =>
            {
                if (moves == 0 || !step.StartsWith("listing ", StringComparison.Ordinal) || random.Next(3) != 0)
                    return;
                moves--;
                var from = box.Source.Folder(names[random.Next(names.Length)]);
                var to = box.Source.Folder(created ? "New" : names[random.Next(names.Length)]);
                if (from == to || from.Messages.Count == 0)
                    return;
                var message = from.Messages[random.Next(from.Messages.Count)];
                from.Remove(message.Uid);
                to.Add(message.Octets, message.Flags, message.Date);
            };

            var report = await box.RunAsync();

            box.Source.OnStep = _ => { };
            AssertAddsUp(report);
            var lost = Living(box.Source).Intersect(copied).Except(Living(box.Target)).ToList();
            Assert.True(lost.Count == 0, $"seed {seed}, round {round}: {string.Join(", ", lost)} is not at the target, {report.Outcome}");
            await box.RunAsync();
            Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
            Assert.Equal(Placed(box.Source), Placed(box.Target));
        }
    }

    [Fact]
    public async Task A_run_in_which_nothing_is_moved_removes_at_once_and_adds_up()
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        foreach (var name in (string[])["INBOX", "A"])
        {
            for (var n = 1; n <= 4; n++)
                box.Source.Folder(name).Add(MailboxFixture.Mail($"{name}{n}"));
        }

        await box.RunAsync();
        box.Source.Folder("A").Remove(2);
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("new"));
        // New mail that arrives while the folders are listed is copied by the second look and counted once.
        var arrived = false;
        box.Source.OnStep = step =>
        {
            if (arrived || step != "listing A")
                return;
            arrived = true;
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail("late"));
        };

        var report = await box.RunAsync();

        Assert.Equal((JobOutcome.Ok, 1L), (report.Outcome, report.Totals.Deleted));
        Assert.Equal(report.Totals.SourceMessages, report.Totals.Copied + report.Totals.AlreadyPresent);
        Assert.Equal(Placed(box.Source), Placed(box.Target));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_folder_that_is_not_listed_a_second_time_or_does_not_tell_its_counters_then_may_hold_what_vanished(bool isHidden)
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        box.Source.RefusesStatus = !isHidden;
        foreach (var name in (string[])["A", "B", "INBOX"])
        {
            for (var n = 1; n <= 3; n++)
                box.Source.Folder(name).Add(MailboxFixture.Mail($"{name}{n}"));
        }

        await box.RunAsync();
        box.Source.Folder("A").Add(MailboxFixture.Mail("new"));
        bool isListed = false, isMoved = false;
        box.Source.OnStep = step =>
        {
            isListed |= step == "listing A";
            if (isMoved && !isHidden && step == "open A")
                throw new MailException(FailureScope.Folder, false, "NO not now");
            if (isMoved || !isListed || step != "open B")
                return;
            isMoved = true;
            box.Source.Folder("B").Remove(2);
            box.Source.Folder("A").Add(MailboxFixture.Mail("B2"));
            if (isHidden)
                box.Source.IsListed = p => p.ToString() != "A";
        };
        box.Source.Folder("B").Add(MailboxFixture.Mail("arrived"));

        var report = await box.RunAsync();

        Assert.True(isMoved);
        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        Assert.Equal(0L, report.Totals.Deleted);
        Assert.Contains("B2", Living(box.Target));
    }

    /// <summary>
    /// After the run has listed A, a message moves from B to A and another one leaves A, so A's count stays the same. The second look into
    /// A fails. So the message missing from B may be in A.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_folder_that_fails_in_the_second_look_may_hold_what_vanished(bool isTransient)
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        foreach (var name in (string[])["A", "B", "INBOX"])
        {
            for (var n = 1; n <= 3; n++)
                box.Source.Folder(name).Add(MailboxFixture.Mail($"{name}{n}"));
        }

        await box.RunAsync();
        box.Source.Folder("A").Add(MailboxFixture.Mail("new"));
        box.Source.Folder("B").Add(MailboxFixture.Mail("arrived"));
        bool isListed = false, isMoved = false;
        box.Source.OnStep = step =>
        {
            isListed |= step == "listing A";
            if (isMoved && step == "open A")
                throw new MailException(FailureScope.Folder, isTransient, "NO not now");
            if (isMoved || !isListed || step != "open B")
                return;
            isMoved = true;
            box.Source.Folder("B").Remove(2);
            box.Source.Folder("A").Remove(1);
            box.Source.Folder("A").Add(MailboxFixture.Mail("B2"));
        };

        var report = await box.RunAsync();

        Assert.True(isMoved);
        Assert.Equal((JobOutcome.Incomplete, 0L), (report.Outcome, report.Totals.Deleted));
        Assert.Contains("B2", Living(box.Target));
        AssertAddsUp(report);
        box.Source.OnStep = _ => { };
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        Assert.Equal(Placed(box.Source), Placed(box.Target));
    }

    /// <summary>
    /// A folder can't be opened, and its number of messages is unknown. Messages missing from another folder may be in it, so nothing is
    /// removed.
    /// </summary>
    [Fact]
    public async Task A_folder_that_failed_holds_removals_up_though_no_message_of_it_is_counted()
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        box.Source.Folder("A").TellsCount = false;
        for (var n = 1; n <= 3; n++)
            box.Source.Folder("B").Add(MailboxFixture.Mail($"B{n}"));
        await box.RunAsync();
        box.Source.Folder("B").Remove(2);
        box.Source.Folder("A").Add(MailboxFixture.Mail("B2"));
        box.Source.OnStep = step =>
        {
            if (step == "open A")
                throw new MailException(FailureScope.Folder, false, "NO not now");
        };

        var report = await box.RunAsync();

        Assert.Equal((JobOutcome.Incomplete, 0L), (report.Outcome, report.Totals.Deleted));
        Assert.Contains("B2", Living(box.Target));
    }

    /// <summary>After a parent folder was renamed, Dovecot lists a name without a folder in every run.</summary>
    [Fact]
    public async Task A_name_that_is_listed_and_denotes_no_folder_does_not_hold_removals_up()
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        box.Source.Folder("A");
        for (var n = 1; n <= 3; n++)
            box.Source.Folder("B").Add(MailboxFixture.Mail($"B{n}"));
        await box.RunAsync();
        box.Source.Folder("B").Remove(2);
        box.Source.RefusesStatus = true;
        box.Source.OnStep = step =>
        {
            if (step == "open A")
                throw new MailException(FailureScope.Folder, false, "no folder A") { Kind = FailureKind.Gone };
        };

        var report = await box.RunAsync();

        Assert.Equal((JobOutcome.Incomplete, 1L), (report.Outcome, report.Totals.Deleted));
    }

    [Fact]
    public async Task Mail_that_is_moved_to_a_folder_that_can_not_be_made_keeps_its_copy()
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        box.Target.Refuses = p => p.Name == "A";
        box.Source.Folder("A");
        for (var n = 1; n <= 3; n++)
            box.Source.Folder("B").Add(MailboxFixture.Mail($"B{n}"));
        await box.RunAsync();
        box.Source.Folder("B").Add(MailboxFixture.Mail("arrived"));
        var isMoved = false;
        box.Source.OnStep = step =>
        {
            if (isMoved || step != "open B")
                return;
            isMoved = true;
            box.Source.Folder("B").Remove(2);
            box.Source.Folder("A").Add(MailboxFixture.Mail("B2"));
        };

        var report = await box.RunAsync();

        Assert.True(isMoved);
        Assert.Equal((JobOutcome.Incomplete, 0L), (report.Outcome, report.Totals.Deleted));
        AssertAddsUp(report);
        Assert.Contains("B2", Living(box.Target));
    }

    /// <summary>
    /// The second look lists a folder without UIDNEXT again, although its MODSEQ is unchanged. Its messages must be counted once.
    /// </summary>
    [Fact]
    public async Task What_the_first_look_copied_is_counted_once()
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        box.Target.ListsStatus = false;
        foreach (var name in (string[])["A", "B"])
        {
            box.Source.Folder(name).TellsUidNext = name != "A";
            for (var n = 1; n <= 3; n++)
                box.Source.Folder(name).Add(MailboxFixture.Mail($"{name}{n}"));
        }

        await box.RunAsync();
        box.Source.Folder("A").Add(MailboxFixture.Mail("new"));
        box.Source.Folder("B").Remove(2);

        var report = await box.RunAsync();

        Assert.Equal((JobOutcome.Ok, 1L, 1L, 5L), (report.Outcome, report.Totals.Copied, report.Totals.Deleted, report.Totals.AlreadyPresent));
        AssertAddsUp(report);
    }

    private static void AssertAddsUp(JobReport report) => Assert.All(
        report.Folders, f => Assert.Equal(f.Counts.SourceMessages, f.Counts.Copied + f.Counts.AlreadyPresent + f.Counts.Skipped + f.Counts.Failed));

    private static HashSet<string> Living(MemoryStore store) =>
        [.. store.Folders.Where(f => f.Key.ToString() != "Removed").SelectMany(f => f.Value.Messages).Select(Subject)];

    private static List<string> Placed(MemoryStore store) => [.. store.Folders
        .Where(f => f.Value.Messages.Count > 0 && f.Key.IsInbox | f.Key.ToString() is "A" or "B" or "C" or "New")
        .SelectMany(f => f.Value.Messages.Select(m => $"{f.Key} {Subject(m)}")).Order(StringComparer.Ordinal)];

    private static string Subject(MemoryMessage message) =>
        System.Text.Encoding.Latin1.GetString(message.Octets).Split("Subject: ")[1].Split('\r')[0];
}
