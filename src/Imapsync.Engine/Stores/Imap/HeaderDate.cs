using System.Globalization;
using System.Text;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>When a message came, for servers whose INTERNALDATE is no date: its Date field, else its newest Received field.</summary>
internal static class HeaderDate
{
    public static DateTimeOffset? Find(ReadOnlySpan<byte> header)
    {
        var text = Encoding.Latin1.GetString(header).Replace("\r\n ", " ", StringComparison.Ordinal).Replace("\r\n\t", " ", StringComparison.Ordinal);
        DateTimeOffset? received = null;
        foreach (var range in text.AsSpan().Split('\n'))
        {
            var line = text.AsSpan(range).TrimEnd('\r');
            if (line.StartsWith("Date:", StringComparison.OrdinalIgnoreCase) && Parse(line[5..]) is { } date)
                return date;
            if (received is null && line.StartsWith("Received:", StringComparison.OrdinalIgnoreCase) && line.LastIndexOf(';') is > 0 and var at)
                received = Parse(line[(at + 1)..]);
        }

        return received;
    }

    /// <summary>RFC 5322 §3.3, a comment behind it left out.</summary>
    private static DateTimeOffset? Parse(ReadOnlySpan<char> text)
    {
        var comment = text.IndexOf('(');
        text = (comment < 0 ? text : text[..comment]).Trim();
        var comma = text.IndexOf(',');
        text = text[(comma + 1)..].Trim();
        string[] formats = ["d MMM yyyy HH:mm:ss zzz", "d MMM yyyy HH:mm zzz", "d MMM yyyy HH:mm:ss 'GMT'", "d MMM yyyy HH:mm:ss 'UT'"];
        // The framework wants a colon in the zone.
        var normal = text.Length > 5 && text[^5] is '+' or '-' ? string.Concat(text[..^2], ":", text[^2..]) : text.ToString();
        return DateTimeOffset.TryParseExact(
            normal, formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces, out var date) ? date : null;
    }
}
