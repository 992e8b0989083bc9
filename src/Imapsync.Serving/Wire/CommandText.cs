using System.Globalization;
using System.Text;
using Imapsync.Imap;

namespace Imapsync.Serving.Wire;

/// <summary>Parses a command from start to end by the grammar of RFC 9051 §9. Invalid input throws <see cref="CommandException"/>.</summary>
internal sealed class CommandText(ReadOnlyMemory<byte> octets)
{
    private int at;

    public bool IsAtEnd => at >= octets.Length;

    private ReadOnlySpan<byte> Rest => octets.Span[at..];

    public bool Peek(char c) => at < octets.Length && octets.Span[at] == c;

    public bool TrySkip(char c)
    {
        if (!Peek(c))
            return false;
        at++;
        return true;
    }

    public void Skip(char c)
    {
        if (!TrySkip(c))
            throw new CommandException(c == ' ' ? "an argument is missing" : $"'{c}' is missing");
    }

    public void End()
    {
        TrySkip(' ');
        if (!IsAtEnd)
            throw new CommandException("there is more than the command takes");
    }

    /// <summary>Reads an atom; <paramref name="endsAtBracket"/> makes a bracket end it.</summary>
    public string Atom(bool endsAtBracket = false)
    {
        var start = at;
        while (at < octets.Length && IsAtomOctet(octets.Span[at]) && !(endsAtBracket && octets.Span[at] is (byte)']' or (byte)'['))
            at++;
        if (at == start)
            throw new CommandException("a word is missing");
        return Encoding.ASCII.GetString(octets.Span[start..at]);
    }

    /// <summary>
    /// Reads a keyword in upper case. It ends at a bracket, because a FETCH item may be followed by a section in brackets.
    /// </summary>
    public string Word() => Atom(endsAtBracket: true).ToUpperInvariant();

    public bool TryWord(string word)
    {
        var rest = Rest;
        if (rest.Length < word.Length || !Ascii.EqualsIgnoreCase(rest[..word.Length], word) || (rest.Length > word.Length && IsAtomOctet(rest[word.Length]) && rest[word.Length] != ']'))
            return false;
        at += word.Length;
        return true;
    }

    /// <summary>Reads a string, which may be quoted, a literal or an atom. The result has one character for each octet.</summary>
    public string AString() => Peek('"') ? Quoted() : Peek('{') ? Literal() : Chars(static o => IsAtomOctet(o) || o >= 0x80, "a string is missing");

    /// <summary>Reads a LIST pattern: a string whose atom form may also contain wildcards.</summary>
    public string ListPattern() => Peek('"') ? Quoted() : Peek('{') ? Literal() : Chars(static o => IsAtomOctet(o) || o is (byte)'%' or (byte)'*' or >= 0x80, "a pattern is missing");

    public uint Number()
    {
        var start = at;
        while (at < octets.Length && octets.Span[at] is >= (byte)'0' and <= (byte)'9')
            at++;
        return uint.TryParse(octets.Span[start..at], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new CommandException("a number from 0 to 4294967295 is missing");
    }

    public long Number64()
    {
        var start = at;
        while (at < octets.Length && octets.Span[at] is >= (byte)'0' and <= (byte)'9')
            at++;
        return long.TryParse(octets.Span[start..at], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new CommandException("a number is missing");
    }

    /// <summary>Reads a set of messages such as <c>1:3,7,*</c>; see <see cref="SequenceSet"/>.</summary>
    public SequenceSet Set() =>
        SequenceSet.TryParse(Chars(static o => o is (byte)',' or (byte)':' or (byte)'*' or (byte)'$' or (>= (byte)'0' and <= (byte)'9'), "a set of messages is missing"), out var set)
            ? set
            : throw new CommandException("this is no set of messages: write it as 1:3,7 with * for the last one");

    /// <summary>Whether a set of messages comes next.</summary>
    public bool PeekSet() => at < octets.Length && octets.Span[at] is (byte)'*' or (>= (byte)'0' and <= (byte)'9');

    private string Quoted()
    {
        at++;
        var text = new StringBuilder();
        while (at < octets.Length)
        {
            var octet = octets.Span[at++];
            if (octet == '"')
                return text.ToString();
            if (octet == '\\')
            {
                if (at >= octets.Length || octets.Span[at] is not ((byte)'"' or (byte)'\\'))
                    break;
                octet = octets.Span[at++];
            }

            if (octet is (byte)'\r' or (byte)'\n' or 0)
                break;
            text.Append((char)octet);
        }

        throw new CommandException("a quoted string has no end, or a backslash in front of what needs none");
    }

    private string Literal()
    {
        var rest = Rest;
        var close = rest.IndexOf((byte)'}');
        var digits = close < 0 ? default : rest[1..close];
        if (digits is [.., (byte)'+' or (byte)'-'])
            digits = digits[..^1];
        var start = close + 1;
        if (close < 0 || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var length))
            throw new CommandException("this is no literal");
        if (rest[start..].StartsWith("\r\n"u8))
            start += 2;
        else if (rest[start..].StartsWith("\n"u8))
            start++;
        else
            throw new CommandException("a literal is missing");
        if (rest.Length - start < length)
            throw new CommandException("a literal is missing");
        var text = Encoding.Latin1.GetString(rest.Slice(start, length));
        if (text.Contains('\0', StringComparison.Ordinal))
            throw new CommandException("a literal has NUL in it");
        at += start + length;
        return text;
    }

    private string Chars(Func<byte, bool> fits, string missing)
    {
        var start = at;
        while (at < octets.Length && fits(octets.Span[at]))
            at++;
        return at > start ? Encoding.Latin1.GetString(octets.Span[start..at]) : throw new CommandException(missing);
    }

    private static bool IsAtomOctet(byte octet) =>
        octet is > 0x20 and < 0x7f and not ((byte)'(' or (byte)')' or (byte)'{' or (byte)'%' or (byte)'*' or (byte)'"' or (byte)'\\');
}
