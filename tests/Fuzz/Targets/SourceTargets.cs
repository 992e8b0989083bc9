using Imapsync.Engine.Stores.Emlx;
using Imapsync.Engine.Stores.ImapBackup;
using Imapsync.Engine.Stores.Mh;
using Imapsync.Engine.Stores.Takeout;
using Imapsync.Imap;
using Imapsync.Imap.Connection;
using Imapsync.Imap.Pop3;

namespace Imapsync.Fuzz.Tests.Targets;

/// <summary>Targets for POP3 servers' replies, and for files in which other programs store mail.</summary>
internal static class SourceTargets
{
    private const string Session =
        "+OK ready <1.2@x>\r\n+OK\r\nUSER\r\nUIDL\r\nTOP\r\nPIPELINING\r\nSASL PLAIN\r\n.\r\n+ \r\n+OK in\r\n+OK\r\nUIDL\r\nTOP\r\nPIPELINING\r\n.\r\n+OK 2 9\r\n+OK\r\n1 a\r\n2 b\r\n.\r\n"
        + "+OK\r\n1 5\r\n2 4\r\n.\r\n+OK\r\nSubject: x\r\n\r\n..\r\n.\r\n-ERR [SYS/TEMP] later\r\n+OK\r\n+OK\r\n";

    public static FuzzTarget[] All { get; } =
    [
        new("pop3-dots", Dots, FuzzTarget.Texts("Subject: x\r\n\r\n..\r\n...x\r\n.\r\n", ".\r\n", "a\n.\nb\r\n.\r\n", ".\r.\r\n.\r\nrest"))
        {
            Words = FuzzTarget.Texts(".", "..", "\r", "\n", "\r\n", "\r\n.\r\n", "\n.\n", "\r\n..", "\0"),
        },
        new("pop3-session", Talk, FuzzTarget.Texts(Session))
        {
            Words = FuzzTarget.Texts("+OK ", "-ERR ", "+ ", ".\r\n", "\r\n", "1 ", "4294967296 ", "[AUTH] ", "[", "]", "SASL SCRAM-SHA-256\r\n", "STLS\r\n"), Weight = 0.5, BaseBytes = 6 << 20,
        },
        new("emlx", Emlx, FuzzTarget.Texts("5         \nhello<?xml version=\"1.0\"?><plist><dict><key>date-received</key><integer>1600000000</integer><key>flags</key>\n<integer>8590195713</integer></dict></plist>\n"))
        {
            Words = FuzzTarget.Texts("0\n", "9223372036854775807\n", "-1\n", "<key>flags</key><real>1.5</real>", "<integer>99999999999999999999</integer>", "<key>date-received</key><integer>253402300800</integer>"),
        },
        new("mh-marks", Marks, [[.. "cur: 3\nunseen: 1-2 7\n 9\ntodo: 4-4000000000\n"u8], [2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0], [0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 16], [.. "X-Evolution: 0000002a-0010\nSubject: x\n"u8]])
        {
            Words = FuzzTarget.Texts(": ", "1-4294967295 ", "\n ", "unseen:", "X-Evolution: ", "-ffff"),
        },
        new("imap-backup", o => _ = ImapBackupFlags.Read(o), FuzzTarget.Texts("{\"version\":3,\"uid_validity\":1,\"messages\":[{\"uid\":1,\"offset\":0,\"length\":9,\"flags\":[\"Seen\",\"x\"]}]}", "{\"version\":2,\"uids\":[1,2]}"))
        {
            Words = FuzzTarget.Texts("{", "}", "[", "]", "\"", ",", ":", "\\ud800", "\"offset\":", "\"flags\":[", "1e999", "null"),
        },
        new("takeout-labels", Labels, FuzzTarget.Texts("Inbox,Unread,Work/2017", " =?UTF-8?Q?Gel=C3=B6scht,Wichtig?=\r\n =?UTF-8?B?QQ==?=", "\"a, b\",Category Social,//,\"", "Sent,Drafts,Spam,Trash,Starred"))
        {
            Words = FuzzTarget.Texts(",", "\"", "\\", "/", "=?UTF-8?Q?", "=?iso-8859-1?B?", "?=", "INBOX/", "\r\n "), BytesPerOctet = 4000,
        },
    ];

