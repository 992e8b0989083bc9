using System.Text;

namespace Imapsync.Serving.Mime;

/// <summary>
/// The words of a structured header field (RFC 5322 §3.2, RFC 2045 §5.1). They are not decoded, because IMAP passes them on unchanged.
/// Accepts any input; skips comments and white space.
/// </summary>
internal ref struct HeaderTokens(ReadOnlySpan<byte> octets)
{
    private const string MimeSpecials = "()<>@,;:\\\"/[]?=";
    private readonly ReadOnlySpan<byte> octets = octets;

    public int At { get; set; }

    public readonly bool IsAtEnd => At >= octets.Length;

    public readonly byte Current => octets[At];

    /// <summary>The text of the comment skipped last, without its outer parentheses; null if none was skipped.</summary>
    public string? Comment { get; set; }

    public void SkipBlanksAndComments()
    {
        while (!IsAtEnd)
        {
            if (Current is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' or 0)
                At++;
            else if (Current == '(')
                SkipComment();
            else
                break;
        }
    }

    public bool TrySkip(char c)
    {
        if (IsAtEnd || Current != c)
            return false;
        At++;
        SkipBlanksAndComments();
        return true;
    }

    /// <summary>Reads a MIME token; empty if there is none here.</summary>
    public string MimeToken()
    {
        var start = At;
        while (!IsAtEnd && Current is > (byte)' ' and < 0x7f && !MimeSpecials.Contains((char)Current, StringComparison.Ordinal))
            At++;
        var token = Encoding.ASCII.GetString(octets[start..At]);
        SkipBlanksAndComments();
        return token;
    }

    /// <summary>Reads a parameter's value: a quoted string, or unquoted text up to a semicolon or blank.</summary>
    public byte[]? Value()
    {
        if (!IsAtEnd && Current == '"')
            return QuotedString();
        var start = At;
        while (!IsAtEnd && Current is not ((byte)';' or (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' or (byte)'(' or (byte)'"'))
            At++;
        var value = octets[start..At].ToArray();
        SkipBlanksAndComments();
        return value.Length == 0 ? null : value;
    }

    /// <summary>Reads a quoted string and removes its escapes. If the closing quote is missing, it extends to the end of the field.</summary>
    public byte[] QuotedString()
    {
        At++;
        var text = new MemoryStream();
        while (!IsAtEnd && Current != '"')
        {
            if (Current == '\\' && At + 1 < octets.Length)
                At++;
            if (Current is not ((byte)'\r' or (byte)'\n'))
                text.WriteByte(Current);
            At++;
        }

        At = Math.Min(At + 1, octets.Length);
        SkipBlanksAndComments();
        return text.ToArray();
    }

    /// <summary>Reads the octets up to the first that is one of <paramref name="ends"/>.</summary>
    public ReadOnlySpan<byte> Until(ReadOnlySpan<byte> ends)
    {
        var length = octets[At..].IndexOfAny(ends);
        var text = length < 0 ? octets[At..] : octets.Slice(At, length);
        At += text.Length;
        return text;
    }

    private void SkipComment()
    {
        var text = new StringBuilder();
        var depth = 0;
        for (; !IsAtEnd; At++)
        {
            var c = (char)Current;
            if (c == '\\' && At + 1 < octets.Length)
            {
                text.Append((char)octets[++At]);
                continue;
            }

            if (c == ')' && --depth == 0)
                break;
            if (c == '(' && depth++ == 0)
                continue;
            if (c is not ('\r' or '\n'))
                text.Append(c);
        }

        At = Math.Min(At + 1, octets.Length);
        Comment = text.ToString();
    }
}
