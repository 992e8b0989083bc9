using System.Globalization;

namespace Imapsync.Serving.Wire;

/// <summary>A client's set of message numbers or UIDs (RFC 9051 §9, sequence-set): ranges in ascending order, merged where they touch.</summary>
internal sealed class SequenceSet
{
    private const uint Last = uint.MaxValue;
    private List<(uint First, uint Last)> ranges = [];
    private bool hasStar;

    /// <summary>Returns the ranges with <c>*</c> replaced by the last number.</summary>
    /// <param name="last">The highest existing number or UID; 0 if there is none.</param>
    public IReadOnlyList<(uint First, uint Last)> Resolve(uint last)
    {
        if (!hasStar)
            return ranges;
        return Join(ranges.Select(r =>
        {
            var (a, b) = (r.First == Last ? last : r.First, r.Last == Last ? last : r.Last);
            return (Math.Min(a, b), Math.Max(a, b));
        }).Where(r => r.Item2 > 0), isResolved: true);
    }

    /// <summary>Whether a number is in one of the ranges returned by <see cref="Resolve"/>.</summary>
    public static bool Contains(IReadOnlyList<(uint First, uint Last)> ranges, uint number)
    {
        var (from, to) = (0, ranges.Count);
        while (from < to)
        {
            var middle = (from + to) / 2;
            if (number > ranges[middle].Last)
                from = middle + 1;
            else
                to = middle;
        }

        return from < ranges.Count && number >= ranges[from].First;
    }

    public static bool TryParse(string text, out SequenceSet set)
    {
        set = new SequenceSet();
        var read = new List<(uint, uint)>();
        foreach (var part in text.AsSpan().Split(','))
        {
            var range = text.AsSpan()[part];
            var colon = range.IndexOf(':');
            if (!TryNumber(colon < 0 ? range : range[..colon], out var a))
                return false;
            var b = a;
            if (colon >= 0 && !TryNumber(range[(colon + 1)..], out b))
                return false;
            set.hasStar |= a == Last || b == Last;
            read.Add((Math.Min(a, b), Math.Max(a, b)));
        }

        set.ranges = Join(read, isResolved: false);
        return true;
    }

    private static List<(uint First, uint Last)> Join(IEnumerable<(uint First, uint Last)> ranges, bool isResolved)
    {
        var joined = new List<(uint First, uint Last)>();
        foreach (var (first, last) in ranges.Order())
        {
            // The value of * is not known before Resolve, so until then no range is merged with a range that ends in it.
            if (joined.Count > 0 && first <= joined[^1].Last + 1UL && (isResolved || (joined[^1].Last != Last && last != Last)))
                joined[^1] = (joined[^1].First, Math.Max(last, joined[^1].Last));
            else
                joined.Add((first, last));
        }

        return joined;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out uint number)
    {
        number = Last;
        return text is "*" || (uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number != 0);
    }
}