    /// <summary>However a reply is split into pieces, the message and its end must be the same.</summary>
    private static void Dots(byte[] octets)
    {
        var whole = Undo(octets, octets.Length);
        foreach (var piece in (int[])[1, 2, 3, 7])
            Assert.Equal(whole, Undo(octets, piece));
        // The reply ends at a line that contains only a dot and ends in CRLF, and nowhere else.
        var text = Latin1("\r\n").Concat(octets).ToArray();
        var end = text.AsSpan().IndexOf("\r\n.\r\n"u8);
        Assert.Equal((end >= 0, end < 0 ? octets.Length : end + 3), (whole.IsOver, whole.Taken));
    }

    private static byte[] Latin1(string text) => System.Text.Encoding.Latin1.GetBytes(text);

    private static (bool IsOver, int Taken, string Given) Undo(byte[] octets, int piece)
    {
        var undo = new DotUnstuffing();
        var (taken, given, isOver) = (0, new MemoryStream(), false);
        var target = new byte[octets.Length + DotUnstuffing.MaxHeld];
        while (taken < octets.Length && !isOver)
        {
            isOver = undo.Convert(octets.AsSpan(taken, Math.Min(piece, octets.Length - taken)), target, out var used, out var count);
            given.Write(target, 0, count);
            taken += used;
        }

        return (isOver, taken, Convert.ToHexString(given.ToArray()));
    }

    private static void Talk(byte[] octets) => TalkAsync(octets).GetAwaiter().GetResult();

    private static async Task TalkAsync(byte[] octets)
    {
        try
        {
            var options = new ImapClientOptions("localhost", 110, ImapTls.None) { Dial = _ => ValueTask.FromResult<Stream>(new Said(octets)) };
            await using var client = await Pop3Client.ConnectAsync(options, CancellationToken.None);
            await client.LogInAsync(new ImapCredentials("alice", "sesame"), CancellationToken.None);
            var count = await client.CountAsync(CancellationToken.None);
            Assert.True(count >= 0);
            var ids = await client.UniqueIdsAsync(CancellationToken.None);
            await client.SizesAsync(CancellationToken.None);
            await foreach (var refusal in client.AskAsync(ids.Take(100).Select(i => $"RETR {i.Number}"), _ => ValueTask.CompletedTask, CancellationToken.None))
                Assert.True(refusal is null || refusal.Command == "RETR");
            await client.QuitAsync(CancellationToken.None);
        }
        catch (Exception e) when (e is Pop3RefusedException or ImapProtocolException or ImapConnectionException or ImapLogInException)
        {
            Assert.DoesNotContain("sesame", e.Message, StringComparison.Ordinal);
        }
    }

    private static void Emlx(byte[] octets)
    {
        using var file = new MemoryStream(octets);
        if (EmlxFile.Read(file) is { } found)
            Assert.True(found.Offset > 0 && found.Length >= 0 && found.Offset + found.Length <= octets.Length && (found.Damage is null || found.Length == 0));
    }

    private static void Marks(byte[] octets)
    {
        foreach (var read in (Func<Stream, Func<uint, FlagSet>?>[])[MhSequences.Read, ClawsMarks.Read, ReadEvolution])
        {
            using var file = new MemoryStream(octets);
            if (read(file) is not { } flags)
                continue;
            foreach (var number in (uint[])[1, 2, 3, uint.MaxValue])
                Assert.Equal(flags(number), flags(number));
        }
    }

    private static Func<uint, FlagSet> ReadEvolution(Stream file)
    {
        var flags = EvolutionFlags.Read(file);
        return _ => flags;
    }

    private static void Labels(byte[] octets)
    {
        var labels = TakeoutLabels.Parse(octets);
        Assert.All(labels.Labels, l => Assert.NotEmpty(l));
        Assert.Equal(labels.Folders.Count, labels.Folders.Distinct().Count());
    }

    /// <summary>A server that sends fixed octets whatever the client sends.</summary>
    private sealed class Said(byte[] octets) : DuplexStream
    {
        private int at;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = Math.Min(buffer.Length, octets.Length - at);
            octets.AsSpan(at, count).CopyTo(buffer.Span);
            at += count;
            return ValueTask.FromResult(count);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;
    }
}
