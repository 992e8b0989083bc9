using Imapsync.Engine.Mail;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Folders;

/// <summary>
/// Assigns a target folder to each pair, by the target's listing and by earlier runs. Pure. Pairs that the rules map to the same folder
/// share that folder. Other pairs never share a folder, however the target changes their names.
/// </summary>
internal sealed class TargetPathMap
{
    private readonly Func<FolderPath, FolderPath> listedAs;
    private readonly Dictionary<FolderPath, FolderPath> places = [];
    private readonly HashSet<FolderPath> taken = [];
    private readonly HashSet<FolderPath> wished;
    private readonly HashSet<FolderPath> flat = [];

    /// <param name="pairs">The pairs as mapped by the rules.</param>
    /// <param name="listedAs">Returns the path under which the target lists a folder.</param>
    /// <param name="there">The target's folders that hold messages.</param>
    /// <param name="remembered">Pairs of earlier runs, with their target folders.</param>
    /// <param name="isFlat">Whether one of the two stores apparently joins levels by dots.</param>
    public TargetPathMap(
        IReadOnlyList<FolderPair> pairs, Func<FolderPath, FolderPath> listedAs, IReadOnlySet<FolderPath> there, IEnumerable<PairKey> remembered, bool isFlat = false)
    {
        this.listedAs = listedAs;
        var before = remembered.ToLookup(p => p.Source, p => p.Target);
        var groups = pairs.GroupBy(p => p.Target).OrderBy(g => g.Key).ToDictionary(g => g.Key, g => g.SelectMany(p => before[p.Source.Path]).Where(there.Contains).ToList());
        wished = [.. groups.Keys.Select(listedAs)];

        // Pairs that had a target folder in an earlier run come first, before pairs that only find a folder of their name.
        Assign(groups, (wish, had) => had.Find(wish.Equals));
        Assign(groups, (wish, had) => had.Find(t => TargetNames.Kin(t) == TargetNames.Kin(wish) && !taken.Contains(t)));
        Assign(groups, (wish, _) => there.Contains(wish) ? wish : null);
        Assign(groups, (wish, _) => !there.Contains(wish) && TargetNames.Strict(wish) is var strict && there.Contains(strict) && !wished.Contains(strict) ? strict : null);
        // A/B and A.B are taken as the same folder, because some programs store A/B under the name A.B. Otherwise the target would hold all
        // of its mail twice.
        var joined = there.ToLookup(TargetNames.Flat);
        Assign(groups, (wish, had) => there.Contains(wish) ? null
            : joined[TargetNames.Flat(wish)].FirstOrDefault(t => (isFlat || had.Contains(t)) && !wished.Contains(t) && !taken.Contains(t) && flat.Add(t)));
        foreach (var path in groups.Keys.Where(p => !places.ContainsKey(p)).Order())
            Settle(path, Free(PreferredPath(path)));
    }

    /// <summary>Returns the target folder of a mapped path.</summary>
    public FolderPath this[FolderPath mapped] => places[mapped];

    /// <summary>Returns whether no pair has this path as its target folder, and the rules map no source folder to it.</summary>
    public bool IsFree(FolderPath path) => !taken.Contains(path) && !wished.Contains(path);

    /// <summary>
    /// Assigns another target folder to a mapped path. Paths below it that have no target folder yet will be placed below the new one.
    /// </summary>
    public void Move(FolderPath mapped, FolderPath place)
    {
        taken.Remove(places[mapped]);
        Settle(mapped, Free(place));
    }

    /// <summary>
    /// Gives a mapped path a target folder of its own that no other pair has. The new name is similar to the present one.
    /// </summary>
    public void MakeUnique(FolderPath mapped)
    {
        var before = places[mapped];
        Settle(mapped, Free(before));
        taken.Remove(before);
    }

    /// <summary>
    /// Returns the path that a new folder for a mapped path should have. If a parent was assigned another target folder, the path is below
    /// the nearest such parent's folder; otherwise it is the mapped path itself.
    /// </summary>
    public FolderPath PreferredPath(FolderPath mapped)
    {
        // If all of the target's folders are on one level (A.B instead of A/B), new folders get such names too, so that the mail program
        // finds them.
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

    /// <summary>Returns the path itself if no other pair has it, otherwise the path with a number.</summary>
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
