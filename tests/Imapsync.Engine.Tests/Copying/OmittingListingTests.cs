using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// A listing leaves out messages, but the counts agree because other messages were deleted or arrived. No run may take the left-out
/// messages for copied or deleted. They are copied once a listing shows them.
/// </summary>
public sealed class OmittingListingTests : IDisposable
{
    private readonly MailboxFixture box = new();

    public void Dispose() => box.Dispose();

    public static TheoryData<DeletionPolicy, int, int, bool> Omissions()
    {
        var cases = new TheoryData<DeletionPolicy, int, int, bool>();
        foreach (var policy in Enum.GetValues<DeletionPolicy>())
        {
            // Bits say which of three arrivals are left out.
            for (var omitted = 1; omitted < 8; omitted++)
            {
                for (var bits = 0; bits < 4; bits++)
                    cases.Add(policy, omitted, 1 + (bits & 1), (bits & 2) > 0);
            }
        }

        return cases;
    }

    public static TheoryData<DeletionPolicy, bool, bool> Arrivals()
    {
        var cases = new TheoryData<DeletionPolicy, bool, bool>();
        foreach (var policy in Enum.GetValues<DeletionPolicy>())
        {
            for (var bits = 0; bits < 4; bits++)
                cases.Add(policy, (bits & 1) > 0, (bits & 2) > 0);
        }

        return cases;
    }

