using System.Text;

namespace Imapsync.Servers.Tests.Serving;

/// <summary>Messages with an odd, broken or deep structure or header, written by hand or generated from a seed. Line ends are LF.</summary>
internal static class AwkwardMime
{
    private static readonly string[] Types =
    [
        "text/plain", "text/plain; charset=utf-8", "text/html; charset=\"iso-8859-1\"", "TEXT/PLAIN; CHARSET=KOI8-R; format=flowed", "image/png; name=\"a b.png\"",
        "application/octet-stream; name=x.bin", "application/x; name*=utf-8''%e2%82%ac",
        "text/plain; charset", "text/plain;;; charset=us-ascii", "text/plain (comment); charset (other) = utf-8", "message/delivery-status", "message/partial; id=1",
    ];

    private static readonly string[] Others =
    [
        "Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: QUOTED-PRINTABLE", "Content-Transfer-Encoding: 8bit (really)", "Content-Disposition: attachment",
        "Content-Disposition: attachment; filename=\"r\\\"q.txt\"; size=12", "Content-Disposition: inline;\n filename=x", "Content-ID: <part@x.example>", "Content-Description: some\n  folded words",
        "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==", "Content-Language: de, en-GB", "Content-Language: fr", "Content-Location: http://x.example/y", "X-Other: thing",
    ];

    private static readonly string[] Addresses =
    [
        "a@b.example", "A B <a@b.example>", "\"Quoted, Name\" <q@x.example>", "=?UTF-8?Q?J=C3=B6rg?= <j@x.example>", "a@b.example (Comment Name)", "undisclosed-recipients:;",
        "Friends: a@x.example, B <b@x.example>;", "MAILER-DAEMON", "<only@brackets.example>", "Name Without Address", "<@route.example:a@b.example>",
        "\"back\\\\slash\" <b@x.example>", "J\xF6rg <8bit@x.example>", "a.b.c@[127.0.0.1]", "first.last (nested (comment)) <n@x.example>", "<>", "\"local part\"@x.example",
        "one@x.example two@x.example", "=?iso-8859-1?B?Zfw=?= (x) <e@x.example>;", "", "@x.example", "a@",
    ];

    private static readonly string[] Kinds = ["mixed", "alternative", "digest", "Related"];

