using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Matching;

/// <summary>
/// The sizes that copies of some messages may have: the same, or nearly the same in a store whose mail programs add header fields
/// (<see cref="StoreTraits.NotedFields"/>).
/// </summary>
internal sealed class LikelySizes
{
    /// <summary>By how many octets the sizes may differ: far more than all header fields have that mail programs add.</summary>
    private const int MaxAdded = 1024;

    private readonly long[] sizes;
    private readonly int tolerance;

    public LikelySizes(IEnumerable<long> sizes, params ReadOnlySpan<StoreTraits> stores)
    {
        this.sizes = [.. sizes.Distinct().Order()];
        foreach (var store in stores)
            tolerance = store.NotedFields.Count > 0 ? MaxAdded : tolerance;
    }

    /// <summary>Returns false for an unknown size.</summary>
    public bool Contains(long? size)
    {
        if (size is not >= 0)
            return false;
        var at = Array.BinarySearch(sizes, size.Value - tolerance);
        at = at < 0 ? ~at : at;
        return at < sizes.Length && sizes[at] <= size + tolerance;
    }
}
