using System.IO.Pipelines;
using System.Text;
using Imapsync.Engine.Reading;
using Imapsync.Serving;
using Imapsync.Serving.Fetching;
using Imapsync.Serving.Mailboxes;
using Imapsync.Serving.Mime;
using Imapsync.Serving.Searching;
using Imapsync.Serving.Sessions;
using Imapsync.Serving.Texts;
using Imapsync.Serving.Wire;

namespace Imapsync.Fuzz.Tests.Targets;

/// <summary>Targets for clients' commands to a served backup, and for the mail in the backup.</summary>
internal static class ServingTargets
{
    private static readonly ServingLimits Limits = ServingLimits.Default with { CommandBytes = 128 << 10, StrangerCommandBytes = 128 << 10 };
    private static readonly ServedFolder Folder = new("INBOX/Entw&APw-rfe", null, true, true, false, "\\Drafts");

    private static readonly byte[] Sample = Encoding.UTF8.GetBytes(
        "From: \"A, B\" (c) <@r,@s:a@b.example>, group: x@y, z;\r\nSubject: =?utf-8?q?=C3=BC?=\r\n two\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b c\"; x*0=y\r\n\r\n"
        + "--b c\r\nContent-Type: message/rfc822\r\nContent-Language: de, en\r\n\r\nTo: a@b\r\nContent-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: inner\r\n\r\nx\r\n--b--\r\n"
        + "--b c\r\nContent-Type: text/html; charset=koi8-r\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename*=utf-8''%C3%BC\r\n\r\n8NLJ\r\n--b c--\r\n");

    public static FuzzTarget[] All { get; } =
    [
        new("served-command", Commands, FuzzTarget.Texts(
            "a FETCH 1:3,7:* (UID FLAGS ENVELOPE BODY.PEEK[1.2.HEADER.FIELDS (Subject \"X\")]<0.20> RFC822.SIZE)\r\n", "a UID FETCH 1 BODY[TEXT]\r\n",
            "a SEARCH RETURN (MIN COUNT) CHARSET UTF-8 OR (SEEN NOT UID 1:*) SUBJECT {3+}\r\nabc SINCE 1-Jan-2020\r\n", "a UID SEARCH HEADER X \"y\" LARGER 7 KEYWORD z\r\n",
            "a LIST (SUBSCRIBED) \"\" (% \"in*\") RETURN (CHILDREN STATUS (MESSAGES UNSEEN))\r\n", "a LSUB \"\" *\r\n", "a STATUS \"Entw&APw-rfe\" (UIDNEXT)\r\n", "a LOGIN \"x\\\"\" {1}\r\ny\r\n"))
        {
            Words = FuzzTarget.Texts("{4}\r\n", "{9999999999+}\r\n", "{0+}\r\n", "(", ")", "[", "]", "<0.1>", "<", "\"", "\\", "*", "4294967295", "4294967296", "NOT ", "OR ", "NIL", "\r\n", "\n", "1.", "BODY[", "&", "%"),
            Weight = 2, BytesPerOctet = 4000,
        },
        new("served-structure", Structures, [Sample])
        {
            Words = FuzzTarget.Texts("--b", "--b--\r\n", "--b c\r\n", "\r\n\r\n", "\n", "Content-Type: multipart/x; boundary=b\r\n", "Content-Type: message/rfc822\r\n\r\n", "boundary=", "From: ", "<", ">", ",", ":", ";", "@", "(", ")", "\"", "\\", "\0", "=?x?b?"),
            BytesPerOctet = 8000,
        },
    ];

    /// <summary>Reads the commands one by one, and parses each by the grammar for its name.</summary>
    private static void Commands(byte[] octets)
    {
        var reader = new CommandReader(PipeReader.Create(new MemoryStream(octets)), Limits, TimeProvider.System, _ => ValueTask.CompletedTask);
        try
        {
            while (reader.ReadAsync(TimeSpan.FromMinutes(1), CancellationToken.None).AsTask().GetAwaiter().GetResult() is { } command)
                Command(command);
        }
        catch (Exception e) when (e is ConversationEndException or RefusalException)
        {
            // Both exceptions are allowed: the first ends the session, the second refuses a literal that is too long.
        }
    }

