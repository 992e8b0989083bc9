using System.Globalization;
using System.Text;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// Reads the date of receipt from postmarks of any variant: (1) asctime, also with a two-digit year, a zone's name or no seconds, (2) the
/// format of a Date field, (3) ISO 8601. Ambiguous orders of day and month, and months in other languages, are not read.
/// </summary>
internal static class PostmarkDate
{
    private static readonly string[] Months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    private static readonly string[] Weekdays = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

    /// <summary>The offsets of time zones from UTC, in hours. Only names with one usual meaning are listed.</summary>
    private static readonly Dictionary<string, double> Zones = new (string Names, double Hours)[]
    {
        ("UT UTC GMT Z WET", 0),
        ("WEST BST CET MET MEZ", 1),
        ("CEST MEST MESZ EET", 2),
        ("EEST MSK", 3),
        ("JST", 9),
        ("AEST", 10),
        ("AEDT", 11),
        ("NZST", 12),
        ("NZDT", 13),
        ("ADT", -3),
        ("AST EDT", -4),
        ("EST CDT", -5),
        ("CST MDT", -6),
        ("MST PDT", -7),
        ("PST AKDT", -8),
        ("AKST", -9),
        ("HST", -10),
    }.SelectMany(z => z.Names.Split(' '), (z, name) => (Name: name, z.Hours)).ToDictionary(z => z.Name, z => z.Hours, StringComparer.OrdinalIgnoreCase);

    /// <summary>Finds the date; null where there is none.</summary>
    /// <param name="line">The line, which begins with <c>From </c>.</param>
    /// <returns>IsSure is false where the time zone is unknown, so that the date may be wrong by half a day.</returns>
    public static (DateTimeOffset Date, bool IsSure)? Read(ReadOnlySpan<byte> line)
    {
        if (!line.StartsWith("From "u8) || line.Length > Postmark.MaxLength)
            return null;
        var words = Encoding.Latin1.GetString(line[5..]).Split([' ', '\t', '\r', '\n', ','], StringSplitOptions.RemoveEmptyEntries);
        // The first word is the sender and may look like a month (May), so it is skipped unless it is a weekday.
        var from = words.Length > 0 && IsNamed(words[0], Weekdays) ? 0 : 1;
        var found = new Parts();
        foreach (var word in words.Skip(from).TakeWhile(w => w != "remote"))
            found.Take(word);
        return found.ToDate();
    }

    private static bool IsNamed(string word, string[] names) => NumberOf(word, names) > 0;

    /// <summary>Returns the number of a weekday or month. Three letters suffice; further letters must match the English name.</summary>
    private static int NumberOf(string word, string[] names) =>
        word.Length is >= 3 and <= 9 && word.All(char.IsAsciiLetter)
            ? Array.FindIndex(names, n => word.StartsWith(n, StringComparison.OrdinalIgnoreCase) && (word.Length == 3 || IsWhole(word))) + 1
            : 0;

    private static bool IsWhole(string word) =>
        CultureInfo.InvariantCulture.DateTimeFormat.MonthNames.Concat(CultureInfo.InvariantCulture.DateTimeFormat.DayNames).Contains(word, StringComparer.OrdinalIgnoreCase);

    /// <summary>The parts of a date found so far; a second part of the same kind is a contradiction.</summary>
    private struct Parts
    {
        private int month;
        private int? day;
        private int? year;
        private TimeSpan? time;
        private TimeSpan? zone;
        private bool hasUnknownZone;
        private bool isContradictory;
        private DateTimeOffset? whole;

