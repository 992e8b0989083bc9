using System.Text;

namespace Imapsync.Imap.Wire;

internal enum TokenKind : byte
{
    End,
    Atom,
    Quoted,
    Literal,

    /// <summary>A literal that is not in memory because the caller streams it; the token contains only its length.</summary>
    StreamedBody,
    Open,
    Close,
}

/// <summary>One token of a frame (a response with its literals). Its value is a view of the frame's octets.</summary>
internal readonly ref struct Token(TokenKind kind, ReadOnlySpan<byte> raw, long length = 0)
{
    public TokenKind Kind { get; } = kind;

    /// <summary>The octets as received; a quoted string still contains its escapes.</summary>
    public ReadOnlySpan<byte> Raw { get; } = raw;

    /// <summary>The length of a streamed body in octets.</summary>
    public long Length { get; } = length;

    public bool IsNil => Kind == TokenKind.Atom && Ascii.EqualsIgnoreCase(Raw, "NIL"u8);

    public bool IsString => Kind is TokenKind.Atom or TokenKind.Quoted or TokenKind.Literal;

    public bool Is(ReadOnlySpan<byte> word) => Kind == TokenKind.Atom && Ascii.EqualsIgnoreCase(Raw, word);

    /// <summary>Returns the octets with escapes resolved. A backslash before anything but <c>"</c> and <c>\</c> is kept.</summary>
    public byte[] ToOctets()
    {
        if (Kind != TokenKind.Quoted || !Raw.Contains((byte)'\\'))
            return Raw.ToArray();
        var octets = new byte[Raw.Length];
        var n = 0;
        for (var i = 0; i < Raw.Length; i++)
        {
            if (Raw[i] == '\\' && i + 1 < Raw.Length && Raw[i + 1] is (byte)'"' or (byte)'\\')
                i++;
            octets[n++] = Raw[i];
        }

        return octets[..n];
    }

    /// <summary>Returns the octets as text with one character for each octet, so that nothing is lost or interpreted.</summary>
    public string ToLatin1() =>
        Kind == TokenKind.Quoted && Raw.Contains((byte)'\\') ? Encoding.Latin1.GetString(ToOctets()) : Encoding.Latin1.GetString(Raw);

    /// <summary>Returns the value decoded as UTF-8, for display.</summary>
    public string ToText() => Encoding.UTF8.GetString(ToOctets());
}

