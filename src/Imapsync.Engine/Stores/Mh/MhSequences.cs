using System.Globalization;
using System.Text;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mh;

/// <summary>
/// The file <c>.mh_sequences</c>: each line has a name, a colon, and message numbers and ranges. Messages outside the sequence
/// <c>unseen</c> have been read.
/// </summary>
internal static class MhSequences
{
    public const string FileName = ".mh_sequences";
    private const int MaxBytes = 16 << 20;

    /// <summary>Returns the flags by message number; null where the file is too long to be valid.</summary>
    public static Func<uint, FlagSet>? Read(Stream file)
    {
        if (file.Length > MaxBytes)
            return null;
        using var reader = new StreamReader(file, Encoding.UTF8);
        var sequences = new List<(string Name, List<(uint First, uint Last)> Ranges)>();
        while (reader.ReadLine() is { } line)
        {
            // A line that begins with a blank continues the line before.
            var goesOn = line is [' ' or '\t', ..];
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0 && !goesOn)
                sequences.Add((line[..colon].Trim(), []));
            if (sequences.Count > 0 && (goesOn || colon > 0))
                AddAll(sequences[^1].Ranges, line.AsSpan(goesOn ? 0 : colon + 1));
        }

        foreach (var (_, ranges) in sequences)
            Merge(ranges);
        return number => FlagsOf(sequences, number);
    }

    private static FlagSet FlagsOf(List<(string Name, List<(uint First, uint Last)> Ranges)> sequences, uint number)
    {
        var flags = MessageFlags.Seen;
        var keywords = new List<string>();
        foreach (var (name, ranges) in sequences)
        {
            if (!Contains(ranges, number))
                continue;
            switch (name.ToLowerInvariant())
            {
                case "unseen":
                    flags &= ~MessageFlags.Seen;
                    break;
                case "flagged":
                    flags |= MessageFlags.Flagged;
                    break;
                case "replied" or "answered":
                    flags |= MessageFlags.Answered;
                    break;
                case "forwarded":
                    keywords.Add("$Forwarded");
                    break;
                // These sequences hold the mail reader's position and its last search, not flags.
                case "cur" or "previous-sequence" or "pseq":
                    break;
                default:
                    if (name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
                        keywords.Add(name);
                    break;
            }
        }

        return FlagSet.Create(flags, keywords);
    }

    private static bool Contains(List<(uint First, uint Last)> ranges, uint number)
    {
        int low = 0, high = ranges.Count - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (number < ranges[middle].First)
                high = middle - 1;
            else if (number > ranges[middle].Last)
                low = middle + 1;
            else
                return true;
        }

        return false;
    }

    /// <summary>Sorts the ranges and merges those that overlap.</summary>
    private static void Merge(List<(uint First, uint Last)> ranges)
    {
        ranges.Sort();
        var kept = 0;
        foreach (var range in ranges.ToArray())
        {
            if (kept > 0 && range.First <= ranges[kept - 1].Last)
                ranges[kept - 1] = (ranges[kept - 1].First, Math.Max(ranges[kept - 1].Last, range.Last));
            else
                ranges[kept++] = range;
        }

        ranges.RemoveRange(kept, ranges.Count - kept);
    }

    private static void AddAll(List<(uint First, uint Last)> ranges, ReadOnlySpan<char> text)
    {
        foreach (var range in text.SplitAny(" \t"))
        {
            var word = text[range];
            var dash = word.IndexOf('-');
            if (TryNumber(dash < 0 ? word : word[..dash], out var first) && TryNumber(dash < 0 ? word : word[(dash + 1)..], out var last) && last >= first)
                ranges.Add((first, last));
        }
    }

    private static bool TryNumber(ReadOnlySpan<char> word, out uint number) => uint.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0;
}
