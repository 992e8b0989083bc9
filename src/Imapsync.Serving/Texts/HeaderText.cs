using System.Text;
using MimeKit;
using MimeKit.Utils;

namespace Imapsync.Serving.Texts;

/// <summary>
/// Decodes header values for display: encoded words (RFC 2047), and 8-bit octets as UTF-8 if they are valid UTF-8, else as Latin-1.
/// </summary>
internal static class HeaderText
{
    private static readonly ParserOptions Options;

    static HeaderText()
    {
        // The code pages must be registered before MimeKit looks up the available charsets.
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        Options = new ParserOptions { CharsetEncoding = Encoding.UTF8 };
    }

    /// <param name="value">The raw value, folded or unfolded.</param>
    public static string Decode(ReadOnlySpan<byte> value) => Rfc2047.DecodeText(Options, value.ToArray()).Trim();

    /// <summary>Lists the fields of a header in order, with raw values. Lines that are not fields are skipped.</summary>
    /// <param name="header">The header's octets, including the empty line.</param>
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
