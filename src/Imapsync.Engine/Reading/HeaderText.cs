using System.Text;
using MimeKit;
using MimeKit.Utils;

namespace Imapsync.Engine.Reading;

/// <summary>
/// Decodes header values as people read them: encoded words (RFC 2047) are decoded, and 8-bit octets are read as UTF-8 if they are valid,
/// otherwise as Latin-1.
/// </summary>
public static class HeaderText
{
    static HeaderText()
    {
        // The code pages must be registered before MimeKit looks up the available charsets.
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        Options = new ParserOptions { CharsetEncoding = Encoding.UTF8 };
    }

    internal static ParserOptions Options { get; }

    /// <param name="value">The field's value, with or without its line breaks.</param>
    public static string Decode(ReadOnlySpan<byte> value) => Rfc2047.DecodeText(Options, value.ToArray()).Trim();

    /// <summary>Returns false if the program can't decode words in this charset reliably.</summary>
    public static bool KnowsCharset(string charset)
    {
        // Many programs write "utf8" for "utf-8".
        if (charset.Equals("utf8", StringComparison.OrdinalIgnoreCase))
            return true;
        try
        {
            _ = Encoding.GetEncoding(charset);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <summary>Returns every field of a header in order, with the octets of its value. Lines that are no field are skipped.</summary>
    /// <param name="header">Octets through the empty line.</param>
    public static IEnumerable<(string Name, byte[] Value)> Fields(ReadOnlyMemory<byte> header)
    {
        var at = 0;
        while (at < header.Length)
        {
            var field = FieldAt(header.Span[at..], out var length, out var colon);
            at += length;
            if (colon > 0)
                yield return (Encoding.ASCII.GetString(field[..colon]).TrimEnd(), field[(colon + 1)..]);
        }
    }

    /// <summary>Reads one field with its continuation lines.</summary>
    private static byte[] FieldAt(ReadOnlySpan<byte> header, out int length, out int colon)
    {
        length = 0;
        do
        {
            var end = header[length..].IndexOf((byte)'\n');
            length = end < 0 ? header.Length : length + end + 1;
        }
        while (length < header.Length && header[length] is (byte)' ' or (byte)'\t');
        var field = header[..length];
        colon = field.IndexOf((byte)':');
        return field.ToArray();
    }
}
