using System.Text;
using Imapsync.Engine.Configuration.Secrets;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Engine.Verifying;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Verifying;

public sealed class VerificationTests : IDisposable
{
    private static readonly VerifyOptions Quick = new();
    private static readonly VerifyOptions Full = new(Full: true);
    private static readonly VerifyOptions Offline = new(Offline: true);

    private readonly MailboxFixture box = new();

    private MemoryFolderState Here => box.Source.Folder("INBOX");

    private MemoryFolderState There => box.Target.Folder("INBOX");

    public void Dispose() => box.Dispose();

    [Fact]
    public async Task Without_UIDVALIDITY_at_the_target_nothing_is_held_against_what_was_recorded()
    {
        using var box = new MailboxFixture();
        box.Target.NextValidity = 0;
        box.Target.Folder("INBOX").Validity = 0;
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("a"));
        await box.RunAsync();
        box.Target.Folder("INBOX").Messages.Clear();
        box.Target.Folder("INBOX").UidNext = 1;
        box.Target.Folder("INBOX").Add(MailboxFixture.Mail("somebody else's"));
        var report = await box.VerifyAsync(new VerifyOptions(Offline: true));
        Assert.Contains(report.Job.Problems, p => p.Text.StartsWith("the target tells no UIDVALIDITY", StringComparison.Ordinal));
        Assert.NotEqual(JobOutcome.Ok, report.Job.Outcome);
    }

    [Fact]
    public async Task Verifying_a_part_of_a_job_that_never_ran_makes_no_state()
    {
        using var box = new MailboxFixture();
        box.DeleteCheckpoints();
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("a"));
        await box.VerifyAsync(new VerifyOptions(Full: true, Share: 0.5));
        Assert.False(Directory.Exists(box.StateDirectory));
    }

    [Fact]
    public async Task After_a_run_nothing_is_found_however_it_is_looked_for()
    {
        await CopyAsync(30);
        foreach (var options in (VerifyOptions[])[Quick, Full, Offline])
        {
            var report = await box.VerifyAsync(options);
            AssertFound(report);
            Assert.Equal((JobOutcome.Ok, 1, 30L, 30L), (report.Job.Outcome, report.Counts.Folders, report.Counts.Messages, report.Counts.Read));
            Assert.Empty(report.Job.Notes);
            Assert.Equal(30, box.Events.OfType<MessagesVerified>().Sum(e => e.Count));
            box.Events.Clear();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Full_finds_exactly_what_is_wrong_with_and_without_a_checkpoint(bool hasCheckpoint)
    {
        box.Job = box.Job with { Flags = FlagPolicy.Exact };
        await CopyAsync(30);
        There.Remove(3);
        Flip(There, 7);
        There.SetFlags(9, "$Mine");
        Change(There, 11, m => m with { Date = m.Date.AddSeconds(-1) });
        var extra = There.Add(MailboxFixture.Mail("foreign"));
        if (!hasCheckpoint)
            box.DeleteCheckpoints();

        var report = await box.VerifyAsync(Full);
        AssertFound(report, "Missing 3", "Octets 7", "Flags 9", "Date 11", $"Extra {extra}");
        Assert.Equal(JobOutcome.Incomplete, report.Job.Outcome);
        Assert.Equal(hasCheckpoint, Directory.Exists(box.StateDirectory));
        var text = report.Findings.Single(f => f.Kind == FindingKind.Octets).Text;
        Assert.Contains("in the body: 0x74, at the target 0x75", text, StringComparison.Ordinal);
        Assert.Equal(hasCheckpoint, text.StartsWith("changed at the target since it was copied", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Quick_finds_another_size_and_another_header_but_not_a_flipped_octet_of_the_body()
    {
        await CopyAsync(10);
        Change(There, 2, m => m with { Octets = [.. m.Octets, (byte)'x'] });
        Change(There, 4, m => m with { Octets = Encoding.Latin1.GetBytes(MailboxFixture.Mail("n0000")) });
        Flip(There, 6);
        AssertFound(await box.VerifyAsync(Quick), "Octets 2", "Octets 4");
    }

    [Fact]
    public async Task Offline_finds_what_changed_since_it_was_copied_and_never_asks_the_source()
    {
        await CopyAsync(30);
        There.Remove(3);
        Flip(There, 7);
        Change(There, 8, m => m with { Octets = m.Octets[..^1] });
        There.SetFlags(2, "");
        var extra = There.Add(MailboxFixture.Mail("foreign"));
        box.Source.OnStep = s => throw new InvalidOperationException(s);

        var report = await box.VerifyAsync(Offline);
        AssertFound(report, "Missing 3", "Octets 7", "Octets 8", "Flags 2", $"Extra {extra}");
        Assert.Equal(["Flags", "Extra"], report.Findings.Where(f => f.IsInformation).Select(f => f.Kind.ToString()));
    }

    [Fact]
    public async Task Offline_without_a_record_fails_and_with_another_UIDVALIDITY_says_so()
    {
        await CopyAsync(3);
        There.Validity++;
        var report = await box.VerifyAsync(Offline);
        Assert.Equal((JobOutcome.Incomplete, "record"), (report.Job.Outcome, Assert.Single(report.Job.Problems).Reason));
        Assert.Empty(report.Findings);

        box.DeleteCheckpoints();
        Assert.Equal((JobOutcome.Failed, StopReason.Other), await OutcomeAsync(Offline));
    }

    [Fact]
    public async Task Adopted_mail_can_be_verified_offline_after_it_was_seen_to_be_equal()
    {
        for (var i = 1; i <= 5; i++)
        {
            Here.Add(MailboxFixture.Mail($"m{i}"));
            There.Add(MailboxFixture.Mail($"m{i}"));
        }

        Assert.Equal(5, (await box.RunAsync()).Totals.Adopted);
        Assert.Contains("no checksum", Assert.Single((await box.VerifyAsync(Offline)).Job.Notes), StringComparison.Ordinal);
        AssertFound(await box.VerifyAsync(Full));
        Flip(There, 4);
        var report = await box.VerifyAsync(Offline);
        AssertFound(report, "Octets 4");
        Assert.Empty(report.Job.Notes);
    }

    [Fact]
    public async Task Followed_flags_may_be_added_to_at_the_target_but_have_to_arrive()
    {
        await CopyAsync(10);
        There.SetFlags(1, f => f.Union(FlagSet.Parse(["\\Flagged"])));
        AssertFound(await box.VerifyAsync(Full));
        There.SetFlags(2, "");
        var report = await box.VerifyAsync(Full);
        AssertFound(report, "Flags 2");
        Assert.Equal(JobOutcome.Ok, report.Job.Outcome);

        Here.SetFlags(3, "\\Answered");
        report = await box.VerifyAsync(Full);
        AssertFound(report, "Flags 2", "Flags 3");
        Assert.Equal((JobOutcome.Incomplete, 1L), (report.Job.Outcome, report.Counts.Differences));
        box.Job = box.Job with { Flags = FlagPolicy.Once };
        AssertFound(await box.VerifyAsync(Full));
    }

    [Fact]
    public async Task Mirror_takes_extra_mail_for_a_difference_and_also_what_is_gone_from_the_source()
    {
        box.Job = box.Job with { Deletions = DeletionPolicy.Mirror };
        await CopyAsync(10);
        Here.Remove(4);
        var extra = There.Add(MailboxFixture.Mail("foreign"));
        var report = await box.VerifyAsync(Full);
        AssertFound(report, "Extra 4", $"Extra {extra}");
        Assert.Equal(2, report.Counts.Differences);

        box.Job = box.Job with { Deletions = DeletionPolicy.Keep };
        report = await box.VerifyAsync(Full);
        AssertFound(report, $"Extra {extra}");
        Assert.Equal(JobOutcome.Ok, report.Job.Outcome);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Where_a_UIDVALIDITY_changed_messages_are_matched_by_identity(bool atSource)
    {
        await CopyAsync(20);
        (atSource ? Here : There).Renumber(77);
        AssertFound(await box.VerifyAsync(Full));
        Flip(There, 7);
        There.Remove(9);
        Assert.Equal(["Missing", "Octets"], (await box.VerifyAsync(Full)).Findings.Select(f => f.Kind.ToString()).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Two_folders_mapped_to_one_are_each_held_against_their_own_messages(bool hasCheckpoint)
    {
        box.Source.Folder("Sent").Add(MailboxFixture.Mail("both"));
        box.Source.Folder("Sent Items").Add(MailboxFixture.Mail("both"));
        box.Job = box.Job with { Folders = new FolderRules { Map = box.Job.Folders.Map.Add(new FolderPath("Sent Items"), new FolderPath("Sent")) } };
        await box.RunAsync();
        if (!hasCheckpoint)
            box.DeleteCheckpoints();
        var report = await box.VerifyAsync(Full);
        AssertFound(report);
        Assert.Equal((2, 2L), (report.Counts.Folders, report.Counts.Read));

        box.Target.Folder("Sent").Remove(1);
        report = await box.VerifyAsync(Full);
        AssertFound(report, "Missing 1");
        Assert.Equal(hasCheckpoint ? "Sent" : "Sent Items", report.Findings[0].Source!.ToString());
    }

    [Fact]
    public async Task What_the_filters_and_folder_rules_leave_out_is_neither_missing_nor_extra()
    {
        await CopyAsync(10);
        box.Source.Folder("Junk").Add(MailboxFixture.Mail("junk"));
        box.Job = box.Job with
        {
            Folders = new FolderRules { Exclude = ["Junk"] },
            Messages = new MessageFilter { WithoutFlags = FlagSet.Parse(["\\Seen"]) },
        };
        Here.Add(MailboxFixture.Mail("seen"), "\\Seen");
        There.Remove(2);
        There.Remove(3);
        var report = await box.VerifyAsync(Full);
        AssertFound(report, "Missing 3");
        Assert.Equal(5, report.Counts.Messages);
    }

    [Fact]
    public async Task A_job_that_another_run_holds_is_not_verified()
    {
        await CopyAsync(1);
        await using var held = await MailboxFixture.OnDisk(box.StateDirectory, false, TestContext.Current.CancellationToken);
        Assert.Equal((JobOutcome.Failed, StopReason.Locked), await OutcomeAsync(Full));
    }

    [Fact]
    public async Task A_listing_shorter_than_the_folders_own_count_leaves_the_verification_incomplete()
    {
        await CopyAsync(3);
        There.Hidden = 2;
        var report = await box.VerifyAsync(Full);
        Assert.Equal((JobOutcome.Incomplete, "listing"), (report.Job.Outcome, Assert.Single(report.Job.Problems).Reason));
    }

    [Fact]
    public async Task New_mail_of_the_source_and_a_folder_that_is_not_at_the_target_are_missing()
    {
        await CopyAsync(2);
        Here.Add(MailboxFixture.Mail("late"));
        box.Source.Folder("Work").Add(MailboxFixture.Mail("w"));
        AssertFound(await box.VerifyAsync(Quick), "Missing 3", "Missing 1");
    }

    [Fact]
    public async Task A_message_that_cannot_be_read_is_found_and_the_others_are_compared()
    {
        await CopyAsync(5);
        var reads = 0;
        box.Target.OnStep = s =>
        {
            if (s == "read" && ++reads == 2)
                throw new MailException(FailureScope.Message, false, "input/output error");
        };
        Flip(There, 4);
        AssertFound(await box.VerifyAsync(Full), "Unreadable 2", "Octets 4");
    }

    [Fact]
    public async Task A_lost_connection_costs_no_finding_and_tells_none_twice()
    {
        await CopyAsync(600);
        for (uint uid = 1; uid <= 600; uid += 100)
            Flip(There, uid);
        There.Remove(50);
        var reads = 0;
        box.Target.OnStep = s =>
        {
            if (s == "read" && ++reads is 300 or 500)
                throw new MailException(FailureScope.Folder, true, "connection lost");
        };
        var report = await box.VerifyAsync(Full);
        AssertFound(report, "Missing 50", "Octets 1", "Octets 101", "Octets 201", "Octets 301", "Octets 401", "Octets 501");
        Assert.Equal((600, 599), (report.Counts.Messages, report.Counts.Read));
        Assert.Equal(2, box.Events.OfType<Waiting>().Count());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Ten_samples_of_a_tenth_cover_every_message_once(bool offline)
    {
        await CopyAsync(100);
        for (uint uid = 1; uid <= 100; uid++)
            Flip(There, uid);
        var met = new List<uint>();
        for (var run = 0; run < 10; run++)
        {
            var report = await box.VerifyAsync(new VerifyOptions(Full: !offline, Offline: offline, Share: 0.1));
            Assert.Equal((100, 10), (report.Counts.Messages, report.Counts.Read));
            met.AddRange(report.Findings.Select(f => f.SourceUid.Value));
        }

        Assert.Equal(Enumerable.Range(1, 100).Select(n => (uint)n), met.Order());
        // Each sample is a tenth of the messages, so the eleventh equals the first. So does the sample after the recorded position was
        // deleted.
        Assert.Equal(met.Take(10), await ReadAsync());
        File.Delete(Path.Combine(box.StateDirectory, "verify"));
        Assert.Equal(met.Take(10), await ReadAsync());

        async Task<IEnumerable<uint>> ReadAsync() =>
            (await box.VerifyAsync(new VerifyOptions(Full: !offline, Offline: offline, Share: 0.1))).Findings.Select(f => f.SourceUid.Value);
    }

    [Fact]
    public async Task A_verification_that_broke_off_reads_the_same_sample_again()
    {
        await CopyAsync(20);
        box.Target.OnStep = s => throw new MailException(FailureScope.Store, false, "down") { Kind = FailureKind.Connect };
        Assert.Equal((JobOutcome.Failed, StopReason.Connect), await OutcomeAsync(Full with { Share = 0.5 }));
        Assert.False(File.Exists(Path.Combine(box.StateDirectory, "verify")));
    }

    [Fact]
    public async Task The_relay_records_the_checksum_of_buffered_and_of_streamed_messages()
    {
        var big = new byte[3_000_000];
        new Random(5).NextBytes(big);
        Here.Add(MailboxFixture.Mail("small"));
        Here.Add([.. Encoding.Latin1.GetBytes(MailboxFixture.Mail("big")), .. big], FlagSet.Empty, MemoryFolderState.Day(1));
        await box.RunAsync();

        await using var checkpoints = await MailboxFixture.OnDisk(box.StateDirectory, true, TestContext.Current.CancellationToken);
        await using var checkpoint = await checkpoints.OpenAsync(new(FolderPath.Inbox, FolderPath.Inbox), TestContext.Current.CancellationToken);
        Assert.Equal(Here.Messages.Select(m => MessageChecksum.Of(m.Octets)), checkpoint.Messages.Select(m => m.Checksum));
        Flip(There, 2);
        AssertFound(await box.VerifyAsync(Offline), "Octets 2");
    }

    private async Task CopyAsync(int count)
    {
        for (var i = 1; i <= count; i++)
            Here.Add(MailboxFixture.Mail($"m{i:0000}"), i % 2 == 0 ? "\\Seen $Work" : "", MemoryFolderState.Day(i % 28));
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
    }

    private async Task<(JobOutcome, StopReason)> OutcomeAsync(VerifyOptions options)
    {
        var job = (await box.VerifyAsync(options)).Job;
        return (job.Outcome, job.Stop);
    }

    private static void Change(MemoryFolderState folder, uint uid, Func<MemoryMessage, MemoryMessage> change)
    {
        var at = folder.Messages.FindIndex(m => m.Uid == uid);
        folder.Messages[at] = change(folder.Messages[at]);
    }

    /// <summary>Flips the lowest bit of the body's first octet.</summary>
    private static void Flip(MemoryFolderState folder, uint uid) => Change(folder, uid, m =>
    {
        var octets = m.Octets.ToArray();
        octets[octets.AsSpan().IndexOf("\r\n\r\n"u8) + 4] ^= 1;
        return m with { Octets = octets };
    });

    /// <summary>
    /// Asserts that the report has exactly these findings. Each is a kind and the message's UID at the source, or at the target if the
    /// source lacks the message.
    /// </summary>
    internal static void AssertFound(VerifyReport report, params string[] expected) => Assert.Equal(
        expected.Order(StringComparer.Ordinal),
        report.Findings.Select(f => $"{f.Kind} {(f.SourceUid.IsNone ? f.TargetUid : f.SourceUid)}").Order(StringComparer.Ordinal));
}
