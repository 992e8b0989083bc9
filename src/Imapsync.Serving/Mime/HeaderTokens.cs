using System.Text;

namespace Imapsync.Serving.Mime;

/// <summary>
/// The words of a structured header field (RFC 5322 §3.2, RFC 2045 §5.1), as octets and without decoding anything: what IMAP hands on
/// is what stands there. Takes whatever it gets; comments and white space are passed over.
/// </summary>
internal ref struct HeaderTokens(ReadOnlySpan<byte> octets)
{
    private const string MimeSpecials = "()<>@,;:\\\"/[]?=";
    private readonly ReadOnlySpan<byte> octets = octets;

    public int At { get; set; }

    public readonly bool IsAtEnd => At >= octets.Length;

    public readonly byte Current => octets[At];

    /// <summary>What a comment held that was passed over last, without its outer parentheses; null for none.</summary>
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

    /// <summary>A token of MIME: empty where none comes.</summary>
    public string MimeToken()
    {
        var start = At;
        while (!IsAtEnd && Current is > (byte)' ' and < 0x7f && !MimeSpecials.Contains((char)Current, StringComparison.Ordinal))
            At++;
        var token = Encoding.ASCII.GetString(octets[start..At]);
        SkipBlanksAndComments();
        return token;
    }

    /// <summary>A parameter's value: quoted, or all up to a semicolon or a blank, as careless programs write it.</summary>
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

    /// <summary>What stands between the quotes, without the backslashes that quote; to the end where there is no second quote.</summary>
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

    /// <summary>Octets that are none of some, as they come.</summary>
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
