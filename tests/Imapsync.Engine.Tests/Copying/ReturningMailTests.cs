using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>A message that is moved away and back, or restored, gets a new UID. It is recognised and keeps its earlier copy.</summary>
public sealed class ReturningMailTests : IDisposable
{
    private readonly MailboxFixture box = new();

    public void Dispose() => box.Dispose();

    public static TheoryData<DeletionPolicy, bool, bool, bool, bool> ShortListings()
    {
        var cases = new TheoryData<DeletionPolicy, bool, bool, bool, bool>();
        foreach (var policy in Enum.GetValues<DeletionPolicy>())
        {
            for (var bits = 0; bits < 16; bits++)
                cases.Add(policy, (bits & 1) > 0, (bits & 2) > 0, (bits & 4) > 0, (bits & 8) > 0);
        }

        return cases;
    }

    [Theory]
    [InlineData(DeletionPolicy.Mirror)]
    [InlineData(DeletionPolicy.Trash)]
    [InlineData(DeletionPolicy.Keep)]
    public async Task It_is_there_once_though_nothing_could_be_removed_meanwhile(DeletionPolicy policy)
    {
        box.Job = box.Job with { Deletions = policy };
        var inbox = box.Source.Folder("INBOX");
        for (var i = 1; i <= 4; i++)
            inbox.Add(MailboxFixture.Mail($"m{i}"));
        box.Source.Folder("Work").Add(MailboxFixture.Mail("w1"));
        await box.RunAsync();
        // One folder lists fewer messages than it reports, so this run may remove nothing.
        box.Source.Folder("Work").Hidden = 1;
        inbox.Remove(2);
        await box.RunAsync();
        inbox.Add(MailboxFixture.Mail("m2"));
        inbox.Add(MailboxFixture.Mail("m5"));
        await box.RunAsync();
        Assert.Equal(5, box.Target.Folder("INBOX").Messages.Count);

        box.Source.Folder("Work").Hidden = 0;
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0L, 0L), (report.Outcome, report.Totals.Copied, report.Totals.Deleted));
        Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(box.Target));
        inbox.Remove(inbox.Messages.Single(m => System.Text.Encoding.Latin1.GetString(m.Octets).Contains("<m2@", StringComparison.Ordinal)).Uid);
        report = await box.RunAsync();
        Assert.Equal(policy == DeletionPolicy.Keep ? 0 : 1, report.Totals.Deleted);
    }

    /// <summary>
    /// A message has a new UID, or was delivered a second time. The server lists fewer messages than it reports, so the old UID may still
    /// exist. In the end, the target has the message as often as the source.
    /// </summary>
    [Theory]
    [MemberData(nameof(ShortListings))]
    public async Task It_is_recognised_in_a_short_listing(DeletionPolicy policy, bool isEarlierThere, bool isOtherGone, bool isLeftOut, bool withModSeq)
    {
        (box.Source.HasModSeq, box.Job) = (withModSeq, box.Job with { Deletions = policy });
        var inbox = box.Source.Folder("INBOX");
        for (var i = 1; i <= 4; i++)
            inbox.Add(MailboxFixture.Mail($"m{i}"));
        await box.RunAsync();
        if (isLeftOut)
            box.Job = box.Job with { Messages = new MessageFilter { Since = MemoryFolderState.Day(2000) } };
        var earlier = inbox.Messages[1];
        inbox.Remove(earlier.Uid);
        inbox.Add(MailboxFixture.Mail("m2"));
        inbox.Hidden = 2;
        Assert.Equal(JobOutcome.Incomplete, (await box.RunAsync()).Outcome);
        Assert.Equal(4, box.Target.Folder("INBOX").Messages.Count);

        inbox.Hidden = 0;
        if (isEarlierThere)
            inbox.Messages.Insert(1, earlier);
        if (isOtherGone)
            inbox.Remove(4);
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        var isKept = isOtherGone && policy == DeletionPolicy.Keep;
        // A message that a filter leaves out keeps its existing copy and gets no other one.
        Assert.Equal((isLeftOut ? Subjects(inbox).Distinct() : Subjects(inbox)).Concat(isKept ? ["m4"] : []).Order(StringComparer.Ordinal), Subjects(box.Target.Folder("INBOX")));
    }

    private static IEnumerable<string> Subjects(MemoryFolderState folder) =>
        folder.Messages.Select(m => System.Text.Encoding.Latin1.GetString(m.Octets).Split("Subject: ")[1].Split('\r')[0]).Order(StringComparer.Ordinal);

    /// <summary>
    /// The job's state is lost. The next run can't read some messages that the target already has. The run after that must recognise them
    /// at the target.
    /// </summary>
    [Fact]
    public async Task What_failed_when_it_was_to_be_recognised_is_recognised_later()
    {
        var inbox = box.Source.Folder("INBOX");
        for (var i = 1; i <= 4; i++)
            inbox.Add(MailboxFixture.Mail($"m{i}"));
        // To tell two messages with equal headers apart, a run has to read them whole.
        inbox.Add(MailboxFixture.Mail("twin"));
        inbox.Add(MailboxFixture.Mail("twin"));
        await box.RunAsync();
        box.DeleteCheckpoints();
        box.Source.OnStep = s =>
        {
            if (s == "read")
                throw new MailException(FailureScope.Message, false, "unreadable");
        };
        Assert.Equal(JobOutcome.Incomplete, (await box.RunAsync()).Outcome);
        box.Source.OnStep = _ => { };

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0L), (report.Outcome, report.Totals.Copied));
        Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(box.Target));
    }
}
