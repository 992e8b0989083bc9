using System.Globalization;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.History;

/// <summary>
/// Which entries of a history stay: all of the last 90 days, then one a week for two years, then one a month; of each such time the last
/// that was a success, or else the last. What is left out is added to the one that stays. Where all that is still too long (a job run each
/// minute), fewer.
/// </summary>
internal static class HistoryThinning
{
    /// <summary>What a history is thinned to at most.</summary>
    public const int MostBytes = 2 << 20;

    /// <summary>Days of which all stays, days of which one a day stays, days of which one a week stays. The first that is short enough counts.</summary>
    private static readonly (int All, int Daily, int Weekly)[] Levels = [(90, 90, 730), (14, 90, 730), (2, 60, 365), (0, 30, 180), (0, 0, 90)];

    /// <summary>The whole file.</summary>
    public static ReadOnlyMemory<byte> Write(List<HistoryEntry> entries, DateTimeOffset now)
    {
        foreach (var level in Levels)
        {
            if (TryWrite(Thin(entries, now, level), out var written))
                return written;
        }

        // Enormous folder lists: the newest that fit.
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
        // The last of each kind, and its last success, are what is asked for most.
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

    /// <summary>Entries of one bucket are thinned to one. An entry of the future, before the clock went back, counts as of now.</summary>
    private static string Bucket(HistoryEntry entry, DateTimeOffset now, (int All, int Daily, int Weekly) level)
    {
        var (age, day) = ((now - entry.Began).TotalDays, entry.Began.UtcDateTime);
        return age <= level.All ? entry.Id
            : age <= level.Daily ? day.ToString("yyyyMMdd", CultureInfo.InvariantCulture)
            : age <= level.Weekly ? $"{ISOWeek.GetYear(day)}W{ISOWeek.GetWeekOfYear(day)}"
            : day.ToString("yyyyMM", CultureInfo.InvariantCulture);
    }
}