    /// <summary>Each message with a name for test output.</summary>
    public static IEnumerable<(string Name, byte[] Octets)> Messages()
    {
        const string head = "From: a@b.example\nMessage-ID: <m@x.example>\nDate: Mon, 02 Jun 2025 10:00:00 +0000\nMIME-Version: 1.0\n";
        yield return Of("two parts", head + "Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\none\n--b\nContent-Type: text/html\n\n<p>two\n--b--\nepilogue\n");
        yield return Of("alternative in mixed", head + "Content-Type: multipart/mixed; boundary=\"=_o\"\n\n--=_o\nContent-Type: multipart/alternative; boundary=\"=_i\"\n\n--=_i\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n=C3=A9\n--=_i\nContent-Type: text/html\n\n<b>\n--=_i--\n\n--=_o\nContent-Type: application/pdf; name=x.pdf\nContent-Disposition: attachment; filename=x.pdf\nContent-Transfer-Encoding: base64\n\nJVBERg==\n--=_o--\n");
        yield return Of("no closing boundary", head + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo");
        yield return Of("no boundary in the body", head + "Content-Type: multipart/mixed; boundary=b\n\njust text\n");
        yield return Of("no boundary parameter", head + "Content-Type: multipart/mixed\n\n--b\n\none\n--b--\n");
        yield return Of("boundary directly after boundary", head + "Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n\ntwo\n--b--\n");
        yield return Of("part without an empty line", head + "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n--b\nnot a header\nContent-Type: text/html\n\ntwo\n--b--\n");
        yield return Of("boundary that begins another", head + "Content-Type: multipart/mixed; boundary=ab\n\n--ab\nContent-Type: multipart/mixed; boundary=abc\n\n--abc\n\none\n--abc--\n--ab\n\ntwo\n--ab--\n");
        yield return Of("the same boundary twice", head + "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n--b\n\ntwo\n--b--\n");
        yield return Of("boundary line with blanks", head + "Content-Type: multipart/mixed; boundary=b\n\n--b  \n\none\n--b-- \nend\n");
        yield return Of("boundary with more behind", head + "Content-Type: multipart/mixed; boundary=b\n\n--bother\n\none\n--b--x\nend\n");
        yield return Of("boundary within a line", head + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none --b\n --b\n--b--\n");
        yield return Of("closed and opened again", head + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n--b\n\ntwo\n--b--\n");
        yield return Of("digest", head + "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: one\n\nbody one\n--b\nContent-Type: text/plain\n\nplain\n--b--\n");
        yield return Of("message in a part", head + "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\nContent-Disposition: inline\n\nFrom: x@y.example\nSubject: inner\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\nA\n--i\nContent-Type: text/html\n\nB\n--i--\n--b\n\nlast\n--b--\n");
        yield return Of("message in a message in a message", head + "Content-Type: message/rfc822\n\nSubject: second\nContent-Type: message/rfc822\n\nSubject: third\n\ninnermost\n");
        yield return Of("message without a body", head + "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n--b\nContent-Type: message/rfc822\n\nSubject: x\n--b--\n");
        yield return Of("encoded message", head + "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA0KDQp5DQo=\n");
        yield return Of("no line end at the end of a part", head + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--");
        yield return Of("blank lines around", head + "Content-Type: multipart/mixed; boundary=b\n\n\n\n--b\n\n\n\n\n--b--\n\n\n");
        yield return Of("folded type", head + "Content-Type: multipart/mixed;\n\tboundary=\n \"b\"\n\n--b\n\none\n--b--\n");
        yield return Of("type twice", head + "Content-Type: text/html\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n");
        yield return Of("fields twice", head + "From: second@x.example\nTo: a@x.example\nTo: b@x.example\nSubject: one\nSubject: two\nMessage-ID: <two@x.example>\nContent-ID: <1>\nContent-ID: <2>\n\nx\n");
        yield return Of("long boundary", head + $"Content-Type: multipart/mixed; boundary=\"{new string('x', 120)}\"\n\n--{new string('x', 120)}\n\none\n--{new string('x', 120)}--\n");
        yield return Of("many parts", head + "Content-Type: multipart/mixed; boundary=b\n\n" + string.Concat(Enumerable.Range(0, 300).Select(i => $"--b\nContent-Description: {i}\n\n{i}\n")) + "--b--\n");
        yield return Of("deep", Deep(40));
        yield return Of("header lines that are none", "From: a@b.example\nthis is no field\nSubject: after it\n: nameless\n leading blank\nTo: c@d.example\n\nbody\n");
        yield return Of("blank before the colon", "From : a@b.example\nSubject\t: tab\nTo:nothing-between@x.example\n\nbody\n");
        yield return Of("only blanks in a line of the header", "Subject: a\n \n b\n\t\nFrom: a@b.example\n\nbody\n");
        yield return Of("empty fields", "From:\nTo: \nSubject:\nDate:\nMessage-ID:\nContent-ID:\nContent-Disposition:\n\nbody\n");
        yield return Of("folded subject", "Subject: one\n two\n\tthree\n    four\nFrom: a@b.example\n\nx\n");
        yield return Of("quotes in the subject", "Subject: say \"hi\" \\ {5} (x)\nFrom: a@b.example\n\nx\n");
        foreach (var address in Addresses)
            yield return Of($"address {address}", $"From: {address}\nTo: x@y.example, {address}\nSubject: address\n\nx\n");
        foreach (var type in Types)
            yield return Of($"type {type}", head + $"Content-Type: {type}\n\nx\ny\n");
        foreach (var other in Others)
            yield return Of($"field {other}", head + $"Content-Type: application/x-y\n{other}\n\nx\n");
    }

    /// <summary>Generated messages with nested parts, then damaged at random.</summary>
    public static IEnumerable<(string Name, byte[] Octets)> Grown(int seed, int count)
    {
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            var text = new StringBuilder($"From: {Addresses[random.Next(Addresses.Length)]}\nTo: {Addresses[random.Next(Addresses.Length)]}\nSubject: grown {seed}/{i}\n");
            Grow(text, random, 0, ref i);
            var lines = text.ToString().Split('\n').ToList();
            for (var damage = random.Next(4) == 0 ? random.Next(1, 4) : 0; damage > 0 && lines.Count > 3; damage--)
            {
                var at = random.Next(3, lines.Count);
                if (random.Next(2) == 0)
                    lines.RemoveAt(at);
                else if (lines[random.Next(lines.Count)] is var line && !line.StartsWith("Content-", StringComparison.Ordinal))
                    lines.Insert(at, line);
            }

            yield return Of($"grown {seed}/{i}", string.Join('\n', lines) + (random.Next(3) == 0 ? "" : "\n"));
        }
    }

    private static void Grow(StringBuilder text, Random random, int depth, ref int number)
    {
        var kind = depth > 4 ? 0 : random.Next(6);
        // When a field occurs twice, Dovecot takes sometimes the first and sometimes the last, so no field occurs twice.
        foreach (var other in Enumerable.Range(0, random.Next(3)).Select(_ => Others[random.Next(Others.Length)]).DistinctBy(o => o.Split(':')[0]))
            text.Append(other).Append('\n');
        if (kind <= 2)
        {
            if (random.Next(4) > 0)
                text.Append($"Content-Type: {Types[random.Next(Types.Length)]}\n");
            text.Append('\n');
            for (var line = random.Next(4); line > 0; line--)
                text.Append(random.Next(5) == 0 ? "" : $"line {line} -- text").Append('\n');
        }
        else if (kind == 3)
        {
            text.Append($"Content-Type: message/rfc822\n\nSubject: inner\nFrom: {Addresses[random.Next(Addresses.Length)]}\n");
            Grow(text, random, depth + 1, ref number);
        }
        else
        {
            var boundary = $"b{depth}{(random.Next(3) == 0 ? "" : $"-{random.Next(1000)}")}";
            text.Append($"Content-Type: multipart/{Kinds[random.Next(Kinds.Length)]}; boundary={boundary}\n\n");
            if (random.Next(3) == 0)
                text.Append("preamble\n");
            for (var part = random.Next(4); part > 0; part--)
            {
                text.Append($"--{boundary}\n");
                Grow(text, random, depth + 1, ref number);
            }

            if (random.Next(5) > 0)
                text.Append($"--{boundary}--\n");
            if (random.Next(3) == 0)
                text.Append("epilogue\n");
        }
    }

    private static string Deep(int levels)
    {
        var text = new StringBuilder();
        for (var i = 0; i < levels; i++)
            text.Append($"Content-Type: multipart/mixed; boundary=level{i:000}\n\n--level{i:000}\n");
        text.Append("\nthe bottom\n");
        for (var i = levels - 1; i >= 0; i--)
            text.Append($"--level{i:000}--\n");
        return "From: a@b.example\n" + text;
    }

    private static (string, byte[]) Of(string name, string text) => (name, Encoding.Latin1.GetBytes(text));
}
