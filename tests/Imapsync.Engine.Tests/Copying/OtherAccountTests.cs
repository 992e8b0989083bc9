using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Tests.State;
using Imapsync.Engine.Verifying;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// The job's source or target account is changed after a run. Only the job's settings show this, because many providers give INBOX the same
/// UIDVALIDITY in every account.
/// </summary>
public sealed class OtherAccountTests
{
    private static readonly string[] Names = ["INBOX", "A", "B"];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task All_mail_of_the_other_account_arrives_once_and_nothing_is_removed(bool isSource)
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 60; round++)
        {
            using var box = new MailboxFixture();
            box.Job = box.Job with
            {
                Source = Account("imap.example.com", "alicee", 993),
                Target = Account("imap.example.org", "alice", 993),
                Deletions = random.Next(2) == 0 ? DeletionPolicy.Mirror : DeletionPolicy.Keep,
                DeletionLimit = new DeletionLimit(100, IsPercent: true),
            };
            box.Source.HasModSeq = random.Next(2) == 0;
            Fill(box.Source, 1000, random, random.Next(2) == 0 ? "x" : "y");
            await box.RunAsync();
            var changed = isSource ? box.Source : box.Target;
            changed.Folders.Clear();
            Fill(changed, isSource ? 1000u : 5000u, random, "z");
            // Some messages are in both accounts.
            changed.Folder("A").Add(MailboxFixture.Mail("xA1"));
            var before = Living(box.Target);
            box.Job = isSource ? box.Job with { Source = Account("imap.example.com", "alice", 993) } : box.Job with { Target = Account("imap.example.net", "alice", 993) };
            if (random.Next(3) == 0)
                await BreakOffAsync(box, random);

            var report = await box.RunAsync();

            var at = $"seed {seed}, round {round}";
            Assert.True(report.Outcome == JobOutcome.Ok, $"{at}: {string.Join("; ", report.Problems.Select(p => p.Text))}");
            var there = Living(box.Target);
            Assert.True(there.Count == there.Distinct().Count(), $"{at}: doubled");
            Assert.Empty(before.Except(there));
            var missing = Living(box.Source).Except(there).ToList();
            Assert.True(missing.Count == 0, $"{at}: {string.Join(", ", missing)} did not arrive");
            Assert.Equal(0L, (await box.RunAsync()).Totals.Copied);
        }
    }

    [Fact]
    public async Task Another_port_of_a_host_is_the_same_account()
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Source = Account("imap.example.com", "alice", 143), Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(100, IsPercent: true) };
        Fill(box.Source, 1000, new Random(1), "x");
        await box.RunAsync();
        box.Job = box.Job with { Source = Account("IMAP.example.com", "alice", 993) };
        box.Source.Folder("A").Remove(1);

        var report = await box.RunAsync();

        Assert.Equal((JobOutcome.Ok, 0L, 1L), (report.Outcome, report.Totals.Adopted, report.Totals.Deleted));
    }

    /// <summary>The other account has the same mail under other UIDs. It must not be judged by the first account's records.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Verifying_compares_the_other_account_by_identity(bool isSource)
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with { Source = Account("imap.example.com", "alice", 993), Target = Account("imap.example.org", "alice", 993) };
        Fill(box.Source, 1000, new Random(1), "x");
        await box.RunAsync();
        foreach (var folder in (isSource ? box.Source : box.Target).Folders.Values)
            folder.Renumber(folder.Validity);
        box.Job = isSource ? box.Job with { Source = Account("imap.example.net", "alice", 993) } : box.Job with { Target = Account("imap.example.net", "alice", 993) };

        var whole = await box.VerifyAsync(new VerifyOptions(Full: true));
        var offline = await box.VerifyAsync(new VerifyOptions(Offline: true));

        Assert.Empty(whole.Findings);
        Assert.Equal(JobOutcome.Ok, whole.Job.Outcome);
        Assert.Contains(whole.Job.Notes, n => n.Contains($"the {(isSource ? "source" : "target")} is another account", StringComparison.Ordinal));
        Assert.Empty(offline.Findings);
        Assert.Contains($"the {(isSource ? "source" : "target")} is another account", Assert.Single(offline.Job.Problems).Text, StringComparison.Ordinal);
        // The verification must not have recorded its results for messages of the former account.
        Assert.Equal(0L, (await box.RunAsync()).Totals.Copied);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Where_removed_mail_came_from_is_forgotten_with_the_account_it_was_removed_in(bool isSource)
    {
        using var box = new MailboxFixture();
        box.Job = box.Job with
        {
            Source = Account("imap.example.com", "alice", 993),
            Target = Account("imap.example.org", "alice", 993),
            Deletions = DeletionPolicy.Trash,
            DeletionLimit = new DeletionLimit(100, IsPercent: true),
        };
        Fill(box.Source, 1000, new Random(1), "x");
        await box.RunAsync();
        box.Source.Folder("A").Remove(1);
        await box.RunAsync();
        var origins = Path.Combine(box.StateDirectory, "removed");
        Assert.True(File.Exists(origins));
        box.Job = isSource ? box.Job with { Source = Account("imap.example.net", "alice", 993) } : box.Job with { Target = Account("imap.example.net", "alice", 993) };

        await box.RunAsync();

        Assert.Equal(isSource, File.Exists(origins));
    }

    [Fact]
    public async Task State_that_can_not_be_changed_ends_the_run_and_the_next_one_forgets_the_rest()
    {
        for (var failing = 0; ; failing++)
        {
            using var box = new MailboxFixture();
            box.Job = box.Job with
            {
                Source = Account("imap.example.com", "alicee", 993),
                Target = Account("imap.example.org", "alice", 993),
                Deletions = DeletionPolicy.Mirror,
                DeletionLimit = new DeletionLimit(100, IsPercent: true),
            };
            Fill(box.Source, 1000, new Random(1), "x");
            await box.RunAsync();
            box.Source.Folders.Clear();
            Fill(box.Source, 1000, new Random(1), "z");
            var before = Living(box.Target);
            box.Job = box.Job with { Source = Account("imap.example.com", "alice", 993) };
            var (open, left, isAppending) = (box.OpenState, failing, false);
            box.Target.OnStep = step => isAppending |= step == "append";
            box.OpenState = location => new SteppedMedium(open(location), () =>
            {
                if (!isAppending && left-- == 0)
                    throw new IOException("the disk is full");
            });

            var broken = await box.RunAsync();

            box.OpenState = open;
            if (left >= 0)
            {
                Assert.Equal(JobOutcome.Ok, broken.Outcome);
                Assert.True(failing > 10);
                return;
            }

            // The run can do without some parts of the state. For any other part, the report names the file that can't be written.
            Assert.True(
                broken.Outcome == JobOutcome.Ok || broken.Problems.Any(p => p.Text.Contains(box.StateDirectory, StringComparison.Ordinal) && p.Text.Contains("the disk is full", StringComparison.Ordinal)),
                $"step {failing}: {string.Join("; ", broken.Problems)}");
            Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
            Assert.Equal(before.Concat(Living(box.Source)).Order(StringComparer.Ordinal), Living(box.Target).Order(StringComparer.Ordinal));
        }
    }

    private static ImapEndpoint Account(string host, string user, int port) => new(host, port, TlsMode.Implicit, user);

    private static void Fill(MemoryStore store, uint validity, Random random, string prefix)
    {
        store.NextValidity = validity;
        foreach (var name in Names)
        {
            for (var n = random.Next(2, 7); n > 0; n--)
                store.Folder(name).Add(MailboxFixture.Mail($"{prefix}{name}{n}"));
        }
    }

    private static async Task BreakOffAsync(MailboxFixture box, Random random)
    {
        var left = random.Next(1, 8);
        box.Target.OnStep = step =>
        {
            if (step.StartsWith("append", StringComparison.Ordinal) && --left == 0)
                throw new MailException(FailureScope.Store, false, "broken off");
        };
        await box.RunAsync();
        box.Target.OnStep = _ => { };
    }

    private static List<string> Living(MemoryStore store) => [.. store.Folders.SelectMany(f => f.Value.Messages.Select(m =>
        $"{f.Key} {System.Text.Encoding.Latin1.GetString(m.Octets).Split("Subject: ")[1].Split('\r')[0]}"))];
}