/// <summary>
/// Reads the tokens of one frame (a response with its literals) leniently: it accepts doubled blanks, quotes inside quoted strings, and
/// parentheses that never close. It always stops at the end of the frame.
/// </summary>
internal ref struct Tokenizer(ReadOnlySpan<byte> frame, int bodyAt = -1, int maxNesting = 32)
{
    private const int LongestMarker = 64;

    private readonly ReadOnlySpan<byte> frame = frame;
    private readonly int bodyAt = bodyAt;
    private readonly int maxNesting = maxNesting;
    private int position;

    /// <summary>The unread rest of the frame, including its line end.</summary>
    public readonly ReadOnlySpan<byte> Rest => frame[position..];

    /// <summary>Returns the raw octets of a list whose opening parenthesis was just read, up to and including the closing one, and consumes them.</summary>
    public ReadOnlySpan<byte> TakeList()
    {
        var start = position;
        SkipList();
        return frame[start..position];
    }

    /// <summary>Skips octets that the caller has already read itself.</summary>
    public void Skip(int octets) => position += octets;

    public Token Next()
    {
        SkipBlanks();
        if (position >= frame.Length)
            return default;
        switch (frame[position])
        {
            case (byte)'(':
                return new Token(TokenKind.Open, frame.Slice(position++, 1));
            case (byte)')':
                return new Token(TokenKind.Close, frame.Slice(position++, 1));
            case (byte)'"':
                return Quoted();
            case (byte)'{' or (byte)'~' when TryLiteral(out var literal):
                return literal;
            default:
                return Atom();
        }
    }

    public readonly Token Peek()
    {
        var copy = this;
        return copy.Next();
    }

    /// <summary>Skips the rest of a list whose opening parenthesis was already read.</summary>
    public void SkipList()
    {
        var depth = 1;
        while (depth > 0)
        {
            var token = Next();
            if (token.Kind == TokenKind.End)
                return;
            if (token.Kind == TokenKind.Open && ++depth > maxNesting)
                throw new ImapProtocolException($"the server nested lists more than {maxNesting} deep");
            if (token.Kind == TokenKind.Close)
                depth--;
        }
    }

    /// <summary>Skips one value, which may be a list.</summary>
    public void SkipValue()
    {
        if (Next().Kind == TokenKind.Open)
            SkipList();
    }

    private void SkipBlanks()
    {
        while (position < frame.Length && frame[position] is (byte)' ' or (byte)'\r' or (byte)'\n' or (byte)'\t')
            position++;
    }

    private Token Quoted()
    {
        var start = ++position;
        for (var i = start; i < frame.Length; i++)
        {
            if (frame[i] == '\\' && i + 1 < frame.Length && frame[i + 1] is (byte)'"' or (byte)'\\')
            {
                i++;
            }
            else if (frame[i] == '"' && IsAfterValue(i + 1))
            {
                position = i + 1;
                return new Token(TokenKind.Quoted, frame[start..i]);
            }
        }

        // The quote is never closed, so the string extends to the end of the line.
        var rest = LiteralMarker.TrimLineEnd(frame[start..]);
        position = frame.Length;
        return new Token(TokenKind.Quoted, rest);
    }

    /// <summary>
    /// Whether the quote before this position ends the string: a delimiter must follow it. Otherwise the quote is part of the text, and the
    /// server forgot to escape it.
    /// </summary>
    private readonly bool IsAfterValue(int at) =>
        at >= frame.Length || frame[at] is (byte)' ' or (byte)')' or (byte)'(' or (byte)'\r' or (byte)'\n' or (byte)']';

    private bool TryLiteral(out Token literal)
    {
        literal = default;
        // The search is bounded, because otherwise a line of a million braces would be searched a million times.
        var end = frame.Slice(position, Math.Min(frame.Length - position, LongestMarker)).IndexOf((byte)'\n');
        if (end < 0)
            return false;
        var marker = frame.Slice(position, end + 1);
        if (!LiteralMarker.TryParse(marker, out var octets, out var start) || start != 0)
            return false;
        var at = position + marker.Length;
        if (at == bodyAt)
        {
            position = at;
            literal = new Token(TokenKind.StreamedBody, default, octets);
            return true;
        }

        if (octets < 0 || octets > frame.Length - at)
            return false;
        position = at + (int)octets;
        literal = new Token(TokenKind.Literal, frame.Slice(at, (int)octets));
        return true;
    }

    private Token Atom()
    {
        var start = position;
        while (position < frame.Length)
        {
            var c = frame[position];
            // The server left out the blank before a literal ("BODY[]{6}"), so the atom ends here.
            if (c == '{' && position > start && frame[position - 1] is (byte)']' or (byte)'>' && IsSection(frame[start..position]))
                break;
            if (c is (byte)' ' or (byte)'(' or (byte)')' or (byte)'\r' or (byte)'\n')
                break;
            if (c == '[' && IsSection(frame[start..position]))
            {
                // BODY[HEADER.FIELDS (FROM TO)] is one item name with blanks and parentheses, so read on to the closing bracket.
                var close = frame[position..].IndexOf((byte)']');
                position = close < 0 ? frame.Length : position + close;
            }
            else
            {
                position++;
            }
        }

        return new Token(TokenKind.Atom, frame[start..position]);
    }

    private static bool IsSection(ReadOnlySpan<byte> name) =>
        name.Length >= 4 && (Ascii.EqualsIgnoreCase(name[..4], "BODY"u8) || (name.Length >= 6 && Ascii.EqualsIgnoreCase(name[..6], "BINARY"u8)));
}
