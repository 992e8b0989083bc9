using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// Healing copies messages again that are missing or damaged in a backup. It leaves other mail alone, even if a restored backup has reused
/// UIDs.
/// </summary>
public sealed class HealedBackupTests : IDisposable
{
    private readonly MailboxFixture box = new();

    public HealedBackupTests()
    {
        box.Target.KeepsWhatItGets = true;
        box.Source.HasModSeq = box.Target.HasModSeq = false;
    }

    private MemoryFolderState Source => box.Source.Folder("INBOX");

    private MemoryFolderState Target => box.Target.Folder("INBOX");

    public void Dispose() => box.Dispose();

    /// <summary>
    /// The backup is replaced by an older copy of itself. Then another program delivers mail, which gets the UIDs of the lost messages.
    /// Healing must keep the delivered mail.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Mail_that_others_brought_under_known_UIDs_stays(int deliveries)
    {
        for (var i = 1; i <= 3; i++)
            Source.Add(MailboxFixture.Mail($"m{i}"));
        await box.RunAsync();
        var putBack = Target.BackUp();
        Source.Add(MailboxFixture.Mail("m4"));
        Source.Add(MailboxFixture.Mail("m5"));
        await box.RunAsync();
        putBack();
        for (var i = 1; i <= deliveries; i++)
            Target.Add(MailboxFixture.Mail($"t{i}"), date: MemoryFolderState.Day(20 + i));

        await box.RunAsync(heal: true);
        var report = await box.RunAsync(heal: true);
        Assert.Equal((JobOutcome.Ok, 0L), (report.Outcome, report.Totals.Copied));
        Assert.Equal(["m1", "m2", "m3", "m4", "m5", .. Enumerable.Range(1, deliveries).Select(i => $"t{i}")], Subjects());
    }

    /// <summary>
    /// The job found some messages at the target and has no check sums of them. The backup is then replaced by an older copy of itself.
    /// Other mail gets their UIDs, which only size and header show.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task What_was_adopted_and_lost_comes_again_though_others_brought_mail_under_its_UIDs(int lost)
    {
        for (var i = 1; i <= 3; i++)
            Source.Add(MailboxFixture.Mail($"m{i}"));
        await box.RunAsync();
        var putBack = Target.BackUp();
        for (var i = 4; i < 4 + lost; i++)
            Source.Add(MailboxFixture.Mail($"m{i}"));
        await box.RunAsync();
        box.DeleteCheckpoints();
        Assert.Equal(3 + lost, (await box.RunAsync()).Totals.Adopted);
        putBack();
        for (var i = 1; i <= lost; i++)
            Target.Add(MailboxFixture.Mail($"t{i}"), date: MemoryFolderState.Day(20 + i));

        var report = await box.RunAsync(heal: true);
        Assert.Equal((JobOutcome.Ok, (long)lost), (report.Outcome, report.Totals.Copied));
        string[] all = [.. Enumerable.Range(1, 3 + lost).Select(i => $"m{i}"), .. Enumerable.Range(1, lost).Select(i => $"t{i}")];
        Assert.Equal(all, Subjects());
        report = await box.RunAsync(heal: true);
        Assert.Equal((JobOutcome.Ok, 0L), (report.Outcome, report.Totals.Copied));
        Assert.Equal(all, Subjects());
    }

    /// <summary>
    /// The backup is replaced by an older copy of itself. Another program delivers mail under the UIDs of the lost messages, and the same
    /// mail arrives at the source. It must not be copied a second time.
    /// </summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    public async Task What_others_brought_under_known_UIDs_is_recognised_when_the_source_gets_it(int lost, int alsoAtSource)
    {
        for (var i = 1; i <= 3; i++)
            Source.Add(MailboxFixture.Mail($"m{i}"));
        await box.RunAsync();
        var putBack = Target.BackUp();
        for (var i = 4; i < 4 + lost; i++)
            Source.Add(MailboxFixture.Mail($"m{i}"));
        await box.RunAsync();
        putBack();
        for (var i = 1; i <= lost; i++)
            Target.Add(MailboxFixture.Mail($"t{i}"), date: MemoryFolderState.Day(20 + i));
        for (var i = 1; i <= alsoAtSource; i++)
            Source.Add(MailboxFixture.Mail($"t{i}"), date: MemoryFolderState.Day(20 + i));

        var report = await box.RunAsync(heal: true);
        string[] all = [.. Enumerable.Range(1, 3 + lost).Select(i => $"m{i}"), .. Enumerable.Range(1, lost).Select(i => $"t{i}")];
        Assert.Equal(all, Subjects());
        Assert.Equal((JobOutcome.Ok, (long)lost), (report.Outcome, report.Totals.Copied));
        report = await box.RunAsync(heal: true);
        Assert.Equal((JobOutcome.Ok, 0L), (report.Outcome, report.Totals.Copied));
        Assert.Equal(all, Subjects());
    }

    /// <summary>As many messages are deleted at the source as are lost at the target. So the message counts don't show the loss.</summary>
    [Fact]
    public async Task What_is_lost_comes_again_though_the_counts_come_out_alike()
    {
        box.Source.HasModSeq = true;
        for (var i = 1; i <= 4; i++)
            Source.Add(MailboxFixture.Mail($"m{i}"));
        await box.RunAsync();
        Source.Remove(4);
        Target.Messages.RemoveAt(0);
        var report = await box.RunAsync(heal: true);
        Assert.Equal((JobOutcome.Ok, 1L), (report.Outcome, report.Totals.Copied));
        Assert.Equal(["m1", "m2", "m3", "m4"], Subjects());
    }

    [Theory]
    [InlineData("cut off")]
    [InlineData("empty")]
    [InlineData("an octet of the header")]
    [InlineData("an octet of the body")]
    public async Task A_damaged_copy_goes_when_a_good_one_is_in_its_place(string damage)
    {
        for (var i = 1; i <= 3; i++)
            Source.Add(MailboxFixture.Mail($"m{i}", new string('x', 300)));
        await box.RunAsync();
        var octets = Target.Messages[1].Octets.ToArray();
        octets = damage switch
        {
            "cut off" => octets[..30],
            "empty" => [],
            _ => octets,
        };
        if (damage.StartsWith("an octet", StringComparison.Ordinal))
            octets[damage.EndsWith("header", StringComparison.Ordinal) ? 40 : ^5] ^= 1;
        Target.Messages[1] = Target.Messages[1] with { Octets = octets };

        var report = await box.RunAsync(heal: true);
        Assert.Equal((JobOutcome.Ok, 1L), (report.Outcome, report.Totals.Copied));
        Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(box.Target));
    }

    private IEnumerable<string> Subjects() =>
        Target.Messages.Select(m => System.Text.Encoding.Latin1.GetString(m.Octets).Split("Subject: ")[1].Split('\r')[0]).Order(StringComparer.Ordinal);
}
