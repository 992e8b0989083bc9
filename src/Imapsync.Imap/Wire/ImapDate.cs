using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Imapsync.Imap.Wire;

/// <summary>INTERNALDATE: <c>17-Jul-2024 02:44:25 +0000</c> (RFC 9051 date-time).</summary>
internal static class ImapDate
{
    private static readonly byte[] Months = "JanFebMarAprMayJunJulAugSepOctNovDec"u8.ToArray();

    /// <summary>
    /// Reads a date leniently: one-digit days are accepted, and a missing zone means UTC. Returns false for a day that does not exist and for two-digit years.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out DateTimeOffset date)
    {
        date = default;
        text = text.Trim((byte)' ');
        if (!Utf8Parser.TryParse(text, out int day, out var n) || n > 2 || text.Length < n + 9 || text[n] != '-')
            return false;
        var month = Month(text.Slice(n + 1, 3));
        if (text[n + 4] != '-' || !Utf8Parser.TryParse(text[(n + 5)..], out int year, out var yearDigits) || yearDigits != 4)
            return false;
        var rest = text[(n + 9)..].TrimStart((byte)' ');
        if (!TryTime(rest, out var seconds))
            return false;
        rest = rest.Length > 8 ? rest[8..].TrimStart((byte)' ') : default;
        if (month == 0 || year is < 1 or > 9999 || day < 1 || day > DateTime.DaysInMonth(year, month))
            return false;
        var local = new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Unspecified).AddSeconds(seconds);
        var zone = Zone(rest);
        if (local.Ticks - zone.Ticks is < 0 || local.Ticks - zone.Ticks > DateTime.MaxValue.Ticks)
            zone = TimeSpan.Zero;
        date = new DateTimeOffset(local, zone);
        return true;
    }

    public static string Format(DateTimeOffset date)
    {
        var month = Encoding.ASCII.GetString(Months.AsSpan((date.Month - 1) * 3, 3));
        var minutes = (int)date.Offset.TotalMinutes;
        var sign = minutes < 0 ? '-' : '+';
        minutes = Math.Abs(minutes);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{date.Day,2}-{month}-{date.Year:0000} {date:HH\\:mm\\:ss} {sign}{minutes / 60:00}{minutes % 60:00}");
    }

    private static int Month(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < 12; i++)
        {
            if (Ascii.EqualsIgnoreCase(name, Months.AsSpan(i * 3, 3)))
                return i + 1;
        }

        return 0;
    }

    private static bool TryTime(ReadOnlySpan<byte> text, out int seconds)
    {
        seconds = 0;
        if (text.Length < 8 || text[2] != ':' || text[5] != ':'
            || !Utf8Parser.TryParse(text[..2], out int hour, out var n) || n != 2
            || !Utf8Parser.TryParse(text.Slice(3, 2), out int minute, out n) || n != 2
            || !Utf8Parser.TryParse(text.Slice(6, 2), out int second, out n) || n != 2
            || hour is < 0 or > 23 || minute is < 0 or > 59 || second is < 0 or > 60)
        {
            return false;
        }

        seconds = (hour * 3600) + (minute * 60) + Math.Min(second, 59);
        return true;
    }

    private static TimeSpan Zone(ReadOnlySpan<byte> text)
    {
        if (text.Length < 5 || text[0] is not ((byte)'+' or (byte)'-')
            || !Utf8Parser.TryParse(text.Slice(1, 4), out int digits, out var n) || n != 4)
        {
            return TimeSpan.Zero;
        }

        var minutes = (digits / 100 * 60) + (digits % 100);
        return minutes > 14 * 60 ? TimeSpan.Zero : TimeSpan.FromMinutes(text[0] == '-' ? -minutes : minutes);
    }
}