    /// <summary>As many old messages were deleted as new ones are left out of the listing, so the counts agree.</summary>
    /// <param name="times">In how many runs the messages are left out.</param>
    /// <param name="isInterrupted">Whether the run before listed the new messages but could copy none.</param>
    [Theory]
    [MemberData(nameof(Omissions))]
    public async Task Messages_that_were_deleted_do_not_stand_for_those_that_are_left_out(DeletionPolicy policy, int omitted, int times, bool isInterrupted)
    {
        box.Job = box.Job with { Deletions = policy, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        var inbox = box.Source.Folder("INBOX");
        for (var i = 1; i <= 6; i++)
            inbox.Add(MailboxFixture.Mail($"m{i}"));
        await box.RunAsync();
        for (var i = 7; i <= 9; i++)
            inbox.Add(MailboxFixture.Mail($"m{i}"));
        if (isInterrupted)
        {
            box.Target.OnStep = s =>
            {
                if (s == "append")
                    throw new MailException(FailureScope.Folder, false, "NO not today");
            };
            Assert.Equal(JobOutcome.Incomplete, (await box.RunAsync()).Outcome);
            box.Target.OnStep = _ => { };
        }

        for (var gone = 1; gone <= int.PopCount(omitted); gone++)
            inbox.Remove((uint)gone * 2);
        inbox.Omits = (_, uid) => uid >= 7 && (omitted >> ((int)uid - 7) & 1) > 0;
        for (var left = times; left > 0; left--)
            Require(await box.RunAsync());
        inbox.Omits = (_, _) => false;
        await RequireAllAsync(policy);
    }

    /// <summary>
    /// A new message arrives between the opening and the listing of the folder, and the listing leaves out an older message.
    /// </summary>
    [Theory]
    [MemberData(nameof(Arrivals))]
    public async Task A_message_that_arrives_does_not_stand_for_one_that_is_left_out(DeletionPolicy policy, bool withModSeq, bool isAnotherGone)
    {
        box.Source.HasModSeq = withModSeq;
        box.Job = box.Job with { Deletions = policy, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        var inbox = box.Source.Folder("INBOX");
        for (var i = 1; i <= 6; i++)
            inbox.Add(MailboxFixture.Mail($"m{i}"));
        await box.RunAsync();
        inbox.Add(MailboxFixture.Mail("m7"));
        if (isAnotherGone)
            inbox.Remove(4);
        inbox.Omits = (r, uid) => uid == 2 && r.ChangedSince is null;
        var (isOpened, arrived) = (false, 0);
        box.Source.OnStep = s =>
        {
            if (isOpened && s == "listing INBOX")
                inbox.Add(MailboxFixture.Mail($"late{++arrived}"));
            isOpened = s == "open INBOX";
        };
        Require(await box.RunAsync());
        box.Source.OnStep = _ => { };
        inbox.Omits = (_, _) => false;
        await RequireAllAsync(policy);
    }

    /// <summary>The folder lists a new message, but not its date and size.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_message_without_date_and_size_is_not_in_place(bool withModSeq, bool isAnotherGone)
    {
        box.Source.HasModSeq = withModSeq;
        var inbox = box.Source.Folder("INBOX");
        for (var i = 1; i <= 3; i++)
            inbox.Add(MailboxFixture.Mail($"m{i}"));
        await box.RunAsync();
        inbox.Add(MailboxFixture.Mail("m4"));
        inbox.Add(MailboxFixture.Mail("m5"));
        if (isAnotherGone)
            inbox.Remove(2);
        inbox.Omits = (r, uid) => uid == 4 && r.WithDateAndSize;
        Assert.Equal((JobOutcome.Incomplete, 1L), await OutcomeAsync());
        inbox.Omits = (_, _) => false;
        await RequireAllAsync(DeletionPolicy.Keep);
    }

    /// <summary>Mail that came and went between two runs costs one listing of the whole folder and is no failure.</summary>
    [Fact]
    public async Task A_message_that_came_and_went_is_not_missed()
    {
        var inbox = box.Source.Folder("INBOX");
        inbox.Add(MailboxFixture.Mail("m1"));
        await box.RunAsync();
        inbox.Remove(inbox.Add(MailboxFixture.Mail("m2")));
        inbox.Add(MailboxFixture.Mail("m3"));
        Assert.Equal((JobOutcome.Ok, 1L), await OutcomeAsync());
        inbox.Add(MailboxFixture.Mail("m4"));
        box.Source.Steps.Clear();
        Assert.Equal((JobOutcome.Ok, 1L), await OutcomeAsync());
        // The second listing reads the new message's date and size.
        Assert.Equal(2, box.Source.Steps.Count(s => s == "listing INBOX"));
    }

    /// <summary>Each run tries a refused message again, without listing the whole folder.</summary>
    [Fact]
    public async Task A_message_that_always_fails_costs_no_listing_of_the_whole_folder()
    {
        var inbox = box.Source.Folder("INBOX");
        inbox.Add(MailboxFixture.Mail("m1"));
        await box.RunAsync();
        inbox.Add(MailboxFixture.Mail("m2"));
        box.Target.OnStep = s =>
        {
            if (s == "append")
                throw new MailException(FailureScope.Message, false, "NO too big");
        };
        for (var run = 0; run < 3; run++)
        {
            box.Source.Steps.Clear();
            Assert.Equal((JobOutcome.Incomplete, 0L), await OutcomeAsync());
            // The changes, then the message's date and size.
            Assert.Equal(2, box.Source.Steps.Count(s => s == "listing INBOX"));
        }

        box.Target.OnStep = _ => { };
        Assert.Equal((JobOutcome.Ok, 1L), await OutcomeAsync());
        await RequireAllAsync(DeletionPolicy.Keep);
    }

    private async Task<(JobOutcome, long)> OutcomeAsync()
    {
        var report = await box.RunAsync();
        return (report.Outcome, report.Totals.Copied);
    }

    /// <summary>Asserts that no message of the source was removed at the target. If the run reports success, all must be there.</summary>
    private void Require(JobReport report)
    {
        var there = Subjects(box.Target.Folder("INBOX"));
        var here = Subjects(box.Source.Folder("INBOX"));
        Assert.Empty(here.Where(s => s is ['m', <= '6']).Except(there));
        if (report.Outcome == JobOutcome.Ok)
            Assert.Empty(here.Except(there));
    }

    private async Task RequireAllAsync(DeletionPolicy policy)
    {
        var report = await box.RunAsync();
        Assert.Equal(JobOutcome.Ok, report.Outcome);
        var (here, there) = (Subjects(box.Source.Folder("INBOX")), Subjects(box.Target.Folder("INBOX")));
        Assert.Equal(here, policy == DeletionPolicy.Keep ? [.. there.Intersect(here)] : there);
        Assert.Equal(there, there.Distinct());
        Assert.Equal((JobOutcome.Ok, 0L), await OutcomeAsync());
    }

    private static List<string> Subjects(MemoryFolderState folder) =>
        [.. folder.Messages.Select(m => System.Text.Encoding.Latin1.GetString(m.Octets).Split("Subject: ")[1].Split('\r')[0]).Order(StringComparer.Ordinal)];
}
