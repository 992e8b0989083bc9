using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Engine.Verifying;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Verifying;

/// <summary>
/// A mail program opened and saved an mbox backup. The status fields that it added to headers are no differences; every other change is.
/// </summary>
public sealed class NotedFieldsTests : IDisposable
{
    private const int Messages = 30;
    private static readonly string[] Notes = ["Lines: 4\n", "lines : 4\n", "X-RMAIL-ATTRIBUTES: -------\n", "X-Evolution:\n 00000001-0010\n", "Content-Length: 17\nLines: 1\n"];
    private readonly MailboxFixture box = new();
    private readonly TemporaryDirectory directory = new();

    private string Mbox => Path.Combine(directory.Path, "INBOX");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        box.Dispose();
        directory.Dispose();
    }

    [Fact]
    public async Task Notes_of_mail_programs_are_told_and_are_no_difference()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        await BackUpAsync(random);
        await RewriteAsync((header, body, _) => (WithNote(header, random), body));
        foreach (var options in Looks())
        {
            var report = await box.VerifyAsync(options);
            Assert.True(report.Counts.Differences == 0, $"seed {seed}, {options}\n{string.Join('\n', report.Findings)}");
            Assert.True(report.Findings.Length == Messages && report.Job.Outcome == JobOutcome.Ok, $"seed {seed}, {options}: {report.Findings.Length}");
        }
    }

    [Fact]
    public async Task Notes_that_a_sender_had_written_too_may_be_others_now()
    {
        await BackUpAsync(new Random(1), sendersNote: "Lines: 99\r\n");
        await RewriteAsync((header, body, _) => (header.Replace("Lines: 99\n", "", StringComparison.Ordinal) + "Lines: 3\n", body));
        Assert.Equal(0, (await box.VerifyAsync(new VerifyOptions())).Counts.Differences);
        Assert.Equal(0, (await box.VerifyAsync(new VerifyOptions(Full: true))).Counts.Differences);
        // Without the source, each message counts as different, because a checksum can't show that only a status field changed.
        var offline = await box.VerifyAsync(new VerifyOptions(Offline: true));
        Assert.Equal(Messages, offline.Counts.Differences);
        Assert.All(offline.Findings, f => Assert.Contains("verify it with the source", f.Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Any_other_change_beside_a_note_is_a_difference()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        await BackUpAsync(random);
        var changed = Enumerable.Range(1, Messages).Where(_ => random.Next(3) == 0).ToHashSet();
        await RewriteAsync((header, body, number) =>
        {
            header = WithNote(header, random);
            return !changed.Contains(number) ? (header, body) : random.Next(5) switch
            {
                0 => (header, body.Replace("text", "test", StringComparison.Ordinal)),
                1 => (header + "X-Spam: no\n", body),
                2 => (header.Replace("X-Kept: ", "X-Kept:  ", StringComparison.Ordinal), body),
                3 => (header.Replace("X-Kept: kept\n", "", StringComparison.Ordinal), body),
                _ => (header, body + "one more\n"),
            };
        }, losesAny: true);
        foreach (var options in Looks().Where(o => o.Full || o.Offline))
        {
            var report = await box.VerifyAsync(options);
            var different = report.Findings.Where(f => f.Kind == FindingKind.Octets && !f.IsInformation).Select(f => (int)f.SourceUid.Value).Order();
            Assert.True(report.Counts[FindingKind.Missing] > 0 || different.SequenceEqual(changed.Order()), $"seed {seed}, {options}\n{string.Join('\n', report.Findings)}");
            Assert.True(report.Counts.Differences >= changed.Count, $"seed {seed}, {options}\n{string.Join('\n', report.Findings)}");
        }
    }

    [Fact]
    public async Task A_rewritten_backup_needs_no_healing_and_deletions_reach_it()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        await BackUpAsync(random);
        await RewriteAsync((header, body, _) => (WithNote(header, random), body));
        var healed = await box.RunAsync(heal: true);
        Assert.True(healed.Outcome == JobOutcome.Ok && healed.Totals.Copied == 0, $"seed {seed}: {healed.Totals}");
        var gone = Enumerable.Range(1, Messages).Where(_ => random.Next(4) == 0).Select(n => (uint)n).ToList();
        gone.ForEach(box.Source.Folder("INBOX").Remove);
        var run = await box.RunAsync();
        Assert.True(run.Outcome == JobOutcome.Ok && run.Totals.Deleted == gone.Count, $"seed {seed}: {run.Totals}\n{string.Join('\n', run.Problems)}");
        var file = await File.ReadAllTextAsync(Mbox, Token);
        Assert.All(Enumerable.Range(1, Messages), n => Assert.Equal(!gone.Contains((uint)n), file.Contains($"<m{n}@", StringComparison.Ordinal)));
    }

    [Fact]
    public void What_is_left_out_does_not_depend_on_the_pieces_it_comes_in()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        string[] lines = ["Lines: 1\r\n", " folded\r\n", "\tfolded\n", "Subject: x\r\n", "Lines-Not: 1\r\n", "no colon\r\n", "LINES \t: 5\n", new string('x', 200) + ": y\r\n", "\r\n", "Lines: in the body\r\n", "Lin", ":\r\n"];
        for (var round = 0; round < 2000; round++)
        {
            var whole = Encoding.Latin1.GetBytes(string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => lines[random.Next(lines.Length)])));
            var expected = new FieldOmission(["Lines"]).Filter(whole);
            var pieces = new FieldOmission(["Lines"]);
            var kept = new List<byte>();
            for (var at = 0; at < whole.Length;)
            {
                var length = random.Next(1, whole.Length - at + 1);
                for (ReadOnlySpan<byte> piece = whole.AsSpan(at, length); !piece.IsEmpty;)
                    kept.AddRange(pieces.Take(ref piece));
                at += length;
            }

            kept.AddRange(pieces.Finish());
            Assert.True(expected.AsSpan().SequenceEqual([.. kept]), $"seed {seed}, round {round}");
            Assert.Equal(WithoutLines(Encoding.Latin1.GetString(whole)), Encoding.Latin1.GetString(expected));
        }
    }

    /// <summary>Removes the field Lines from a message's header, independently of the product's code.</summary>
    private static string WithoutLines(string message)
    {
        var kept = new StringBuilder();
        var (inHeader, isLeftOut) = (true, false);
        for (var at = 0; at < message.Length;)
        {
            var end = message.IndexOf('\n', at) is var found and >= 0 ? found + 1 : message.Length;
            var line = message[at..end];
            at = end;
            if (inHeader && line[0] is not (' ' or '\t'))
            {
                isLeftOut = line.IndexOf(':', StringComparison.Ordinal) is var colon and > 0 && line[..colon].TrimEnd(' ', '\t').Equals("Lines", StringComparison.OrdinalIgnoreCase);
                inHeader = line is not ("\n" or "\r\n");
            }

            if (!inHeader || !isLeftOut)
                kept.Append(line);
        }

        return kept.ToString();
    }

    private static IEnumerable<VerifyOptions> Looks() => [new VerifyOptions(), new VerifyOptions(Full: true), new VerifyOptions(Offline: true)];

    private static string WithNote(string header, Random random)
    {
        var lines = header.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToList();
        // Insert the added field before another field, never inside a folded one.
        var at = Enumerable.Range(0, lines.Count + 1).Where(i => i == lines.Count || lines[i][0] is not (' ' or '\t')).ToList();
        lines.Insert(at[random.Next(at.Count)], Notes[random.Next(Notes.Length)].TrimEnd('\n'));
        return string.Join('\n', lines) + "\n";
    }

    private async Task BackUpAsync(Random random, string sendersNote = "")
    {
        box.Job = box.Job with { Target = new MboxEndpoint(directory.Path), Deletions = DeletionPolicy.Mirror, DeletionLimit = new DeletionLimit(90, IsPercent: true) };
        box.OpenTarget = StoreRegistry.OpenTargetAsync;
        var inbox = box.Source.Folder("INBOX");
        for (var i = 1; i <= Messages; i++)
        {
            var body = random.Next(4) == 0 ? string.Concat(Enumerable.Repeat("a long text\r\n", 30_000)) : "From here on\r\n";
            inbox.Add($"{sendersNote}Subject: m{i}\r\n folded\r\nMessage-ID: <m{i}@example.org>\r\nX-Kept: kept\r\n\r\n{body}text\r\n", "\\Seen", MemoryFolderState.Day(i % 28));
        }

        var run = await box.RunAsync();
        Assert.True(run.Outcome == JobOutcome.Ok, string.Join('\n', run.Problems));
    }

    /// <summary>Rewrites the mbox as a mail program saves it.</summary>
    /// <param name="edit">Edits a message, given its header without the empty line, its body, and its number.</param>
    /// <param name="losesAny">
    /// Whether messages may fail in the next run, because an edited body makes another message and the original is missing.
    /// </param>
    private async Task RewriteAsync(Func<string, string, int, (string Header, string Body)> edit, bool losesAny = false)
    {
        var parts = ("\n\n" + (await File.ReadAllTextAsync(Mbox, Encoding.Latin1, Token)).TrimEnd('\n')).Split("\n\nFrom ", StringSplitOptions.RemoveEmptyEntries);
        var text = new StringBuilder();
        for (var i = 0; i < parts.Length; i++)
        {
            var start = parts[i].IndexOf('\n', StringComparison.Ordinal) + 1;
            var end = parts[i].IndexOf("\n\n", start, StringComparison.Ordinal) + 1;
            var (header, body) = edit(parts[i][start..end], parts[i][(end + 1)..] + "\n", i + 1);
            text.Append("From ").Append(parts[i].AsSpan(0, start)).Append(header).Append('\n').Append(body).Append('\n');
        }

        await File.WriteAllTextAsync(Mbox, text.ToString(), Encoding.Latin1, Token);
        // Run the job once, so that it reads the rewritten file and records where each message is now.
        var run = await box.RunAsync();
        Assert.True(run.Totals.Failed == 0 || losesAny, string.Join('\n', run.Problems));
    }
}
