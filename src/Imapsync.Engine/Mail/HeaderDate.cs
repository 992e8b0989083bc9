using System.Globalization;
using System.Text;

namespace Imapsync.Engine.Mail;

/// <summary>Finds a message's date in its header, for stores that don't record one.</summary>
internal static class HeaderDate
{
    /// <summary>
    /// Returns the Date field, otherwise the newest Received field. This order is for servers whose INTERNALDATE is wrong.
    /// </summary>
    public static DateTimeOffset? Find(ReadOnlySpan<byte> header)
    {
        var (date, received) = Read(header);
        return date ?? received;
    }

    /// <summary>
    /// Returns the newest Received field, which the server that received the message wrote, otherwise the Date field. This order is for
    /// stores without dates of their own.
    /// </summary>
    public static DateTimeOffset? FindArrival(ReadOnlySpan<byte> header)
    {
        var (date, received) = Read(header);
        return received ?? date;
    }

    private static (DateTimeOffset? Date, DateTimeOffset? Received) Read(ReadOnlySpan<byte> header)
    {
        var text = Encoding.Latin1.GetString(header).Replace("\r\n ", " ", StringComparison.Ordinal).Replace("\r\n\t", " ", StringComparison.Ordinal);
        DateTimeOffset? date = null, received = null;
        foreach (var range in text.AsSpan().Split('\n'))
        {
            var line = text.AsSpan(range).TrimEnd('\r');
            if (date is null && line.StartsWith("Date:", StringComparison.OrdinalIgnoreCase))
                date = Parse(line[5..]);
            else if (received is null && line.StartsWith("Received:", StringComparison.OrdinalIgnoreCase) && line.LastIndexOf(';') is > 0 and var at)
                received = Parse(line[(at + 1)..]);
        }

        return (date, received);
    }

    /// <summary>Parses a date by RFC 5322 §3.3; a comment after it is ignored.</summary>
    private static DateTimeOffset? Parse(ReadOnlySpan<char> text)
    {
        var comment = text.IndexOf('(');
        text = (comment < 0 ? text : text[..comment]).Trim();
        var comma = text.IndexOf(',');
        text = text[(comma + 1)..].Trim();
        string[] formats = ["d MMM yyyy HH:mm:ss zzz", "d MMM yyyy HH:mm zzz", "d MMM yyyy HH:mm:ss 'GMT'", "d MMM yyyy HH:mm:ss 'UT'"];
        // .NET expects a colon in the zone.
        var normal = text.Length > 5 && text[^5] is '+' or '-' ? string.Concat(text[..^2], ":", text[^2..]) : text.ToString();
        return DateTimeOffset.TryParseExact(
            normal, formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces, out var date) ? date : null;
    }
}
