using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>An older copy of a job's state is restored: its flags are outdated and must not override today's flags.</summary>
public sealed class OlderStateTests
{
    private static readonly string[] Flags = ["\\Seen", "\\Flagged", "\\Answered", "$Work"];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_flag_taken_away_and_given_again_since_is_at_the_target(bool hasModSeq)
    {
        using var box = Box(hasModSeq);
        var inbox = box.Source.Folder("INBOX");
        inbox.Add(MailboxFixture.Mail("m1"), "\\Flagged");
        await OkAsync(box);
        var putBack = BackUpState(box);
        inbox.SetFlags(1, "");
        inbox.Add(MailboxFixture.Mail("m2"));
        await OkAsync(box);
        Assert.Equal(FlagSet.Empty, TargetFlags(box, "m1"));
        putBack();
        inbox.SetFlags(1, "\\Flagged");
        await OkAsync(box);
        Assert.Equal(FlagSet.Parse(["\\Flagged"]), TargetFlags(box, "m1"));
        Assert.Contains(box.Events.OfType<NoteRaised>(), n => n.Text.Contains("older copy", StringComparison.Ordinal));
        await OkAsync(box);
        Assert.DoesNotContain(box.Events.OfType<NoteRaised>(), n => n.Text.Contains("older copy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_flag_that_the_targets_user_set_since_stays()
    {
        using var box = Box(hasModSeq: true);
        var inbox = box.Source.Folder("INBOX");
        inbox.Add(MailboxFixture.Mail("m1"), "\\Flagged");
        await OkAsync(box);
        var putBack = BackUpState(box);
        inbox.SetFlags(1, "");
        inbox.Add(MailboxFixture.Mail("m2"));
        await OkAsync(box);
        box.Target.Folder("INBOX").SetFlags(1, "\\Flagged");
        putBack();
        await OkAsync(box);
        Assert.Equal(FlagSet.Parse(["\\Flagged"]), TargetFlags(box, "m1"));
    }

    /// <summary>
    /// The server once answered APPEND with a UID that a later message got. The restored older state has this wrong record again. It must
    /// not hide the later message's copy.
    /// </summary>
    [Theory]
    [InlineData(1, 2)]
    [InlineData(1, 3)]
    [InlineData(2, 2)]
    [InlineData(2, 4)]
    [InlineData(3, 3)]
    public async Task A_wrong_record_of_the_older_state_hides_no_copy(int shift, int later)
    {
        using var box = Box(hasModSeq: true);
        var inbox = box.Source.Folder("INBOX");
        for (var n = 0; n < 3; n++)
            inbox.Add(MailboxFixture.Mail($"m{n}"));
        await OkAsync(box);
        box.Target.TellsUid = uid => (uint)(uid + shift);
        inbox.Add(MailboxFixture.Mail("shifted"));
        await OkAsync(box);
        box.Target.TellsUid = uid => uid;
        var putBack = BackUpState(box);
        for (var n = 0; n < later; n++)
            inbox.Add(MailboxFixture.Mail($"later{n}"));
        await OkAsync(box);
        putBack();

        JobReport report;
        var runs = 0;
        do
            report = await box.RunAsync();
        while (report.Outcome != JobOutcome.Ok && ++runs < 3);

        Assert.Equal(JobOutcome.Ok, report.Outcome);
        Assert.Equal(Contents(box.Source), Contents(box.Target));

        static IEnumerable<string> Contents(MemoryStore store) => store.Folder("INBOX").Messages.Select(m => Convert.ToHexString(m.Octets)).Order(StringComparer.Ordinal);
    }

    [Fact]
    public async Task Whatever_happened_since_no_flag_of_the_source_is_missing_and_no_message_comes_twice()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 40; round++)
        {
            using var box = Box(random.Next(2) == 0);
            var inbox = box.Source.Folder("INBOX");
            for (var n = 0; n < 8; n++)
                inbox.Add(MailboxFixture.Mail($"m{n}"), Any(random));
            await OkAsync(box);
            Action putBack = BackUpState(box);
            for (var run = random.Next(1, 4); run > 0; run--)
            {
                Toggle(inbox, random);
                inbox.Add(MailboxFixture.Mail($"r{run}"), Any(random));
                await OkAsync(box);
            }

            putBack();
            Toggle(inbox, random);
            await OkAsync(box);
            var what = $"seed {seed}, round {round}";
            Assert.True(box.Target.Folder("INBOX").Messages.Count == inbox.Messages.Count, what);
            foreach (var message in inbox.Messages)
            {
                var there = box.Target.Folder("INBOX").Messages.Single(m => m.Octets.AsSpan().SequenceEqual(message.Octets));
                Assert.True(message.Flags.Except(there.Flags).IsEmpty, $"{what}: ({message.Flags}) and ({there.Flags})");
            }

            // From here on, flag changes must be propagated as usual.
            Toggle(inbox, random);
            var before = inbox.Messages.ToDictionary(m => m.Uid, m => m.Flags);
            await OkAsync(box);
            inbox.SetFlags(1, _ => FlagSet.Empty);
            box.Target.Folder("INBOX").SetFlags(1, _ => before[1]);
            await OkAsync(box);
            Assert.True(TargetFlags(box, "m0").IsEmpty, what);
        }
    }

    /// <summary>
    /// After an interrupted run, the target has copies without a record, as after a restore of older state. The next run must not assume
    /// such a restore: flags that a user removed at the target stay removed.
    /// </summary>
    [Fact]
    public async Task An_interrupted_run_is_not_taken_for_it()
    {
        using var box = Box(hasModSeq: true);
        var inbox = box.Source.Folder("INBOX");
        inbox.Add(MailboxFixture.Mail("m1"), "\\Flagged");
        await OkAsync(box);
        box.Target.Folder("INBOX").SetFlags(1, "");
        inbox.Add(MailboxFixture.Mail("m2"));
        inbox.Add(MailboxFixture.Mail("m3"));
        box.Target.OnStep = step =>
        {
            if (step == "append!")
                throw new MailException(FailureScope.Store, false, "killed");
        };
        Assert.Equal(JobOutcome.Failed, (await box.RunAsync()).Outcome);
        box.Target.OnStep = _ => { };
        await OkAsync(box);
        Assert.Equal(FlagSet.Empty, TargetFlags(box, "m1"));
        Assert.Equal(3, box.Target.Folder("INBOX").Messages.Count);
        Assert.DoesNotContain(box.Events.OfType<NoteRaised>(), n => n.Text.Contains("older copy", StringComparison.Ordinal));
    }

    /// <summary>
    /// A message was delivered to both accounts, so the state has no record of it. This is no sign of restored older state.
    /// </summary>
    [Fact]
    public async Task Mail_delivered_on_both_sides_is_not_taken_for_it()
    {
        using var box = Box(hasModSeq: true);
        var inbox = box.Source.Folder("INBOX");
        inbox.Add(MailboxFixture.Mail("m1"), "\\Flagged");
        await OkAsync(box);
        box.Target.Folder("INBOX").SetFlags(1, "");
        inbox.Add("Received: here\r\n" + MailboxFixture.Mail("m2"));
        box.Target.Folder("INBOX").Add("Received: over there\r\n" + MailboxFixture.Mail("m2"));
        await OkAsync(box);
        Assert.Equal(FlagSet.Empty, TargetFlags(box, "m1"));
        Assert.Equal(2, box.Target.Folder("INBOX").Messages.Count);
    }

    private static MailboxFixture Box(bool hasModSeq)
    {
        var box = new MailboxFixture();
        box.Job = box.Job with { Flags = FlagPolicy.Follow };
        (box.Source.HasModSeq, box.Target.HasModSeq) = (hasModSeq, hasModSeq);
        return box;
    }

    private static void Toggle(MemoryFolderState folder, Random random)
    {
        foreach (var message in folder.Messages.ToList().Where(_ => random.Next(2) == 0))
        {
            var flag = FlagSet.Parse([Flags[random.Next(Flags.Length)]]);
            folder.SetFlags(message.Uid, f => f.Except(flag).Equals(f) ? f.Union(flag) : f.Except(flag));
        }
    }

    private static string Any(Random random) => string.Join(' ', Flags.Where(_ => random.Next(2) == 0));

    private static FlagSet TargetFlags(MailboxFixture box, string id) => box.Target.Folder("INBOX").Messages
        .Single(m => System.Text.Encoding.Latin1.GetString(m.Octets).Contains($"<{id}@", StringComparison.Ordinal)).Flags;

    private static async Task OkAsync(MailboxFixture box)
    {
        var report = await box.RunAsync();
        Assert.True(report.Outcome == JobOutcome.Ok, string.Join('\n', report.Problems));
    }

    /// <summary>Copies the state. The returned action restores that copy.</summary>
    private static Action BackUpState(MailboxFixture box)
    {
        var files = Directory.GetFiles(box.StateDirectory, "*", SearchOption.AllDirectories).ToDictionary(f => f, File.ReadAllBytes);
        return () =>
        {
            Directory.Delete(box.StateDirectory, recursive: true);
            foreach (var (file, octets) in files)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                File.WriteAllBytes(file, octets);
            }
        };
    }
}