        public void Take(string word)
        {
            if (NumberOf(word, Months) is > 0 and var number)
                Set(ref month, number);
            else if (IsNamed(word, Weekdays))
                return;
            else if (TryTime(word, out var clock))
                Set(ref time, clock);
            else if (word.All(char.IsAsciiDigit))
                TakeNumber(word);
            else if (TryOffset(word, out var offset))
                zone ??= offset;
            else if (word.Split('-') is [var dayText, var monthText, var yearText] && NumberOf(monthText, Months) > 0)
                (month, day, year) = (NumberOf(monthText, Months), NumberIn(dayText), YearIn(yearText));
            else if (char.IsAsciiDigit(word[0]) && word.Contains('-', StringComparison.Ordinal) && DateTimeOffset.TryParseExact(
                word, ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var iso))
                whole = iso;
            else if (DateTime.TryParseExact(word, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
                (month, day, year) = (date.Month, date.Day, date.Year);
            else if (time is not null && word.All(char.IsAsciiLetter))
                TakeZone(word);
        }

        public readonly (DateTimeOffset Date, bool IsSure)? ToDate()
        {
            if (whole is { } all)
                return (all, true);
            if (isContradictory || month == 0 || day is not { } d || year is not { } y || time is not { } clock || y < 1 || d < 1 || d > DateTime.DaysInMonth(y, month))
                return null;
            try
            {
                return (new DateTimeOffset(new DateTime(y, month, d, 0, 0, 0, DateTimeKind.Unspecified) + clock, zone ?? TimeSpan.Zero), !hasUnknownZone);
            }
            catch (ArgumentOutOfRangeException)
            {
                return null;
            }
        }

        /// <summary>
        /// Interprets a number. Four digits are a year. Of the shorter numbers, the first is the day and the second a year of this century
        /// or the last (RFC 5322 §4.3).
        /// </summary>
        private void TakeNumber(string word)
        {
            if (word.Length == 4)
                Set(ref year, NumberIn(word));
            else if (word.Length <= 2 && day is null)
                day = NumberIn(word);
            else if (word.Length <= 3 && (time is not null || month > 0))
                Set(ref year, YearIn(word));
            else
                isContradictory = true;
        }

        private void TakeZone(string word)
        {
            if (Zones.TryGetValue(word, out var hours))
                zone ??= TimeSpan.FromHours(hours);
            else if (word.Equals("PM", StringComparison.OrdinalIgnoreCase) && time!.Value.Hours is > 0 and <= 12)
                time = TimeSpan.FromHours(time.Value.Hours == 12 ? 0 : 12) + time.Value;
            else if (word.Equals("AM", StringComparison.OrdinalIgnoreCase))
                time = time!.Value.Hours == 12 ? time.Value - TimeSpan.FromHours(12) : time;
            else
                hasUnknownZone |= zone is null && word.Length <= 5;
        }

        private static int? NumberIn(string word) => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

        private static int? YearIn(string word) => NumberIn(word) switch
        {
            { } year when word.Length == 2 => year + (year < 50 ? 2000 : 1900),
            { } year when word.Length == 3 => year + 1900,
            var year => year,
        };

        /// <summary>Parses a time; 24 hours and 60 seconds are allowed and mean the next day and the next minute.</summary>
        private static bool TryTime(string word, out TimeSpan time)
        {
            time = default;
            var parts = word.Split(':');
            if (parts.Length is < 2 or > 3 || parts.Any(p => p.Length is < 1 or > 2 || !p.All(char.IsAsciiDigit)) || parts.Skip(1).Any(p => p.Length != 2))
                return false;
            var numbers = parts.Select(p => NumberIn(p)!.Value).Append(0).ToList();
            time = new TimeSpan(numbers[0], numbers[1], numbers[2]);
            return numbers[0] <= 24 && numbers[1] < 60 && numbers[2] <= 60 && (numbers[0] < 24 || time == TimeSpan.FromDays(1));
        }

        private static bool TryOffset(string word, out TimeSpan offset)
        {
            offset = default;
            var digits = word.AsSpan(1).ToString().Replace(":", "", StringComparison.Ordinal);
            if (word[0] is not ('+' or '-') || digits.Length != 4 || !digits.All(char.IsAsciiDigit))
                return false;
            var minutes = (NumberIn(digits[..2])!.Value * 60) + NumberIn(digits[2..])!.Value;
            offset = TimeSpan.FromMinutes(word[0] == '-' ? -minutes : minutes);
            return minutes <= 14 * 60;
        }

        private void Set<T>(ref T part, T value)
        {
            isContradictory |= !EqualityComparer<T>.Default.Equals(part, default) && !EqualityComparer<T>.Default.Equals(part, value);
            part = value;
        }
    }
}
