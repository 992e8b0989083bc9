using System.Text;
using System.Text.RegularExpressions;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Tests.Matching;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// A message is compared with all messages of the target folder when the job first selects it, and not again in later runs.
/// </summary>
public sealed class RecognitionTests
{
    [Fact]
    public async Task What_a_filter_kept_out_is_recognised_when_it_comes_in()
    {
        using var box = new MailboxFixture();
        Fill(box.Source, 4);
        Fill(box.Target, 4);
        box.Job = box.Job with { Messages = new MessageFilter { MessageIds = ["m1@example.org"] } };
        await box.RunAsync();
        box.Job = box.Job with { Messages = new MessageFilter { Since = MemoryFolderState.Day(2000) } };
        await box.RunAsync();
        box.Job = box.Job with { Messages = new MessageFilter() };
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0L, 4L, 3L), (report.Outcome, report.Totals.Copied, report.Totals.AlreadyPresent, report.Totals.Adopted));
        Assert.Equal(4, box.Target.Folder("INBOX").Messages.Count);
    }

    [Fact]
    public async Task What_a_short_listing_left_out_is_recognised_when_it_shows()
    {
        using var box = new MailboxFixture();
        Fill(box.Source, 4);
        Fill(box.Target, 4);
        var folder = box.Source.Folder("INBOX");
        var last = folder.Messages[3];
        folder.Messages.RemoveAt(3);
        folder.Hidden = 1;
        Assert.Equal(JobOutcome.Incomplete, (await box.RunAsync()).Outcome);
        folder.Messages.Add(last);
        folder.Hidden = 0;
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0L), (report.Outcome, report.Totals.Copied));
    }

    [Fact]
    public async Task New_mail_costs_no_look_at_what_the_target_had_before()
    {
        using var box = new MailboxFixture();
        Fill(box.Source, 4);
        box.Job = box.Job with { Messages = new MessageFilter { MessageIds = ["m1@example.org", "new@example.org"] } };
        await box.RunAsync();
        box.Target.Folder("INBOX").Add(MailboxFixture.Mail("others"));
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("new"));
        await box.RunAsync();
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("newer"));
        box.Target.Steps.Clear();
        await box.RunAsync();
        Assert.DoesNotContain("headers INBOX", box.Target.Steps);
    }

    [Fact]
    public async Task What_comes_back_to_the_source_is_not_copied_beside_what_was_kept_of_it()
    {
        using var box = new MailboxFixture();
        Fill(box.Source, 3);
        await box.RunAsync();
        box.Source.Folder("INBOX").Remove(2);
        await box.RunAsync();
        Assert.Equal(JobOutcome.Ok, (await RestoreAsync(box, new MessageFilter())).Outcome);
        Assert.Equal(["m0", "m1", "m2"], Subjects(box.Source));
        Assert.Equal(0, (await box.RunAsync()).Totals.Copied);
        Assert.Equal(["m0", "m1", "m2"], Subjects(box.Target));
        Assert.Equal(0, (await RestoreAsync(box, new MessageFilter())).Totals.Copied);
    }

    [Fact]
    public async Task Runs_and_restores_in_any_order_with_any_filters_lose_and_double_nothing()
    {
        var seed = Imapsync.Tests.Support.Seeds.Next();
        for (var round = 0; round < 30; round++)
        {
            var history = new StringBuilder($"seed {seed}, round {round}:");
            var random = new Random(HashCode.Combine(0, seed) + round);
            using var box = new MailboxFixture();
            box.Source.HasModSeq = random.Next(2) == 0;
            var steps = random.Next(4, 14);
            var known = 0;
            for (var step = 0; step < steps; step++)
                known = await StepAsync(box, random, known, history);

            // Finally run without a filter and restore, twice, so that all mail must be on both sides.
            box.Job = box.Job with { Messages = new MessageFilter() };
            var before = Subjects(box.Source).Union(Subjects(box.Target)).Order(StringComparer.Ordinal).ToList();
            for (var time = 0; time < 2; time++)
            {
                Assert.True((await box.RunAsync()).Outcome == JobOutcome.Ok, $"{history}");
                Assert.True((await RestoreAsync(box, new MessageFilter())).Outcome == JobOutcome.Ok, $"{history}");
            }

            Assert.Equal($"{history}\n{string.Join(' ', before)}", $"{history}\n{string.Join(' ', Subjects(box.Source))}");
            Assert.Equal($"{history}\n{string.Join(' ', before)}", $"{history}\n{string.Join(' ', Subjects(box.Target))}");
        }
    }

    [Theory]
    [InlineData("half", false)]
    [InlineData("half\r\nand half", true)]
    [InlineData("half\nand half\n\n", true)]
    [InlineData("half\r\r\nand half\r\n", true)]
    [InlineData("half\r\nand more", false)]
    public async Task The_same_header_octets_with_another_body_are_another_message(string bodyThere, bool isSame)
    {
        const string header = "From: a@example.org\r\nMessage-ID: <1@example.org>\r\nDate: Wed, 1 Jan 2025 10:00:00 +0100\r\nSubject: s\r\n";
        foreach (var there in (string[])[header, "Received: by x\r\n" + header, header.Replace("From: a", "From:\r\n a", StringComparison.Ordinal)])
        {
            using var box = new MailboxFixture();
            box.Source.Folder("INBOX").Add($"{header}\r\nhalf\r\nand half\r\n");
            box.Target.Folder("INBOX").Add($"{there}\r\n{bodyThere}");
            Assert.Equal(isSame ? 0 : 1, (await box.RunAsync()).Totals.Copied);
        }
    }

    [Theory]
    [InlineData("X-TUID: k3Jd9aPq12Zx\r\n", "b\r\n", true)]
    [InlineData("X-OfflineIMAP: 12-34-v7.3\r\n", "b\r\n", true)]
    [InlineData("Lines: 1\r\nContent-Length: 3\r\nStatus: RO\r\n", "b\r\n", true)]
    [InlineData("X-TUID: k3Jd9aPq12Zx\r\n", "c\r\n", false)]
    [InlineData("To: somebody@else.example\r\n", "b\r\n", false)]
    public async Task Mail_without_a_Message_ID_is_known_by_its_body_where_another_program_marked_its_header(string added, string body, bool isSame)
    {
        using var box = new MailboxFixture();
        const string header = "From: cron@example.org\r\nSubject: nightly\r\n";
        box.Source.Folder("INBOX").Add($"{header}\r\nb\r\n");
        box.Source.Folder("INBOX").Add($"{header}\r\nb\r\n");
        box.Target.Folder("INBOX").Add($"{header}{added}\r\n{body}");
        var report = await box.RunAsync();
        // A recognised message at the target matches one of the two identical source messages, so only the other one is copied.
        Assert.Equal((JobOutcome.Ok, isSame ? 1L : 2L), (report.Outcome, report.Totals.Copied));
        Assert.Equal(isSame ? 2 : 3, box.Target.Folder("INBOX").Messages.Count);
    }

    [Fact]
    public async Task Servers_that_change_octets_of_mail_without_a_Message_ID_get_it_once()
    {
        using var box = new MailboxFixture();
        box.Source.Folder("INBOX").Add("Subject: x\r\n\r\nnul\0here\r\r\n");
        box.Target.Folder("INBOX").Add("Subject: x\r\n\r\nnul\u0080here\r\n");
        Assert.Equal(0, (await box.RunAsync()).Totals.Copied);
    }

    private static async Task<int> StepAsync(MailboxFixture box, Random random, int known, StringBuilder history)
    {
        var kind = random.Next(10);
        history.Append(System.Globalization.CultureInfo.InvariantCulture, $" {kind}");
        var inbox = box.Source.Folder("INBOX");
        switch (kind)
        {
            case 0 or 1:
                for (var n = random.Next(1, 4); n > 0; n--, known++)
                    inbox.Add(Text(known), random.Next(2) == 0 ? "\\Flagged" : "", MemoryFolderState.Day(known));
                break;
            case 2:
                // Both sides have the message already, as after a migration with another tool.
                inbox.Add(Text(known), "", MemoryFolderState.Day(known));
                box.Target.Folder("INBOX").Add((known % 4 == 3 ? "" : "X-Tool: other\r\n") + Text(known), "", MemoryFolderState.Day(known));
                known++;
                break;
            case 9:
                // Somebody else delivers a message to the backup.
                box.Target.Folder("INBOX").Add(Text(known), "", MemoryFolderState.Day(known));
                known++;
                break;
            case 3 when inbox.Messages.Count > 0:
                inbox.Remove(inbox.Messages[random.Next(inbox.Messages.Count)].Uid);
                break;
            case 4:
                var steps = random.Next(1, 30);
                box.Source.OnStep = box.Target.OnStep = _ =>
                {
                    if (--steps <= 0)
                        throw new MailException(FailureScope.Store, isTransient: false, "the end");
                };
                await box.RunAsync();
                box.Source.OnStep = box.Target.OnStep = _ => { };
                break;
            case 5 or 6:
                box.Job = box.Job with { Messages = Filter(random, known, mayLookAtFlags: true) };
                await box.RunAsync();
                break;
            default:
                await RestoreAsync(box, Filter(random, known, mayLookAtFlags: false));
                break;
        }

        return known;
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(7u)]
    public async Task A_folder_that_is_deleted_after_it_was_restored_is_restored_again(uint validity)
    {
        using var box = new MailboxFixture();
        box.Source.NextValidity = validity;
        Fill(box.Source, 3);
        box.Source.Folder("Work").Add(MailboxFixture.Mail("w"));
        await box.RunAsync();
        for (var time = 0; time < 3; time++)
        {
            box.Source.Folders.Remove(FolderPath.Parse("Work"));
            Assert.Equal((JobOutcome.Ok, 1L), (await RestoreAsync(box, new MessageFilter())) is var report ? (report.Outcome, report.Totals.Copied) : default);
            Assert.Single(box.Source.Folder("Work").Messages);
        }
    }

    private static MessageFilter Filter(Random random, int known, bool mayLookAtFlags) => random.Next(mayLookAtFlags ? 7 : 4) switch
    {
        0 => new MessageFilter(),
        1 => new MessageFilter { Since = MemoryFolderState.Day(random.Next(known + 1)) },
        2 => new MessageFilter { Before = MemoryFolderState.Day(random.Next(known + 1)) },
        3 => new MessageFilter { MessageIds = [.. Enumerable.Range(0, 2).Select(_ => $"m{random.Next(known + 1)}@example.org")] },
        4 => new MessageFilter { WithFlags = FlagSet.Parse(["\\Flagged"]) },
        5 => new MessageFilter { Headers = [HeaderMatchTests.Rule("subject", $"m*{random.Next(10)}")] },
        _ => new MessageFilter { Headers = [HeaderMatchTests.Rule("subject", "m?") with { Excludes = true }], WithoutFlags = FlagSet.Parse(["\\Flagged"]) },
    };

    private static string Text(int number) =>
        number % 4 == 3 ? $"Subject: m{number}\r\n\r\nwithout a Message-ID\r\n" : MailboxFixture.Mail($"m{number}");

    private static void Fill(MemoryStore store, int count)
    {
        for (var n = 0; n < count; n++)
            store.Folder("INBOX").Add(MailboxFixture.Mail($"m{n}"));
    }

    private static List<string> Subjects(MemoryStore store) => [.. store.Folders.Values.SelectMany(f => f.Messages)
        .Select(m => Regex.Match(Encoding.Latin1.GetString(m.Octets), "Subject: (.*)\r").Groups[1].Value).Order(StringComparer.Ordinal)];

    private static async Task<JobReport> RestoreAsync(MailboxFixture box, MessageFilter filter, params string[] folders)
    {
        var job = new RestoreOrigin(box.Job, [.. folders]).ToJob(null, filter);
        var runner = new JobRunner(
            TimeProvider.System, Openers.Both(endpoint => endpoint == job.Target ? box.Source.Open() : box.Target.Open()), box.OpenState);
        return await runner.RunAsync(job, new RunOptions(), _ => { }, CancellationToken.None, TestContext.Current.CancellationToken);
    }
}
