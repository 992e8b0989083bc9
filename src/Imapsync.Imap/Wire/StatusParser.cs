using System.Text;

namespace Imapsync.Imap.Wire;

/// <summary>Reads a status reply and the code in front of its text (RFC 9051 §7.1).</summary>
internal static class StatusParser
{
    private static readonly (byte[] Word, StatusKind Kind)[] Words =
    [
        ("OK"u8.ToArray(), StatusKind.Ok), ("NO"u8.ToArray(), StatusKind.No), ("BAD"u8.ToArray(), StatusKind.Bad),
        ("BYE"u8.ToArray(), StatusKind.Bye), ("PREAUTH"u8.ToArray(), StatusKind.PreAuth),
    ];

    /// <param name="rest">The text after the tag or asterisk, with its line end.</param>
    public static StatusReply? TryParse(ReadOnlySpan<byte> rest, ImapLimits limits)
    {
        rest = LiteralMarker.TrimLineEnd(rest).TrimStart((byte)' ');

        // home.pl and Office 365 send "* [COPYUID …]" without the OK, so treat a leading bracket as OK.
        if (rest.Length > 0 && rest[0] == '[')
            return WithText(StatusKind.Ok, rest, limits);
        var end = rest.IndexOf((byte)' ');
        var word = end < 0 ? rest : rest[..end];
        foreach (var (known, kind) in Words)
        {
            if (Ascii.EqualsIgnoreCase(word, known))
                return WithText(kind, end < 0 ? default : rest[end..].TrimStart((byte)' '), limits);
        }

        return null;
    }

    private static StatusReply WithText(StatusKind kind, ReadOnlySpan<byte> text, ImapLimits limits)
    {
        var code = TryParseCode(text, out var used);
        var words = text[used..].Trim((byte)' ');
        return new StatusReply(kind, code, Encoding.UTF8.GetString(words[..Math.Min(words.Length, limits.MaxStatusTextBytes)]));
    }

    /// <param name="text">The text of a status reply, which may begin with a code.</param>
    /// <param name="used">How many octets the code takes.</param>
    private static ResponseCode? TryParseCode(ReadOnlySpan<byte> text, out int used)
    {
        used = 0;
        if (text.Length < 2 || text[0] != '[')
            return null;
        var end = ClosingBracket(text);
        if (end < 0)
            return null;
        used = end + 1;
        var inside = Encoding.Latin1.GetString(text[1..end]).Trim();
        var blank = inside.IndexOf(' ', StringComparison.Ordinal);
        var name = (blank < 0 ? inside : inside[..blank]).ToUpperInvariant();
        return new ResponseCode(ResponseCode.KindOf(name), name, blank < 0 ? "" : inside[blank..].Trim());
    }

    /// <summary>
    /// Finds the bracket that ends the code. Brackets inside parentheses are skipped, because Gmail's flags contain them (<c>[]</c>).
    /// </summary>
    private static int ClosingBracket(ReadOnlySpan<byte> text)
    {
        var depth = 0;
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] == '(')
                depth++;
            else if (text[i] == ')')
                depth--;
            else if (text[i] == ']' && depth <= 0)
                return i;
        }

        return text.LastIndexOf((byte)']');
    }
}
