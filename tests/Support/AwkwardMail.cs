using System.Text;

namespace Imapsync.Tests.Support;

/// <summary>Messages and folder names that careless programs lose, change or fail on. Line ends are LF, as in a Maildir.</summary>
public static class AwkwardMail
{
    public const string Folder = "Awkward";

    private const string Date = "Date: Mon, 02 Jun 2025 10:00:00 +0000\n";

    public static readonly string[] FolderNames =
    [
        "Entwürfe", "日本語", "Projects/Résumé", "A & B", "&", "&AOk-", "with space", "brackets [x] (y) {3}", "quote\"d", "percent%20",
        "UPPER/lower", "upper", "tilde~", "mail 📬 box", "NIL", "deep/a/b/c/d/e/f/g/h",
    ];

    /// <summary>Pairs of a test name and a message's octets. "twin" and "other twin" are identical and must stay two messages.</summary>
    public static IEnumerable<(string Name, byte[] Octets)> Messages()
    {
        yield return ("no Message-ID", Ascii("From: a@b.example\nSubject: none\n" + Date + "\nbody\n"));
        yield return ("same Message-ID, first", WithId("dup", "first body\n"));
        yield return ("same Message-ID, second", WithId("dup", "second body, differs\n"));
        yield return ("twin", WithId("same", "identical\n"));
        yield return ("other twin", WithId("same", "identical\n"));
        yield return ("no header", Ascii("\njust a body\n"));
        yield return ("no body", WithId("empty", ""));
        yield return ("no empty line", Ascii("From: a@b.example\nMessage-ID: <headonly@x.example>\nSubject: header only\n"));
        yield return ("no final newline", WithId("nofinal", "ends without newline"));
        yield return ("one octet", Ascii("x"));
        yield return ("one newline", Ascii("\n"));
        yield return ("8-bit header", Latin1("From: J\xF6rg <j@x.example>\nSubject: Gr\xFC\xDF" + "e\n" + Date + "\n\xE4\xF6\xFC\n"));
        yield return ("UTF-8 header", Encoding.UTF8.GetBytes("From: Зина <z@x.example>\nSubject: 日本語\n" + Date + "\nтекст\n"));
        yield return ("every octet but NUL", Latin1("Message-ID: <all@x.example>\n" + Date + "\n" + EveryOctet() + "\n"));
        yield return ("bare CR", WithId("barecr", "bare\rcarriage\rreturns\n"));
        yield return ("long line", WithId("long", new string('x', 200_000) + "\n"));
        yield return ("long header line", Ascii("Subject: " + new string('y', 70_000) + "\n" + Date + "\nbody\n"));
        yield return ("many headers", Ascii(ManyHeaders(2000) + Date + "\nok\n"));
        yield return ("From lines", WithId("fromline", "From the start\n>From quoted\n>>From twice\nFrom \nFrom\n Fromage\n"));
        yield return ("From in the first line", Ascii("From someone@x.example Mon Jun  2 10:00:00 2025\nSubject: postmark\n\nbody\n"));
        yield return ("like replies", WithId("like", "* 1 FETCH (BODY[] {5}\nA1 OK done\n)\n+ go\n* BYE\n)\n{10}\n{10+}\n"));
        yield return ("dots", WithId("dots", ".\n..\n...\n"));
        yield return ("folded Message-ID", Ascii("From: a@b.example\nMessage-ID:\n <folded@x.example>\nSubject: folded\n id\n" + Date + "\nfolded\n"));
        yield return ("bad date", Ascii("From: a@b.example\nDate: yesterday-ish\n\nx\n"));
        yield return ("status headers", Ascii("From: a@b.example\nStatus: RO\nX-Status: DF\nX-Keywords: evil\nX-UID: 7\nContent-Length: 3\n\nlonger than 3\n"));
        yield return ("folder data", Ascii("From: MAILER-DAEMON\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1 2\n\ntext\n"));
        yield return ("message in a message", Ascii("Message-ID: <outer@x.example>\nContent-Type: message/rfc822\n\nMessage-ID: <inner@x.example>\n\ninner\n"));
        yield return ("blank lines at the end", WithId("blanks", "text\n\n\n\n"));
        yield return ("25 MB", Big(25_000_000));
    }

    private static byte[] WithId(string id, string body) =>
        Ascii($"From: a@b.example\nMessage-ID: <{id}@x.example>\n{Date}\n{body}");

    private static byte[] Ascii(string text) => Encoding.ASCII.GetBytes(text);

    private static byte[] Latin1(string text) => Encoding.Latin1.GetBytes(text);

    /// <summary>Every octet except NUL, LF and CR. LF is the line end on disk, and another message tests a bare CR.</summary>
    private static string EveryOctet() =>
        string.Concat(Enumerable.Range(1, 255).Where(o => o is not ('\r' or '\n')).Select(o => (char)o));

    private static string ManyHeaders(int count)
    {
        var text = new StringBuilder("Message-ID: <many@x.example>\n");
        for (var i = 0; i < count; i++)
            text.Append($"X-Header-{i}: ").Append('v', 60).Append('\n');
        return text.ToString();
    }

    private static byte[] Big(int size)
    {
        var octets = new byte[size];
        new Random(25).NextBytes(octets);
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for (var i = 0; i < size; i++)
            octets[i] = i % 77 == 76 ? (byte)'\n' : (byte)alphabet[octets[i] & 63];
        WithId("big", "").CopyTo(octets, 0);
        octets[^1] = (byte)'\n';
        return octets;
    }
}
