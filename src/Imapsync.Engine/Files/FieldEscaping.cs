using System.Globalization;
using System.Text;

namespace Imapsync.Engine.Files;

/// <summary>
/// Escapes any string as one field of a record in UTF-8. Blanks, ASCII control characters, <c>%</c> and <c>\</c> become <c>%XX</c>. Other
/// control characters, Unicode separators and unpaired surrogates become <c>%uXXXX</c>. Null becomes <c>-</c>, the empty string <c>%</c>.
/// </summary>
internal static class FieldEscaping
{
    public static string Escape(string? text)
    {
        if (text is null)
            return "-";
        if (text.Length == 0)
            return "%";
        if (text == "-")
            return "%2D";
        var escaped = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                escaped.Append(c).Append(text[++i]);
            else if (c is <= ' ' or '%' or '\\' or '\x7f')
                escaped.Append(CultureInfo.InvariantCulture, $"%{(int)c:X2}");
            else if (char.IsSurrogate(c) || char.IsControl(c) || char.IsSeparator(c))
                escaped.Append(CultureInfo.InvariantCulture, $"%u{(int)c:X4}");
            else
                escaped.Append(c);
        }

        return escaped.ToString();
    }

    /// <summary>Decodes one field. Returns false if no string has this escaped form.</summary>
    public static bool TryUnescape(ReadOnlySpan<byte> field, out string? text)
    {
        text = null;
        if (field is [(byte)'-'])
            return true;
        if (field is [(byte)'%'])
            text = "";
        else if (!TryDecode(field, out text))
            return false;
        return true;
    }

    private static bool TryDecode(ReadOnlySpan<byte> field, out string? text)
    {
        text = null;
        if (field.IsEmpty || !System.Text.Unicode.Utf8.IsValid(field))
            return false;
        var escaped = Encoding.UTF8.GetString(field);
        if (!escaped.Contains('%', StringComparison.Ordinal))
        {
            text = escaped;
            return true;
        }

        var plain = new StringBuilder(escaped.Length);
        for (var i = 0; i < escaped.Length; i++)
        {
            if (escaped[i] != '%')
            {
                plain.Append(escaped[i]);
                continue;
            }

            var (start, length) = i + 1 < escaped.Length && escaped[i + 1] == 'u' ? (i + 2, 4) : (i + 1, 2);
            if (start + length > escaped.Length
                || !ushort.TryParse(escaped.AsSpan(start, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
                return false;
            plain.Append((char)code);
            i = start + length - 1;
        }

        text = plain.ToString();
        return true;
    }
}
