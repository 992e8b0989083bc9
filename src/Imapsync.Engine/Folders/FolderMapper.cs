using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Folders;

/// <summary>A source folder and the target folder it is to be copied to.</summary>
public sealed record FolderPair(FolderEntry Source, FolderPath Target)
{
    /// <summary>The messages of the source folder that go there; null for all.</summary>
    public UidSet? Only { get; init; }
}

/// <param name="Pairs">In order of target path; pairs with the same target stand together.</param>
/// <param name="Excluded">Folders of messages that the rules leave out.</param>
public sealed record FolderMapping(IReadOnlyList<FolderPair> Pairs, IReadOnlyList<FolderPath> Excluded);

/// <summary>Decides which source folder goes where. Pure.</summary>
public static class FolderMapper
{
    /// <param name="target">What the target holds; needed only where special uses are matched.</param>
    /// <param name="remembered">Pairs of earlier runs, which <see cref="SpecialUseMapping"/> leaves as they are.</param>
    public static FolderMapping Map(
        IReadOnlyList<FolderEntry> source,
        FolderRules rules,
        IReadOnlyList<FolderEntry>? target = null,
        IEnumerable<PairKey>? remembered = null)
    {
        if (!rules.Routes.IsEmpty)
            return MapByRoutes(source, rules);
        FolderGlob[] include = [.. rules.Include.Select(g => new FolderGlob(g))];
        FolderGlob[] exclude = [.. rules.Exclude.Select(g => new FolderGlob(g))];
        var withMessages = source.Where(f => f.HoldsMessages).DistinctBy(f => f.Path).ToLookup(f =>
            f.Use != FolderUse.LeftOut && !IsCopy(f.Path, rules) && Array.Exists(include, g => g.Matches(f.Path) && (!f.IsForeign || g.NamesItsTop)) && !Array.Exists(exclude, g => g.Matches(f.Path)));
        if (rules is { SpecialUse: SpecialUsePolicy.Match, Prefix: null } && target is not null)
            rules = SpecialUseMapping.Extend(rules, source, [.. withMessages[true].Select(f => f.Path)], target, remembered ?? []);
        return new FolderMapping(
            [.. withMessages[true].Select(f => new FolderPair(f, MapPath(f.Path, rules))).OrderBy(p => p.Target).ThenBy(p => p.Source.Path)],
            [.. withMessages[false].Select(f => f.Path).Order()]);
    }

    /// <summary>The same mapping with the folders that the target has for the pairs, or will have as far as its listing tells.</summary>
    /// <param name="remembered">Pairs of earlier runs.</param>
    public static FolderMapping Locate(
        FolderMapping mapping, IMessageStore target, IReadOnlyList<FolderEntry> listed, IEnumerable<PairKey>? remembered = null, IMessageStore? source = null)
    {
        var places = new TargetPathMap(
            mapping.Pairs, target.ListedAs, listed.Where(f => f.HoldsMessages).Select(f => f.Path).ToHashSet(), remembered ?? [],
            target.Traits.IsFlat || source?.Traits.IsFlat == true);
        return mapping with { Pairs = [.. mapping.Pairs.Select(p => p with { Target = places[p.Target] }).OrderBy(p => p.Target).ThenBy(p => p.Source.Path)] };
    }

    private static bool IsCopy(FolderPath path, FolderRules rules)
    {
        if (!rules.IsOneAccount)
            return false;
        if (rules.Prefix is { } prefix)
            return path.IsAtOrBelow(prefix);
        var places = rules.Map.Where(m => !m.Value.Equals(m.Key) && path.IsAtOrBelow(m.Value)).Select(m => m.Value).ToList();
        return places.Count > 0 && !rules.Map.Keys.Any(k => path.IsAtOrBelow(k) && places.TrueForAll(p => k.Levels.Length > p.Levels.Length));
    }

    private static FolderMapping MapByRoutes(IReadOnlyList<FolderEntry> source, FolderRules rules)
    {
        var folders = source.Where(f => f.HoldsMessages).DistinctBy(f => f.Path).ToDictionary(f => f.Path);
        var routed = rules.Routes.Where(r => folders.ContainsKey(r.Source)).ToList();
        return new FolderMapping(
            [.. routed.Select(r => new FolderPair(folders[r.Source], r.Target) { Only = r.Only }).OrderBy(p => p.Target).ThenBy(p => p.Source.Path)],
            [.. folders.Keys.Except(routed.Select(r => r.Source)).Order()]);
    }

    /// <summary>Where a source folder goes: the longest entry of the map that it is at or below decides; the prefix comes in front.</summary>
    public static FolderPath MapPath(FolderPath source, FolderRules rules)
    {
        var from = rules.Map.Keys.Where(source.IsAtOrBelow).MaxBy(k => k.Levels.Length);
        var path = from is null ? source : new FolderPath(rules.Map[from].Levels.Concat(source.Levels.Skip(from.Levels.Length)));
        return rules.Prefix is null ? path : new FolderPath(rules.Prefix.Levels.Concat(path.Levels));
    }
}
