using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// The server answers APPEND with UIDs of other messages, so the job's records are wrong. A run that finds one wrong record matches all
/// copies in the folder by headers and sizes. No message is copied again.
/// </summary>
public sealed class MisplacedReceiptTests
{
    /// <summary>
    /// For each of three messages: the UID in the server's answer minus the true UID. A UID beyond the last message belongs to mail that
    /// arrives later.
    /// </summary>
    public static TheoryData<int, int, int, int, bool> Cases()
    {
        var cases = new TheoryData<int, int, int, int, bool>();
        foreach (var (a, b, c) in ((int, int, int)[])[(1, 1, 1), (1, 1, -2), (2, -1, -1), (1, -1, 0), (0, 1, -1), (2, 0, -2)])
        {
            for (var flagged = 0; flagged < 3; flagged++)
            {
                cases.Add(a, b, c, flagged, false);
                cases.Add(a, b, c, flagged, true);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Nothing_is_copied_again(int first, int second, int third, int flagged, bool hasIds)
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Flags = FlagPolicy.Follow };
        var inbox = box.Source.Folder("INBOX");
        inbox.Add(Mail(1, hasIds));
        await box.RunAsync();
        int[] shifts = [first, second, third];
        box.Target.TellsUid = uid => (uint)(uid + shifts[uid - 2]);
        List<uint> fresh = [inbox.Add(Mail(2, hasIds)), inbox.Add(Mail(3, hasIds)), inbox.Add(Mail(4, hasIds))];
        await box.RunAsync();
        box.Target.TellsUid = uid => uid;
        box.Target.Folder("INBOX").Add(Mail(9, hasIds: true));
        inbox.SetFlags(fresh[flagged], "\\Flagged");
        JobReport report;
        var runs = 0;
        do
            report = await box.RunAsync();
        while (report.Outcome != JobOutcome.Ok && ++runs < 3);

        Assert.Equal(JobOutcome.Ok, report.Outcome);
        inbox.Add(Mail(9, hasIds: true));
        Assert.Equal(Octets(inbox), Octets(box.Target.Folder("INBOX")));
    }

    /// <summary>
    /// The record of the fourth message names the UID that the fifth message gets later. One run notices the wrong records and first sees
    /// the fifth message. That run must recognise the fifth message's copy instead of copying it again.
    /// </summary>
    [Theory]
    [InlineData(FlagPolicy.Follow)]
    [InlineData(FlagPolicy.Exact)]
    public async Task What_comes_in_the_run_that_notices_it_is_not_copied_beside_its_copy(FlagPolicy policy)
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Flags = policy };
        var inbox = box.Source.Folder("INBOX");
        for (var i = 1; i <= 4; i++)
            inbox.Add(Mail(i, hasIds: true));
        // The server swaps the UIDs of the second and third message. For the fourth it answers the UID of later mail.
        box.Target.TellsUid = uid => uid switch { 2 => 3, 3 => 2, 4 => 5, _ => uid };
        await box.RunAsync();
        box.Target.TellsUid = uid => uid;
        box.Target.Folder("INBOX").Add(Mail(5, hasIds: true));
        inbox.Add(Mail(5, hasIds: true));
        inbox.SetFlags(2, "\\Flagged");
        await box.RunAsync();
        await box.RunAsync();
        Assert.Equal(Octets(inbox), Octets(box.Target.Folder("INBOX")));
    }

    /// <summary>Reports written by a machine have no Message-ID and equal headers. Only their sizes distinguish them.</summary>
    [Fact]
    public async Task Mail_of_the_same_header_and_another_size_is_not_taken_for_what_was_recorded()
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        var (inbox, target) = (box.Source.Folder("INBOX"), box.Target.Folder("INBOX"));
        inbox.Add(Mail(1, hasIds: true));
        var shorter = inbox.Add("From: machine@example.org\r\nSubject: report\r\n\r\nnothing\r\n");
        inbox.Add("From: machine@example.org\r\nSubject: report\r\n\r\nnothing to report\r\n");
        var flagged = inbox.Add(Mail(4, hasIds: true));
        box.Target.TellsUid = uid => uid switch { 2 => 3, 3 => 2, 4 => 5, _ => uid };
        await box.RunAsync();
        box.Target.TellsUid = uid => uid;
        target.Add(Mail(5, hasIds: true));
        inbox.SetFlags(flagged, "\\Flagged");
        await box.RunAsync();
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        inbox.Remove(shorter);

        var report = await box.RunAsync();

        Assert.Equal((JobOutcome.Ok, 1L), (report.Outcome, report.Totals.Deleted));
        inbox.Add(Mail(5, hasIds: true));
        Assert.Equal(Octets(inbox), Octets(target));
    }

    private static IEnumerable<string> Octets(MemoryFolderState folder) =>
        folder.Messages.Select(m => System.Text.Encoding.Latin1.GetString(m.Octets)).Order(StringComparer.Ordinal);

    /// <summary>Without Message-IDs, two messages have the same size, so sizes alone do not distinguish them.</summary>
    private static string Mail(int number, bool hasIds) => hasIds
        ? MailboxFixture.Mail($"m{number}")
        : $"From: a@example.org\r\nSubject: message {number}\r\n\r\ntext {new string('x', number / 2)}\r\n";
}
