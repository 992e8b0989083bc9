using System.Globalization;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.History;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Fuzz.Tests.Targets;

/// <summary>Targets for the files of a state directory, which may be damaged by a crash, a bad disk or another program.</summary>
internal static class CheckpointTargets
{
    private static readonly PairKey Pair = new(FolderPath.Inbox, new FolderPath("Archive", "2024"));

    public static FuzzTarget[] All { get; } =
    [
        new("journal", Journal, [SampleJournal()])
        {
            Words = FuzzTarget.Texts("\ncommit ", "reset 1 2 r", "c 1 1 0 5 0123abcd", "a 4294967295 0 0", "flags 1 \\Seen x", "forget 1", "modseq -", "uidnext 4294967295", "trash", "trash 1 2", "rules %", "%uD800", "%", " ", "\n", "\0", "4294967296"),
            Seal = o => Seal(o, isChained: true), Weight = 0.5,
        },
        new("summary", Summary, [SampleSummary()])
        {
            Words = FuzzTarget.Texts("pair INBOX Archive/2024 r ", " - ", " 1 2 3", "%", "\\", "/", "\n", "imapsync-summary 2", "18446744073709551615", "4294967296"),
            Seal = o => Seal(o, isChained: false), Weight = 0.5,
        },
        new("history", History, [SampleHistory()])
        {
            Words = FuzzTarget.Texts("began a run 2026-01-31T18:00:00.000Z 1 h", "ended a run ", "folder a INBOX - ", "problem a message - 7 refused x - - - -", "thinned 18446744073709551615", "imapsync-history 2", " - ", "%", "\n", "4294967296", "281474976710657"),
            Seal = o => Seal(o, isChained: false), Weight = 0.5,
        },
        new("field-text", FieldTexts, FuzzTarget.Texts("-", "%", "%2D", "a%20b", "%uD83D", "ü/\\x")) { Words = FuzzTarget.Texts("%", "%u", "%00", "%uDC00", "-", "\\", "/"), Weight = 2 },
    ];

    private static byte[] SampleJournal()
    {
        var lines = new RecordWriter();
        JournalRecords.WriteHeader(lines, Pair);
        JournalRecords.WriteReset(lines, new UidValidity(7), new UidValidity(8), "rules");
        JournalRecords.WriteFlags(lines, 1, FlagSet.Parse(["\\Seen", "Work"]));
        JournalRecords.WriteSettled(lines, new SettledList.Entry(1, 1, Settlement.Copied, 1, new MessageChecksum(0x1234abcd, 77)), 1);
        JournalRecords.WriteSettled(lines, new SettledList.Entry(5, 0, Settlement.Skipped, 0, null), 0);
        JournalRecords.WriteModSeq(lines, new ModSeq(9));
        JournalRecords.WriteCommit(lines);
        JournalRecords.WriteForget(lines, new Uid(5));
        JournalRecords.WriteKnownTargetUidNext(lines, new Uid(3));
        JournalRecords.WriteMoveUnderWay(lines, new TrashMark(new UidValidity(4), new Uid(5)));
        JournalRecords.WriteCommit(lines);
        return lines.Written.ToArray();
    }

    private static byte[] SampleHistory()
    {
        var lines = new RecordWriter(isChained: false);
        HistoryLines.WriteHeader(lines, 9);
        var begun = new HistoryEntry("a1", HistoryKind.Run, new DateTimeOffset(2026, 1, 31, 18, 0, 0, TimeSpan.Zero)) { Process = new HistoryProcess(7, "h") };
        HistoryLines.Write(lines, begun);
        var counts = new FolderCounts { SourceMessages = 3, Copied = 2, AlreadyPresent = 1, Bytes = 4711 };
        var problem = new Problem(FailureScope.Message, FolderPath.Inbox, 7, "refused", "no") { Envelope = new Envelope("ü", "n", "a@b", begun.Began) };
        HistoryLines.Write(lines, begun.End(new JobReport("j", JobOutcome.Incomplete, begun.Began, begun.Began, counts, [new FolderReport(FolderPath.Inbox, FolderPath.Inbox, counts)], [problem], []), 3));
        HistoryLines.Write(lines, begun with { Id = "b2" });
        return lines.Written.ToArray();
    }

