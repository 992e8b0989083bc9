using System.Globalization;
using System.Text;

namespace Imapsync.Imap;

/// <summary>
/// A set of UIDs as ascending ranges: the sequence-set of RFC 9051 §9 without <c>*</c>.
/// Its memory depends on the number of ranges, not of UIDs. Mutable; not thread-safe.
/// </summary>
public sealed class UidSet
{
    private readonly List<(uint First, uint Last)> ranges = [];

    public UidSet()
    {
    }

    /// <param name="uids">UIDs in any order; duplicates are allowed.</param>
    public UidSet(IEnumerable<Uid> uids)
    {
        foreach (var uid in uids.Order())
            Add(uid);
    }

    public IReadOnlyList<(uint First, uint Last)> Ranges => ranges;

    public bool IsEmpty => ranges.Count == 0;

    /// <summary>How many UIDs the set contains.</summary>
    public long Count => ranges.Sum(r => (long)r.Last - r.First + 1);

    public static UidSet Range(Uid first, Uid last)
    {
        var set = new UidSet();
        if (!first.IsNone && first <= last)
            set.ranges.Add((first.Value, last.Value));
        return set;
    }

    /// <summary>Adds a UID. This is cheap in ascending order, which is the usual order of messages.</summary>
    public void Add(Uid uid)
    {
        ArgumentOutOfRangeException.ThrowIfZero(uid.Value, nameof(uid));
        var at = IndexOf(uid.Value);
        if (at >= 0)
            return;
        at = ~at;
        var joinsBefore = at > 0 && ranges[at - 1].Last + 1UL == uid.Value;
        var joinsAfter = at < ranges.Count && ranges[at].First == uid.Value + 1UL;
        if (joinsBefore && joinsAfter)
        {
            ranges[at - 1] = (ranges[at - 1].First, ranges[at].Last);
            ranges.RemoveAt(at);
        }
        else if (joinsBefore)
        {
            ranges[at - 1] = (ranges[at - 1].First, uid.Value);
        }
        else if (joinsAfter)
        {
            ranges[at] = (uid.Value, ranges[at].Last);
        }
        else
        {
            ranges.Insert(at, (uid.Value, uid.Value));
        }
    }

    public bool Contains(Uid uid) => IndexOf(uid.Value) >= 0;

    public IEnumerable<Uid> Enumerate()
    {
        foreach (var (first, last) in ranges)
        {
            for (ulong v = first; v <= last; v++)
                yield return new Uid((uint)v);
        }
    }

    /// <summary>
    /// Reads <c>1:3,7</c>. Ranges may be reversed (RFC 9051 §9) and out of order. Returns false for <c>*</c>, 0 and invalid text.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out UidSet set)
    {
        set = new UidSet();
        var parsed = new List<(uint First, uint Last)>();
        foreach (var part in text.Split(','))
        {
            var range = text[part];
            var colon = range.IndexOf(':');
            if (!TryNumber(colon < 0 ? range : range[..colon], out var a))
                return false;
            var b = a;
            if (colon >= 0 && !TryNumber(range[(colon + 1)..], out b))
                return false;
            parsed.Add((Math.Min(a, b), Math.Max(a, b)));
        }

        foreach (var (first, last) in parsed.Order())
        {
            if (set.ranges.Count > 0 && first <= set.ranges[^1].Last + 1UL)
                set.ranges[^1] = (set.ranges[^1].First, Math.Max(last, set.ranges[^1].Last));
            else
                set.ranges.Add((first, last));
        }

        return true;
    }

    /// <summary>Returns the wire form, ascending, split into pieces that are short enough for a server to read as one token.</summary>
    /// <param name="maxLength">The most octets in one piece; a single range is never split.</param>
    public IEnumerable<string> ToWire(int maxLength = int.MaxValue)
    {
        var text = new StringBuilder();
        foreach (var (first, last) in ranges)
        {
            var piece = first == last
                ? first.ToString(CultureInfo.InvariantCulture)
                : string.Create(CultureInfo.InvariantCulture, $"{first}:{last}");
            if (text.Length > 0 && text.Length + 1 + piece.Length > maxLength)
            {
                yield return text.ToString();
                text.Clear();
            }

            if (text.Length > 0)
                text.Append(',');
            text.Append(piece);
        }

        if (text.Length > 0)
            yield return text.ToString();
    }

    public override string ToString() => string.Join(',', ToWire());

    private static bool TryNumber(ReadOnlySpan<char> text, out uint value) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value != 0;

    /// <summary>The index of the range that contains the value, or the complement of the index at which to insert one.</summary>
    private int IndexOf(uint value)
    {
        // New UIDs nearly always belong at the end, so check there first.
        if (ranges.Count == 0 || ranges[^1].Last < value)
            return ~ranges.Count;
        int low = 0, high = ranges.Count - 1;
        while (low <= high)
        {
            var middle = low + ((high - low) / 2);
            if (ranges[middle].Last < value)
                low = middle + 1;
            else if (ranges[middle].First > value)
                high = middle - 1;
            else
                return middle;
        }

        return ~low;
    }
}
