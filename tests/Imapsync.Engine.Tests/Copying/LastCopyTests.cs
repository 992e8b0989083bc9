using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// The source has two identical messages. One of them is deleted at the source, and one of the two copies is deleted at the target. The
/// remaining copy stays and follows the flags of the remaining message.
/// </summary>
public sealed class LastCopyTests
{
    public static TheoryData<DeletionPolicy, int, int, bool> Cases()
    {
        var cases = new TheoryData<DeletionPolicy, int, int, bool>();
        foreach (var policy in (DeletionPolicy[])[DeletionPolicy.Mirror, DeletionPolicy.Trash])
        {
            for (var bits = 0; bits < 8; bits++)
                cases.Add(policy, bits & 1, (bits >> 1) & 1, (bits & 4) > 0);
        }

        return cases;
    }

    /// <param name="deleted">Which of the two messages is deleted at the source.</param>
    /// <param name="taken">Which of the two copies is removed at the target.</param>
    [Theory]
    [MemberData(nameof(Cases))]
    public async Task The_last_copy_of_a_message_stays(DeletionPolicy policy, int deleted, int taken, bool wasAdopted)
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Deletions = policy, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        var (source, target) = (box.Source.Folder("INBOX"), box.Target.Folder("INBOX"));
        source.Add(MailboxFixture.Mail("before"));
        List<uint> twins = [source.Add(MailboxFixture.Mail("twin")), source.Add(MailboxFixture.Mail("twin"))];
        source.Add(MailboxFixture.Mail("after"));
        await box.RunAsync();
        if (wasAdopted)
        {
            box.DeleteCheckpoints();
            await box.RunAsync();
        }

        target.Remove(target.Messages[1 + taken].Uid);
        source.Remove(twins[deleted]);
        await box.RunAsync();
        Assert.Equal(Describe(source), Describe(target));

        source.SetFlags(twins[1 - deleted], "\\Flagged");
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0L, 0L), (report.Outcome, report.Totals.Copied, report.Totals.Deleted));
        Assert.Equal(Describe(source), Describe(target));
    }

    /// <summary>
    /// Of two identical messages, one is deleted at the source, and the copy of the other at the target. The run records the remaining copy
    /// for the remaining message. Then the removal of other mail fails.
    /// </summary>
    /// <param name="step"><c>remove</c> fails before anything is removed, <c>remove!</c> afterwards.</param>
    [Theory]
    [InlineData(DeletionPolicy.Mirror, true, "remove")]
    [InlineData(DeletionPolicy.Trash, true, "remove")]
    [InlineData(DeletionPolicy.Mirror, true, "remove!")]
    [InlineData(DeletionPolicy.Trash, true, "remove!")]
    [InlineData(DeletionPolicy.Mirror, false, "remove")]
    [InlineData(DeletionPolicy.Trash, false, "remove")]
    public async Task A_copy_that_was_given_away_stays_when_the_removal_is_tried_again(DeletionPolicy policy, bool isTransient, string step)
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Deletions = policy, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        var (source, target) = (box.Source.Folder("INBOX"), box.Target.Folder("INBOX"));
        var other = source.Add(MailboxFixture.Mail("other"));
        List<uint> twins = [source.Add(MailboxFixture.Mail("twin")), source.Add(MailboxFixture.Mail("twin"))];
        source.Add(MailboxFixture.Mail("after"));
        await box.RunAsync();
        target.Remove(target.Messages[2].Uid);
        source.Remove(twins[0]);
        source.Remove(other);
        var hasFailed = false;
        box.Target.OnStep = s =>
        {
            if (hasFailed || s != step)
                return;
            hasFailed = true;
            throw new MailException(FailureScope.Folder, isTransient, "NO not now");
        };

        await box.RunAsync();
        var report = await box.RunAsync();

        Assert.True(hasFailed);
        Assert.Equal((JobOutcome.Ok, 0L, 0L), (report.Outcome, report.Totals.Copied, report.Totals.Adopted));
        Assert.Equal(Describe(source), Describe(target));
    }

    /// <summary>
    /// Two identical messages whose records differ: one message was copied and the other found at the target, or one was recognised again
    /// after the MODSEQs of its folder had restarted.
    /// </summary>
    public static TheoryData<DeletionPolicy, bool, int, int> Unlike()
    {
        var cases = new TheoryData<DeletionPolicy, bool, int, int>();
        foreach (var policy in (DeletionPolicy[])[DeletionPolicy.Mirror, DeletionPolicy.Trash])
        {
            for (var bits = 0; bits < 8; bits++)
                cases.Add(policy, (bits & 4) > 0, bits & 1, (bits >> 1) & 1);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Unlike))]
    public async Task The_last_copy_stays_whatever_was_recorded_of_the_two(DeletionPolicy policy, bool isAdopted, int deleted, int taken)
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Deletions = policy, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        var (source, target) = (box.Source.Folder("INBOX"), box.Target.Folder("INBOX"));
        List<uint> twins = [source.Add(MailboxFixture.Mail("twin"))];
        if (isAdopted)
            target.Add(MailboxFixture.Mail("twin"));
        await box.RunAsync();
        if (!isAdopted)
        {
            source.ForgetModSeqs();
            await box.RunAsync();
        }

        twins.Add(source.Add(MailboxFixture.Mail("twin")));
        source.Add(MailboxFixture.Mail("after"));
        await box.RunAsync();
        target.Remove(target.Messages[taken].Uid);
        source.Remove(twins[deleted]);
        await box.RunAsync();
        Assert.Equal(Describe(source), Describe(target));
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0L, 0L), (report.Outcome, report.Totals.Copied, report.Totals.Deleted));
        Assert.Equal(Describe(source), Describe(target));
    }

    /// <summary>
    /// The copy of one message is missing. Another message has the same size and is to be removed. It must not be kept in place of the
    /// missing copy.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Other_mail_of_that_size_is_removed(bool isAdopted)
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        var (source, target) = (box.Source.Folder("INBOX"), box.Target.Folder("INBOX"));
        List<uint> both = [source.Add(MailboxFixture.Mail("one")), source.Add(MailboxFixture.Mail("two"))];
        target.Add(MailboxFixture.Mail(isAdopted ? "one" : "two"));
        await box.RunAsync();
        source.Remove(both[0]);
        target.Messages.RemoveAll(m => m.Octets.AsSpan().SequenceEqual(System.Text.Encoding.Latin1.GetBytes(MailboxFixture.Mail("two"))));

        var report = await box.RunAsync();

        Assert.Equal((JobOutcome.Ok, 1L), (report.Outcome, report.Totals.Deleted));
        Assert.Empty(target.Messages);
    }

    private static IEnumerable<string> Describe(MemoryFolderState folder) =>
        folder.Messages.Select(m => $"{System.Text.Encoding.Latin1.GetString(m.Octets)} ({m.Flags})").Order(StringComparer.Ordinal);
}