    /// <summary>Reads a history; writing it and reading it again must give the same history.</summary>
    private static void History(byte[] octets)
    {
        List<HistoryEntry> entries;
        try
        {
            entries = HistoryLines.Read(octets, out _);
        }
        catch (NewerHistoryException)
        {
            return;
        }

        var lines = new RecordWriter(isChained: false);
        entries.ForEach(e => HistoryLines.Write(lines, e));
        var again = HistoryLines.Read(lines.Written.Span, out _);
        if (!again.Select(e => (e.Id, e.Ended, e.Totals, e.Folders.Length)).SequenceEqual(entries.Select(e => (e.Id, e.Ended, e.Totals, e.Folders.Length))))
            throw new InvalidOperationException("another history comes back");
    }

    private static byte[] SampleSummary()
    {
        var status = new FolderStatus(new UidValidity(7), new Uid(9), 3, 1, new ModSeq(5));
        PairSummary[] pairs = [new(Pair, status, status, "rules", 3, 0, "F1", true), new(new PairKey(new FolderPath("a b"), new FolderPath("ü")), status, null, "", 0, 0, null, false)];
        return SummaryFile.Write(pairs).ToArray();
    }

    /// <summary>Reads a journal, which must be accepted only if all of it can be read and replayed.</summary>
    private static void Journal(byte[] octets)
    {
        var path = Scratch.Write("journal", "a.journal", octets);
        using var file = FileMedium.Open(path);
        try
        {
            _ = JournalScan.ReadPairAsync(file, CancellationToken.None).GetAwaiter().GetResult();
            var extent = JournalScan.CheckAsync(file, Pair, CancellationToken.None).GetAwaiter().GetResult();
            Assert.InRange(extent.CommittedBytes, 1, octets.Length);
            var state = JournalScan.ReplayAsync(file, extent, CancellationToken.None).GetAwaiter().GetResult();
            Assert.Equal(state.Messages.Count, state.Messages.Enumerate().Select(state.ToMessage).Count());
        }
        catch (Exception e) when (e is StateDamagedException or CheckpointVersionException)
        {
            // StateDamagedException and CheckpointVersionException are the documented ways to reject a journal, so they are no finding.
        }
    }

    private static void Summary(byte[] octets)
    {
        try
        {
            var pairs = SummaryFile.Read(octets, "summary");
            Assert.True(pairs.Count <= octets.Length / 20);
        }
        catch (CheckpointVersionException)
        {
            // CheckpointVersionException is documented for a summary that a newer version wrote, so it is no finding.
        }
    }

    private static void FieldTexts(byte[] octets)
    {
        if (!FieldEscaping.TryUnescape(octets, out var text))
            return;
        Assert.True(FieldEscaping.TryUnescape(Encoding.UTF8.GetBytes(FieldEscaping.Escape(text)), out var again));
        Assert.Equal(text, again);
        if (text is not null && FolderPath.TryParse(text, out var path))
            Assert.Equal(path, FolderPath.Parse(path.ToString()));
    }

    /// <summary>Gives every line of a state file its correct checksum.</summary>
    private static byte[] Seal(byte[] octets, bool isChained)
    {
        var sealedLines = new List<byte>(octets.Length);
        var crc = 0U;
        foreach (var line in Encoding.Latin1.GetString(octets).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var record = Encoding.Latin1.GetBytes(line.Length > 9 && line[^9] == ' ' ? line[..^9] : line);
            crc = Crc32C.Append(isChained ? crc : 0, record);
            sealedLines.AddRange([.. record, .. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $" {crc:x8}\n"))]);
        }

        return [.. sealedLines];
    }
}
