using System.Globalization;
using System.Text;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// The line <c>From addr-spec asctime</c> before each message, with the time in UTC (RFC 4155). If a message is stored in an unusual form,
/// the line ends with the form, where UUCP puts <c>remote from host</c>. So the file can be read exactly even without its index.
/// </summary>
internal readonly record struct Postmark(DateTimeOffset? Date, MboxForm Form)
{
    /// <summary>A longer line is no postmark.</summary>
    public const int MaxLength = 1000;

    private const string FormPrefix = "imapsync-";

    private static readonly string[] Weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    private static readonly string[] Months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

    /// <summary>Formats a postmark with its LF.</summary>
    public static byte[] Format(string sender, DateTimeOffset date)
    {
        var utc = date.UtcDateTime;
        return Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $"From {sender} {utc:ddd MMM} {utc.Day,2} {utc:HH:mm:ss yyyy}\n"));
    }

    /// <summary>Returns the text that states the form, which is placed between the postmark's date and its LF.</summary>
    public static byte[] FormatForm(MboxForm form) => Encoding.ASCII.GetBytes(" remote from " + FormPrefix + Letters(form));

    /// <summary>Returns the postmark line with its LF and without the text that states the form.</summary>
    /// <param name="line">The line without its LF.</param>
    public static byte[] WithoutForm(ReadOnlySpan<byte> line)
    {
        line = line.TrimEnd((byte)'\r');
        var mark = line.LastIndexOf(" remote from imapsync-"u8);
        return [.. mark < 0 ? line : line[..mark], (byte)'\n'];
    }

    public static string Letters(MboxForm form) =>
        (form.HasFlag(MboxForm.Exchanged) ? "x" : "") + (form.HasFlag(MboxForm.NoFinalLineEnd) ? "n" : "")
        + (form.HasFlag(MboxForm.QuotedOnce) ? "o" : "") + (form.HasFlag(MboxForm.Unquoted) ? "u" : "");

    public static MboxForm FormOf(string letters)
    {
        var form = MboxForm.None;
        foreach (var letter in letters)
        {
            form |= letter switch
            {
                'x' => MboxForm.Exchanged,
                'n' => MboxForm.NoFinalLineEnd,
                'o' => MboxForm.QuotedOnce,
                'u' => MboxForm.Unquoted,
                _ => MboxForm.None,
            };
        }

        return form;
    }

    /// <summary>Parses a line that begins with <c>From </c>. False if the line has no date, because then it may be ordinary text.</summary>
    public static bool TryParse(ReadOnlySpan<byte> line, out Postmark postmark)
    {
        postmark = default;
        if (!line.StartsWith("From "u8) || line.Length > MaxLength)
            return false;
        var words = Encoding.Latin1.GetString(line[5..]).Split([' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i + 4 < words.Length; i++)
        {
            if (Weekdays.Contains(words[i], StringComparer.OrdinalIgnoreCase) && TryDate(words.AsSpan(i + 1), out postmark))
                return true;
        }

        return false;
    }

    private static bool TryDate(ReadOnlySpan<string> words, out Postmark postmark)
    {
        postmark = default;
        var month = MonthNumber(words[0]);
        if (month < 1 || !int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var day)
            || !TimeSpan.TryParseExact(words[2], [@"hh\:mm\:ss", @"h\:mm\:ss", @"hh\:mm"], CultureInfo.InvariantCulture, out var time))
            return false;
        int? year = null;
        var zone = TimeSpan.Zero;
        var form = MboxForm.None;
        for (var i = 3; i < words.Length && i < 8; i++)
        {
            if (words[i].Length == 4 && int.TryParse(words[i], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                year ??= number;
            else if (words[i].Length == 5 && words[i][0] is '+' or '-' && int.TryParse(words[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number))
                zone = TimeSpan.FromMinutes((number / 100 * 60) + (number % 100));
            else if (words[i].StartsWith(FormPrefix, StringComparison.Ordinal) && words[i - 1] == "from")
                form = FormOf(words[i][FormPrefix.Length..]);
        }

        if (year is not >= 1 || day < 1 || day > DateTime.DaysInMonth(Math.Max(1, year.Value), month) || Math.Abs(zone.TotalHours) > 14)
            return false;
        try
        {
            postmark = new Postmark(new DateTimeOffset(new DateTime(year.Value, month, day, 0, 0, 0, DateTimeKind.Unspecified) + time, zone), form);
        }
        catch (ArgumentOutOfRangeException)
        {
            return false;
        }

        return true;
    }

    private static int MonthNumber(string word) =>
        Array.FindIndex(Months, m => m.Equals(word, StringComparison.OrdinalIgnoreCase)) + 1;
}
