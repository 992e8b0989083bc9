using System.Globalization;
using System.Collections.Immutable;
using Imapsync.Engine.Jobs;
using Imapsync.Imap;

namespace Imapsync.Engine.Configuration;

/// <summary>Parses the notations of job files for dates, sizes, limits, flags and other values.</summary>
internal static class SettingText
{
    private static readonly (string Unit, long Bytes)[] Units =
    [
        ("KIB", 1L << 10), ("MIB", 1L << 20), ("GIB", 1L << 30), ("TIB", 1L << 40),
        ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("B", 1),
    ];

    private static readonly string[] DateForms =
        ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd HH:mmK", "yyyy-MM-dd HH:mm:ssK", "yyyy-MM-dd HH:mm:ss K"];

    public static ImmutableArray<string> SystemFlags { get; } = ["seen", "answered", "flagged", "deleted", "draft"];

    /// <summary>Parses an ISO 8601 date or instant; without a time zone it is in UTC.</summary>
    public static bool TryDate(string text, out DateTimeOffset date) =>
        DateTimeOffset.TryParseExact(text, DateForms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out date);

    /// <summary>Parses a size in octets, optionally with a decimal (KB, MB, GB) or binary (KiB, MiB, GiB) unit.</summary>
    public static bool TrySize(string text, out long bytes)
    {
        var number = text.Trim().ToUpperInvariant();
        var (unit, factor) = Array.Find(Units, u => number.EndsWith(u.Unit, StringComparison.Ordinal));
        if (unit is not null)
            number = number[..^unit.Length].TrimEnd();
        var good = decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count) && count < 1_000_000_000_000;
        count *= unit is null ? 1 : factor;
        bytes = good && count <= long.MaxValue ? (long)count : 0;
        return good && count <= long.MaxValue;
    }

    /// <summary>Parses a duration above zero and of at most a year: <c>30s</c>, <c>5m</c>, <c>4h</c>, <c>2d</c>.</summary>
    public static bool TryDuration(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text.Length < 2 || !decimal.TryParse(text[..^1].TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count) || count > 366 * 86_400)
            return false;
        var seconds = count * text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3_600, 'd' => 86_400, _ => 0 };
        duration = seconds <= 366 * 86_400 ? TimeSpan.FromSeconds((double)seconds) : TimeSpan.Zero;
        return duration > TimeSpan.Zero;
    }

    /// <summary>Parses a number of messages, or a percentage of them.</summary>
    public static bool TryLimit(string text, out DeletionLimit limit)
    {
        var isPercent = text.EndsWith('%');
        var number = isPercent ? text[..^1].TrimEnd() : text;
        var good = double.TryParse(number, isPercent ? NumberStyles.AllowDecimalPoint : NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            && value <= (isPercent ? 100 : int.MaxValue);
        limit = new DeletionLimit(good ? value : 0, isPercent);
        return good;
    }

    /// <summary>
    /// Parses a flag as IMAP writes it (<c>\Seen</c>, <c>$Forwarded</c>). System flags may also be written without backslash and in any
    /// case.
    /// </summary>
    public static bool TryFlag(string text, out string flag)
    {
        var name = text.StartsWith('\\') ? text[1..] : text;
        if (SystemFlags.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            flag = FlagSet.Parse([@"\" + name]).ToString();
            return true;
        }

        flag = text;
        return text.Length is > 0 and <= 255 && !text.Any(IsNoAtomCharacter);
    }

    /// <summary>
    /// Parses a SHA-256 fingerprint of 64 hexadecimal digits, with or without colons. The result is in upper case, without colons.
    /// </summary>
    public static bool TryFingerprint(string text, out string fingerprint)
    {
        fingerprint = text.Replace(":", "", StringComparison.Ordinal).ToUpperInvariant();
        return fingerprint.Length == 64 && fingerprint.All(char.IsAsciiHexDigit);
    }

    /// <summary>Returns whether the character is not allowed in a flag keyword, which is an atom (RFC 9051 §9).</summary>
    private static bool IsNoAtomCharacter(char c) => c is <= ' ' or > '~' or '(' or ')' or '{' or '%' or '*' or '"' or '\\' or ']';
}
