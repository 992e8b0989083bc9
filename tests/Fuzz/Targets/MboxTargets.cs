using System.Globalization;
using System.Numerics;
using System.Text;
using Imapsync.Engine.Stores.Local;
using Imapsync.Engine.Stores.Mbox;
using Imapsync.Imap;

namespace Imapsync.Fuzz.Tests.Targets;

/// <summary>Targets for the contents of a tree of mbox files: mailboxes of any origin, their indexes, names and postmarks.</summary>
internal static class MboxTargets
{
    private static readonly byte[][] Mailboxes = FuzzTarget.Texts(
        "From a@b Wed Jul 17 02:44:25 2024\nSubject: one\nStatus: RO\nX-Keywords: Work\n\ntext\n>From quoted\n\nFrom c Wed Jul 17 02:44:26 2024\nSubject: two\n\n\n",
        "From a Wed Jul 17 02:44:25 2024 remote from imapsync-xn\nContent-Length: 5\n\ntext\n\nFrom b Wed Jul 17 02:44:25 +0200 2024\n\nFrom here on\n",
        "From a Wed Jul 17 02:44:25 2024\r\nSubject: x\r\n\r\ntext\r\n\r\n", "From \nSubject: dateless\n\nx\n\nFrom \n\ny\n",
        "From MAILER-DAEMON Wed Jul 17 02:44:25 2024\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1 2\n\nx\n\n");

    public static FuzzTarget[] All { get; } =
    [
        new("mbox", Scan, Mailboxes)
        {
            Words = FuzzTarget.Texts("From ", "\nFrom x Wed Jul 17 02:44:25 2024\n", "\n\n", "\r\n", ">From ", "Content-Length: 9\n", "Content-Length: 9223372036854775807\n", "X-Imapsync-Status: x\n", "Status: ", "Date: ", " remote from imapsync-ou"),
            Weight = 0.5, BaseBytes = 6 << 20,
        },
        new("mbox-index", Index, [SampleIndex()])
        {
            Words = FuzzTarget.Texts("m ", "w 0 9\n", "b 0 5 x\n", "d 1 1 9 1\n", "imapsync-index 1 7 9 0\n", "4294967295", "4294967296", "9223372036854775807", " - ", "\n", "%", ","),
            Seal = Seal, Weight = 0.5, BaseBytes = 6 << 20,
        },
        new("mbox-names", Names, FuzzTarget.Texts("Sent", "%2Ehidden", "a%2Fb", "%uD800", "x~0123456789abcdef0123456789abcdef", "From a@b Wed Jul 17 02:44:25 2024 remote from imapsync-x"))
        {
            Words = FuzzTarget.Texts("%", "%u", ".sbd", ".lock", ".imapsync-", "/", "\\", "From ", "Wed", "Feb 30", "+9999", "0000", "9999"), Weight = 2, BytesPerOctet = 2000,
        },
    ];

    private static byte[] SampleIndex()
    {
        using var lines = new ByteBuffer();
        IndexLines.AppendHeader(lines, new UidValidity(7), new Uid(3), 2);
        foreach (var uid in (uint[])[1, 2])
            IndexLines.AppendMessage(lines, new MboxRecord(new Uid(uid), uid * 100, 80, 60, DateTimeOffset.UnixEpoch, MboxForm.None, uid, FlagSet.Parse(["\\Seen", "Work"]), uid));
        IndexLines.AppendDone(lines, new MboxStamp(200, 1), new Uid(3), 2);
        IndexLines.AppendWindow(lines, 200, new Uid(3));
        IndexLines.AppendBegin(lines, 200, new BegunMessage(60, "From a Wed Jul 17 02:44:25 2024"));
        return lines.Written.ToArray();
    }

    /// <summary>Reads all messages of a mailbox to their ends; they must not overlap and must lie within the file.</summary>
    private static void Scan(byte[] octets)
    {
        var path = Scratch.Write("mbox", "mailbox", octets);
        using var file = MboxFolder.Open(path);
        var found = MboxFindings.ReadAsync(path, file, CancellationToken.None).GetAwaiter().GetResult();
        using var input = new MboxInput(file);
        var end = 0L;
        foreach (var record in found.State.Records.OrderBy(r => r.Offset))
        {
            Assert.True(record.Offset >= end && record.Offset + record.Length <= octets.Length);
            end = record.Offset + record.Length;
        }
    }

    private static void Index(byte[] octets)
    {
        var path = Scratch.Write("mbox-index", "mailbox", Mailboxes[0]);
        Scratch.Write("mbox-index", "mailbox" + FileNames.IndexSuffix, octets);
        using var file = MboxFolder.Open(path);
        var found = MboxFindings.ReadAsync(path, file, CancellationToken.None).GetAwaiter().GetResult();
        var uids = found.State.Records.Select(r => r.Uid).ToList();
        Assert.True(uids.TrueForAll(u => !u.IsNone) && uids.Distinct().Count() == uids.Count, "each message has a UID of its own");
        Assert.True(found.State.UidNext > uids.LastOrDefault(), "the next UID is beyond all others");
    }

    private static void Names(byte[] octets)
    {
        var text = Encoding.UTF8.GetString(octets);
        if (Postmark.TryParse(octets, out var postmark) && postmark.Date is { } date && date.UtcDateTime.Year >= 1000)
            Assert.True(Postmark.TryParse(Postmark.Format("a", date).AsSpan()[..^1], out _));
        _ = FlagFields.Read(FlagSet.Empty, octets);
        _ = FileNames.Unescape(text);
        if (text.Length == 0)
            return;
        var level = FileNames.ToLevel(text);
        Assert.NotEmpty(level);
        Assert.DoesNotContain('/', FileNames.Escape(level));
        Assert.Equal(level, FileNames.Unescape(FileNames.Escape(level)));
    }

    /// <summary>Gives every line of an index file its correct checksum.</summary>
    private static byte[] Seal(byte[] octets)
    {
        var sealedLines = new List<byte>(octets.Length);
        foreach (var line in Encoding.Latin1.GetString(octets).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = Encoding.Latin1.GetBytes(line.Length > 9 && line[^9] == ' ' ? line[..^9] : line);
            var crc = uint.MaxValue;
            foreach (var octet in words)
                crc = BitOperations.Crc32C(crc, octet);
            sealedLines.AddRange([.. words, .. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $" {~crc:x8}\n"))]);
        }

        return [.. sealedLines];
    }
}
