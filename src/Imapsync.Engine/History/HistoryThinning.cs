using System.Globalization;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.History;

/// <summary>
/// Decides which entries remain in a history: all of the last 90 days, then one per week for two years, then one per month. The last
/// successful entry of a period remains, or the last one if none succeeded. The sums of removed entries are added to it. If the result is
/// too long, fewer entries remain.
/// </summary>
internal static class HistoryThinning
{
    /// <summary>The maximum size of a thinned history in octets.</summary>
    public const int MostBytes = 2 << 20;

    /// <summary>
    /// The levels of thinning. Each has three ages in days: up to the first, all entries remain; up to the second, one per day; up to the
    /// third, one per week. The first level whose result is short enough is used.
    /// </summary>
    private static readonly (int All, int Daily, int Weekly)[] Levels = [(90, 90, 730), (14, 90, 730), (2, 60, 365), (0, 30, 180), (0, 0, 90)];

    /// <summary>Returns the content of the thinned history file.</summary>
    public static ReadOnlyMemory<byte> Write(List<HistoryEntry> entries, DateTimeOffset now)
    {
        foreach (var level in Levels)
        {
            if (TryWrite(Thin(entries, now, level), out var written))
                return written;
        }

        // When even the last level is too long, because of very long folder lists, the oldest entries are removed until the rest fits.
        var rest = Thin(entries, now, Levels[^1]);
        while (true)
        {
            rest = [.. rest.Skip(Math.Max(1, rest.Count / 4))];
            if (TryWrite(rest, out var written) || rest.Count == 0)
                return written;
        }
    }

    private static bool TryWrite(List<HistoryEntry> entries, out ReadOnlyMemory<byte> file)
    {
        var body = new RecordWriter(isChained: false);
        foreach (var entry in entries)
            HistoryLines.Write(body, entry);
        var header = new RecordWriter(isChained: false);
        HistoryLines.WriteHeader(header, body.Written.Length);
        file = (byte[])[.. header.Written.Span, .. body.Written.Span];
        return file.Length <= MostBytes;
    }

    private static List<HistoryEntry> Thin(List<HistoryEntry> entries, DateTimeOffset now, (int All, int Daily, int Weekly) level)
    {
        // The last entry and the last success of each kind always remain, since they are requested most often.
        var kept = new HashSet<string>(StringComparer.Ordinal);
        foreach (var kind in entries.GroupBy(e => e.Kind))
        {
            kept.Add(kind.Last().Id);
            if (kind.LastOrDefault(e => e.IsSuccess) is { } success)
                kept.Add(success.Id);
        }

        var chosen = new Dictionary<string, HistoryEntry>(StringComparer.Ordinal);
        foreach (var group in entries.GroupBy(e => (e.Kind, kept.Contains(e.Id) ? e.Id : Bucket(e, now, level))))
        {
            var stays = group.LastOrDefault(e => e.IsSuccess) ?? group.Last();
            chosen[stays.Id] = stays with
            {
                LeftOut = group.Where(e => e.Id != stays.Id).Aggregate(stays.LeftOut, (sum, e) => sum + e.LeftOut + new LeftOutRuns(1, e.Totals.Copied, e.Totals.Bytes)),
            };
        }

        return [.. entries.Select(e => chosen.GetValueOrDefault(e.Id)).OfType<HistoryEntry>()];
    }

    /// <summary>
    /// Returns a key. Of the entries with the same key only one remains. A new entry has a key of its own; older entries share that of
    /// their day, week or month. An entry dated in the future counts as new, because the clock was set back.
    /// </summary>
    private static string Bucket(HistoryEntry entry, DateTimeOffset now, (int All, int Daily, int Weekly) level)
    {
        var (age, day) = ((now - entry.Began).TotalDays, entry.Began.UtcDateTime);
        return age <= level.All ? entry.Id
            : age <= level.Daily ? day.ToString("yyyyMMdd", CultureInfo.InvariantCulture)
            : age <= level.Weekly ? $"{ISOWeek.GetYear(day)}W{ISOWeek.GetWeekOfYear(day)}"
            : day.ToString("yyyyMM", CultureInfo.InvariantCulture);
    }
}