    private static void Command(ReadOnlyMemory<byte> command)
    {
        var tag = CommandReader.TagOf(command.Span);
        if (tag == "*")
            return;
        var text = new CommandText(command[tag.Length..]);
        try
        {
            text.Skip(' ');
            var name = text.Word();
            var byUid = name == "UID" && text.TrySkip(' ');
            switch (byUid ? text.Word() : name)
            {
                case "FETCH":
                    text.Skip(' ');
                    var set = text.Set();
                    text.Skip(' ');
                    Fetch(set, FetchRequest.Parse(text, byUid, Limits));
                    break;
                case "SEARCH":
                    text.Skip(' ');
                    _ = SearchRequest.Parse(text, Limits).Key.Cost;
                    break;
                case "LIST" or "LSUB":
                    _ = ListRequestText.Parse(text, name == "LSUB").Accepts(Folder);
                    break;
                case "STATUS":
                    text.Skip(' ');
                    _ = Imap.ModifiedUtf7.Encode(Imap.ModifiedUtf7.Decode(text.AString()));
                    text.Skip(' ');
                    _ = ListRequestText.ParseStatusItems(text);
                    break;
                default:
                    text.Skip(' ');
                    _ = (text.AString(), text.TrySkip(' '), text.AString());
                    text.End();
                    break;
            }
        }
        catch (Exception e) when (e is CommandException or RefusalException)
        {
            // The server answers CommandException and RefusalException with BAD or NO, so they are no finding.
        }
    }

    /// <summary>Resolved ranges must be separate and ascending, and every section must lie within its message.</summary>
    private static void Fetch(SequenceSet set, FetchRequest request)
    {
        foreach (var last in (uint[])[0, 5, uint.MaxValue])
        {
            var ranges = set.Resolve(last);
            Assert.All(ranges, r => Assert.True(r.First <= r.Last));
            Assert.All(ranges.Zip(ranges.Skip(1)), p => Assert.True(p.First.Last < p.Second.First));
            for (var number = 1u; number < 10; number++)
                Assert.Equal(ranges.Any(r => r.First <= number && number <= r.Last), SequenceSet.Contains(ranges, number));
        }

        var root = Scan(Sample, Sample.Length);
        foreach (var item in request.Items)
        {
            if (item.Section?.Find(root, Sample.Length) is var (start, length))
                Assert.True(start >= 0 && length >= 0 && start + length <= Sample.Length);
            Assert.DoesNotContain('\n', item.Name);
        }
    }

    /// <summary>Checks that a message has the same parts however its octets are split, and that its parts are properly nested.</summary>
    private static void Structures(byte[] octets)
    {
        var root = Scan(octets, octets.Length);
        var told = Told(root);
        Assert.Equal(told, Told(Scan(octets, 7)));
        Inside(root, 0, octets.Length);
        foreach (var part in BodyText.TextParts(root))
            Assert.InRange(part.BodyLength, 0, octets.Length);
        foreach (var (name, value) in HeaderText.Fields(octets.AsMemory(0, (int)root.BodyStart)))
            _ = name + HeaderText.Decode(value);
    }

    private static void Inside(BodyPart part, long start, long end)
    {
        Assert.True(start <= part.HeaderStart && part.HeaderStart <= part.BodyStart && part.BodyStart <= part.BodyEnd && part.BodyEnd <= end);
        foreach (var child in part.Children)
            Inside(child, part.BodyStart, end);
    }

    private static BodyPart Scan(byte[] octets, int together)
    {
        using var scanner = new StructureScanner(Limits);
        for (var at = 0; at < octets.Length; at += together)
            scanner.Feed(octets.AsSpan(at, Math.Min(together, octets.Length - at)));
        return scanner.Finish();
    }

    private static string Told(BodyPart root)
    {
        using var line = new MemoryStream();
        var output = new ResponseWriter(line, Limits, TimeProvider.System);
        EnvelopeText.Write(root, output, new AddressBudget(Limits));
        new BodyStructureText(output, isExtended: true, new AddressBudget(Limits)).Write(root);
        output.FlushAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
        return Encoding.Latin1.GetString(line.GetBuffer(), 0, (int)line.Length);
    }
}
