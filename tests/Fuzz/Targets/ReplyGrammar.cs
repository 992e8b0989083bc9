using System.Globalization;
using System.Text;

namespace Imapsync.Fuzz.Tests.Targets;

/// <summary>
/// Generates valid or nearly valid replies from the grammar of RFC 9051. Damaging real lines would rarely produce such replies.
/// </summary>
internal static class ReplyGrammar
{
    private static readonly string[] Codes =
    [
        "ALERT", "APPENDUID 7 1:3", "BADCHARSET (UTF-8)", "CAPABILITY IMAP4rev1 IDLE", "COPYUID 7 1:3 4:6", "HIGHESTMODSEQ 715194045007", "MAILBOXID (F1)",
        "PERMANENTFLAGS (\\Seen [x] \\*)", "UIDNEXT 4392", "UIDVALIDITY 3857529045", "UNSEEN 12", "THROTTLED", "OVERQUOTA", "TOOBIG", "INUSE", "X y (z [q])",
    ];

    private static readonly string[] Names =
    [
        "LIST", "LSUB", "XLIST", "STATUS", "FETCH", "FLAGS", "EXISTS", "EXPUNGE", "CAPABILITY", "NAMESPACE", "ID", "QUOTA", "QUOTAROOT", "ACL", "MYRIGHTS", "ENABLED", "SEARCH", "VANISHED",
    ];

    private static readonly string[] Items =
    [
        "UID", "FLAGS", "RFC822.SIZE", "INTERNALDATE", "MODSEQ", "BODY[]", "BODY[HEADER]", "BODY[HEADER.FIELDS (FROM TO)]<0>", "BODYSTRUCTURE", "X-GM-MSGID", "X-GM-LABELS", "ENVELOPE",
        "MESSAGES", "UIDNEXT", "UIDVALIDITY", "HIGHESTMODSEQ", "MAILBOXID", "APPENDLIMIT", "STORAGE", "UNSEEN",
    ];

    private static readonly string[] Atoms =
    [
        "NIL", "\\Seen", "\\Noselect", "\\HasNoChildren", "INBOX", "INBOX.a", "$Label1", "1", "0", "4294967295", "4294967296", "18446744073709551615", "9223372036854775808", "-1", "9.37e+06", "a", "lrswipkxtecda",
    ];

    public static byte[] Make(Random random)
    {
        if (random.Next(4) == 0)
            return MakeStatus(random);
        var text = new StringBuilder("* ");
        var name = Pick(Names, random);
        if (name is "FETCH" or "EXISTS" or "EXPUNGE")
            text.Append(Pick(Atoms, random)).Append(' ');
        text.Append(name);
        for (var n = random.Next(5); n >= 0; n--)
            Value(text.Append(' '), random, 0);
        return Encoding.Latin1.GetBytes(text.Append("\r\n").ToString());
    }

    public static byte[] MakeStatus(Random random)
    {
        var text = new StringBuilder(Pick(["* ", "A1 ", "A2 ", ""], random)).Append(Pick(["OK", "NO", "BAD", "BYE", "PREAUTH", "ok"], random));
        if (random.Next(4) > 0)
            text.Append(" [").Append(Pick(Codes, random)).Append(']');
        text.Append(' ').Append(Pick(["done", "Suggested Backoff Time: 299961 milliseconds", "quota exceeded", "Request is throttled. Backoff Time: 99999999999", "too many connections", ""], random));
        return Encoding.Latin1.GetBytes(text.Append("\r\n").ToString());
    }

    private static void Value(StringBuilder text, Random random, int depth)
    {
        switch (random.Next(depth > 4 ? 4 : 7))
        {
            case 0:
                text.Append(Pick(Atoms, random));
                break;
            case 1:
                text.Append(Pick(Items, random));
                break;
            case 2:
                text.Append('"').Append(Pick(["/", ".", "\\\\", "", "a \\\" b", "17-Jul-2024 02:44:25 +0000", "&U,BTFw-", "un\"escaped"], random)).Append('"');
                break;
            case 3:
                var literal = Pick(["abc", "", "a\r\nb", "{3}\r\n", ")"], random);
                text.Append(CultureInfo.InvariantCulture, $"{Pick(["", "~"], random)}{{{literal.Length + (random.Next(8) == 0 ? random.Next(9) : 0)}}}\r\n{literal}");
                break;
            case 4:
                text.Append('(');
                for (var n = random.Next(6); n > 0; n--)
                    Value(text.Append(Pick(["", " ", "  "], random)), random, depth + 1);
                text.Append(')');
                break;
            default:
                text.Append('(');
                for (var n = random.Next(5); n > 0; n--)
                    Value(text.Append(Pick(Items, random)).Append(' '), random, depth + 1);
                text.Append(')');
                break;
        }
    }

    private static string Pick(string[] words, Random random) => words[random.Next(words.Length)];
}
