using Imapsync.Engine.Mail;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Folders;

/// <summary>
/// Which folder of the target each pair has, as far as a listing and earlier runs tell. Pure. Pairs that the rules bring
/// together share one; any others never do, whatever the target makes of their names.
/// </summary>
internal sealed class TargetPathMap
{
    private readonly Func<FolderPath, FolderPath> listedAs;
    private readonly Dictionary<FolderPath, FolderPath> places = [];
    private readonly HashSet<FolderPath> taken = [];
    private readonly HashSet<FolderPath> wished;
    private readonly HashSet<FolderPath> flat = [];

    /// <param name="pairs">As mapped.</param>
    /// <param name="listedAs">How the target writes a name.</param>
    /// <param name="there">The target's folders that hold messages.</param>
    /// <param name="remembered">Pairs of earlier runs, with the places they had.</param>
    /// <param name="isFlat">One of the two stores joins levels by dots, it seems.</param>
    public TargetPathMap(
        IReadOnlyList<FolderPair> pairs, Func<FolderPath, FolderPath> listedAs, IReadOnlySet<FolderPath> there, IEnumerable<PairKey> remembered, bool isFlat = false)
    {
        this.listedAs = listedAs;
        var before = remembered.ToLookup(p => p.Source, p => p.Target);
        var groups = pairs.GroupBy(p => p.Target).OrderBy(g => g.Key).ToDictionary(g => g.Key, g => g.SelectMany(p => before[p.Source.Path]).Where(there.Contains).ToList());
        wished = [.. groups.Keys.Select(listedAs)];

        // Who had a place before comes before those who only have its name.
        Assign(groups, (wish, had) => had.Find(wish.Equals));
        Assign(groups, (wish, had) => had.Find(t => TargetNames.Kin(t) == TargetNames.Kin(wish) && !taken.Contains(t)));
        Assign(groups, (wish, _) => there.Contains(wish) ? wish : null);
        Assign(groups, (wish, _) => !there.Contains(wish) && TargetNames.Strict(wish) is var strict && there.Contains(strict) && !wished.Contains(strict) ? strict : null);
        // The same folder with its levels joined by dots, or apart: a second one beside it would hold all its mail once more.
        var joined = there.ToLookup(TargetNames.Flat);
        Assign(groups, (wish, had) => there.Contains(wish) ? null
            : joined[TargetNames.Flat(wish)].FirstOrDefault(t => (isFlat || had.Contains(t)) && !wished.Contains(t) && !taken.Contains(t) && flat.Add(t)));
        foreach (var path in groups.Keys.Where(p => !places.ContainsKey(p)).Order())
            Settle(path, Free(PreferredPath(path)));
    }

    /// <summary>The place of a mapped path.</summary>
    public FolderPath this[FolderPath mapped] => places[mapped];

    /// <summary>No pair has this path, nor is it the name of any.</summary>
    public bool IsFree(FolderPath path) => !taken.Contains(path) && !wished.Contains(path);

    /// <summary>Gives a mapped path another place; what lies below it and has no place at the target yet goes along.</summary>
    public void Move(FolderPath mapped, FolderPath place)
    {
        taken.Remove(places[mapped]);
        Settle(mapped, Free(place));
    }

    /// <summary>Gives a mapped path a place that is nobody else's, next to the one it has.</summary>
    public void MakeUnique(FolderPath mapped)
    {
        var before = places[mapped];
        Settle(mapped, Free(before));
        taken.Remove(before);
    }

    /// <summary>The path with the place of the nearest folder above that has one of its own.</summary>
    public FolderPath PreferredPath(FolderPath mapped)
    {
        // Where folders are found as one flat tree, what is new goes there too, for the sake of the program whose tree it is.
        if (flat.Count > 0 && flat.All(f => f.Levels.Length == 1))
            return listedAs(new FolderPath([TargetNames.Flat(mapped)]));
        for (var above = mapped.Parent; above is not null; above = above.Parent)
        {
            if (places.TryGetValue(above, out var place) && !place.Equals(listedAs(above)))
                return listedAs(new FolderPath(place.Levels.Concat(mapped.Levels.Skip(above.Levels.Length))));
        }

        return listedAs(mapped);
    }

    private void Assign(Dictionary<FolderPath, List<FolderPath>> groups, Func<FolderPath, List<FolderPath>, FolderPath?> choose)
    {
        foreach (var mapped in groups.Keys.Where(p => !places.ContainsKey(p)).Order().ToList())
        {
            if (choose(listedAs(mapped), groups[mapped]) is { } place && !taken.Contains(place))
                Settle(mapped, place);
        }
    }

    /// <summary>A path that is nobody else's: this one, or with a number.</summary>
    private FolderPath Free(FolderPath path)
    {
        var free = path;
        for (var n = 2; taken.Contains(free) || (n > 2 && wished.Contains(free)); n++)
            free = TargetNames.Numbered(path, n);
        return free;
    }

    private void Settle(FolderPath mapped, FolderPath place)
    {
        places[mapped] = place;
        taken.Add(place);
    }
}
