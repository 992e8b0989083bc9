using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// Mail programs add header fields to messages in mbox files, so copies grow. A run without records must still recognise a grown copy.
/// </summary>
public sealed class GrownCopyTests : IDisposable
{
    private readonly MailboxFixture box = new();

    public GrownCopyTests()
    {
        box.Target.NotedFields = ["Lines", "Status"];
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
    }

    private MemoryFolderState Source => box.Source.Folder("INBOX");

    private MemoryFolderState Target => box.Target.Folder("INBOX");

    public static TheoryData<bool, bool> Cases() => new() { { true, true }, { true, false }, { false, true }, { false, false } };

    public void Dispose() => box.Dispose();

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Mail_that_is_back_under_another_UID_has_its_copy(bool hasIds, bool isAdopted)
    {
        await CopyAndGrowAsync(hasIds, isAdopted);
        Source.Remove(2);
        Source.Add(Mail(2, hasIds));

        var report = await box.RunAsync();

        Assert.Equal((JobOutcome.Ok, 0L, 0L), (report.Outcome, report.Totals.Copied, report.Totals.Deleted));
        Assert.Equal(3, Target.Messages.Count);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Mail_that_a_filter_leaves_out_when_it_is_back_keeps_its_copy(bool hasIds, bool isAdopted)
    {
        await CopyAndGrowAsync(hasIds, isAdopted);
        box.Job = box.Job with { Messages = new MessageFilter { Before = MemoryFolderState.Day(0) } };
        Source.Remove(2);
        Source.Add(Mail(2, hasIds));

        var report = await box.RunAsync();

        Assert.Equal((JobOutcome.Ok, 0L), (report.Outcome, report.Totals.Deleted));
        Assert.Equal(3, Target.Messages.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Mail_that_others_had_brought_there_is_not_copied_beside_it(bool hasIds)
    {
        Target.Add(Mail(9, hasIds));
        Grow();
        Fill(hasIds);
        await box.RunAsync();
        Source.Add(Mail(9, hasIds));

        var report = await box.RunAsync();

        Assert.Equal((JobOutcome.Ok, 0L, 1L), (report.Outcome, report.Totals.Copied, report.Totals.Adopted));
        Assert.Equal(4, Target.Messages.Count);
    }

    private static string Mail(int number, bool hasIds) => hasIds
        ? MailboxFixture.Mail($"m{number}")
        : $"From: a@example.org\r\nSubject: message {number}\r\n\r\ntext {number}\r\n";

    /// <summary>Copies all mail. Then a mail program adds header fields to the copies.</summary>
    /// <param name="isAdopted">Whether the job's records are then lost, and another run recognises the longer copies.</param>
    private async Task CopyAndGrowAsync(bool hasIds, bool isAdopted)
    {
        Fill(hasIds);
        await box.RunAsync();
        Grow();
        if (isAdopted)
        {
            box.DeleteCheckpoints();
            await box.RunAsync();
        }
    }

    private void Fill(bool hasIds)
    {
        for (var n = 1; n <= 3; n++)
            Source.Add(Mail(n, hasIds));
    }

    private void Grow()
    {
        for (var i = 0; i < Target.Messages.Count; i++)
        {
            var text = Encoding.Latin1.GetString(Target.Messages[i].Octets);
            Target.Messages[i] = Target.Messages[i] with { Octets = Encoding.Latin1.GetBytes(text.Replace("\r\n\r\n", "\r\nStatus: RO\r\nLines: 1\r\n\r\n", StringComparison.Ordinal)) };
        }
    }
}
