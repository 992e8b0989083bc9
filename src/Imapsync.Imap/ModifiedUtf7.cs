using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Imapsync.Imap;

/// <summary>
/// The encoding of folder names on the wire (RFC 3501 §5.1.3). A wire name has one character for each octet, so that even a malformed
/// name can be sent back unchanged.
/// </summary>
public static class ModifiedUtf7
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
    private static readonly SearchValues<char> Base64 = SearchValues.Create(Alphabet);

    /// <summary>
    /// Decodes a name for display and for other stores. A malformed shift sequence is kept. Raw 8-bit octets are read as
    /// UTF-8 if valid, else as Latin-1.
    /// </summary>
    public static string Decode(string wire)
    {
        if (!wire.Contains('&', StringComparison.Ordinal))
            return Raw(wire);
        var text = new StringBuilder();
        var at = 0;
        while (at < wire.Length)
        {
            var shift = wire.IndexOf('&', at);
            if (shift < 0)
                break;
            text.Append(Raw(wire[at..shift]));
            var end = EndOfShift(wire, shift);
            if (end < 0 || !TryShifted(wire.AsSpan((shift + 1)..end), text))
            {
                text.Append('&');
                at = shift + 1;
                continue;
            }

            at = end + 1;
        }

        return text.Append(Raw(wire[Math.Min(at, wire.Length)..])).ToString();
    }

    /// <summary>Decodes a name that is valid modified UTF-7 throughout; returns false, with an empty name, for any other.</summary>
    public static bool TryDecode(string wire, out string name)
    {
        var text = new StringBuilder(wire.Length);
        name = "";
        for (var at = 0; at < wire.Length; at++)
        {
            if (wire[at] is < ' ' or > '~')
                return false;
            if (wire[at] != '&')
            {
                text.Append(wire[at]);
                continue;
            }

            var end = EndOfShift(wire, at);
            if (end < 0 || !TryShifted(wire.AsSpan((at + 1)..end), text))
                return false;
            at = end;
        }

        name = text.ToString();
        return true;
    }

    public static string Encode(string name)
    {
        var wire = new StringBuilder();
        for (var i = 0; i < name.Length;)
        {
            if (name[i] is >= ' ' and <= '~')
            {
                wire.Append(name[i] == '&' ? "&-" : name[i].ToString());
                i++;
                continue;
            }

            var start = i;
            while (i < name.Length && name[i] is not (>= ' ' and <= '~'))
                i++;
            var base64 = Convert.ToBase64String(Encoding.BigEndianUnicode.GetBytes(name[start..i]));
            wire.Append('&').Append(base64.TrimEnd('=').Replace('/', ',')).Append('-');
        }

        return wire.ToString();
    }

    private static string Raw(string part)
    {
        if (part.AsSpan().IndexOfAnyExceptInRange('\0', '\x7f') < 0)
            return part;
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Encoding.Latin1.GetBytes(part));
        }
        catch (DecoderFallbackException)
        {
            return part;
        }
    }

    /// <summary>
    /// The position of the <c>-</c> that ends a shift sequence; -1 if the sequence ends otherwise. Only the sequence is searched, so a name
    /// of a million <c>&amp;</c> is read in one pass.
    /// </summary>
    private static int EndOfShift(string wire, int shift)
    {
        var length = wire.AsSpan(shift + 1).IndexOfAnyExcept(Base64);
        return length >= 0 && wire[shift + 1 + length] == '-' ? shift + 1 + length : -1;
    }

    private static bool TryShifted(ReadOnlySpan<char> base64, StringBuilder text)
    {
        if (base64.IsEmpty)
        {
            text.Append('&');
            return true;
        }

        var octets = new byte[(base64.Length * 6) / 8];
        int bits = 0, count = 0, n = 0;
        foreach (var c in base64)
        {
            var value = Alphabet.IndexOf(c, StringComparison.Ordinal);
            if (value < 0)
                return false;
            bits = ((bits << 6) | value) & 0xffffff;
            count += 6;
            if (count >= 8)
            {
                count -= 8;
                octets[n++] = (byte)(bits >> count);
            }
        }

        if (n < 2 || n % 2 != 0)
            return false;
        var units = new char[n / 2];
        for (var i = 0; i < units.Length; i++)
            units[i] = (char)BinaryPrimitives.ReadUInt16BigEndian(octets.AsSpan(i * 2));
        for (var i = 0; i < units.Length; i++)
        {
            // Half a surrogate pair is not a valid character, so the whole sequence is then rejected and kept undecoded.
            if (char.IsHighSurrogate(units[i]) && i + 1 < units.Length && char.IsLowSurrogate(units[i + 1]))
                i++;
            else if (char.IsSurrogate(units[i]))
                return false;
        }

        text.Append(units);
        return true;
    }
}
