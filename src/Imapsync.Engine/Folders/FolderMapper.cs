using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Folders;

/// <summary>A source folder and the target folder to which it is copied.</summary>
public sealed record FolderPair(FolderEntry Source, FolderPath Target)
{
    /// <summary>The messages of the source folder that are copied to this target folder; null for all.</summary>
    public UidSet? Only { get; init; }
}

/// <param name="Pairs">In order of target path; pairs with the same target are adjacent.</param>
/// <param name="Excluded">Folders with messages that the rules exclude.</param>
public sealed record FolderMapping(IReadOnlyList<FolderPair> Pairs, IReadOnlyList<FolderPath> Excluded)
{
    private const int MaxNamed = 5;

    /// <summary>
    /// A sentence for people if the rules choose none of the source's folders, which is probably a mistake in the rules. Null if they
    /// choose any, or if the source has no folders.
    /// </summary>
    public string? NoneChosen => Pairs.Count > 0 || Excluded.Count == 0
        ? null
        : $"'folders' chooses none of the source's folders ({Excluded.Count}): {NameSome(Excluded)}";

    /// <summary>
    /// The entries of <c>include</c> and <c>map</c> that match no source folder, as written, with the setting's name: <c>include
    /// 'Drafst'</c>. Entries of <c>exclude</c> are not listed, because one that matches nothing does no harm.
    /// </summary>
    public IReadOnlyList<string> Unmatched { get; init; } = [];

    /// <summary>
    /// A sentence for people about <see cref="Unmatched"/>; null if there are none, or if <see cref="NoneChosen"/> says more.
    /// </summary>
    public string? UnmatchedText => Unmatched.Count == 0 || NoneChosen is not null
        ? null
        : $"'folders' names what the source does not have: {NameSome(Unmatched)}";

    private static string NameSome<T>(IReadOnlyList<T> all) => string.Join(", ", all.Take(MaxNamed)) + (all.Count > MaxNamed ? " and others" : "");
}

/// <summary>Decides to which target folder each source folder is copied. Pure.</summary>
public static class FolderMapper
{
    /// <param name="target">The target's folders; needed only where special uses are matched.</param>
    /// <param name="remembered">Pairs of earlier runs, which <see cref="SpecialUseMapping"/> leaves unchanged.</param>
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
        var unmatched = FindUnmatched(source, rules);
        if (rules is { SpecialUse: SpecialUsePolicy.Match, Prefix: null } && target is not null)
            rules = SpecialUseMapping.Extend(rules, source, [.. withMessages[true].Select(f => f.Path)], target, remembered ?? []);
        return new FolderMapping(
            [.. withMessages[true].Select(f => new FolderPair(f, MapPath(f.Path, rules))).OrderBy(p => p.Target).ThenBy(p => p.Source.Path)],
            [.. withMessages[false].Select(f => f.Path).Order()])
        {
            Unmatched = unmatched,
        };
    }

    private static List<string> FindUnmatched(IReadOnlyList<FolderEntry> source, FolderRules rules)
    {
        List<FolderPath> paths = [.. source.Select(f => f.Path)];
        var include = rules.Include.Where(g => !paths.Exists(new FolderGlob(g).Matches)).Select(g => $"include '{g}'");
        var map = rules.Map.Keys.Where(k => !paths.Exists(p => p.IsAtOrBelow(k))).Order().Select(k => $"map '{k}'");
        return [.. include, .. map];
    }

    /// <summary>
    /// Returns the mapping with the real paths of the pairs' target folders. For a folder that does not exist yet, this is the path that it
    /// will have, as far as the target's listing shows.
    /// </summary>
    /// <param name="remembered">Pairs of earlier runs.</param>
    public static FolderMapping Locate(
        FolderMapping mapping, ITargetStore target, IReadOnlyList<FolderEntry> listed, IEnumerable<PairKey>? remembered = null, IMessageStore? source = null)
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

    /// <summary>
    /// Maps a source folder: the longest map entry that is this folder or one of its parents applies, then the prefix is prepended.
    /// </summary>
    public static FolderPath MapPath(FolderPath source, FolderRules rules)
    {
        var from = rules.Map.Keys.Where(source.IsAtOrBelow).MaxBy(k => k.Levels.Length);
        var path = from is null ? source : new FolderPath(rules.Map[from].Levels.Concat(source.Levels.Skip(from.Levels.Length)));
        return rules.Prefix is null ? path : new FolderPath(rules.Prefix.Levels.Concat(path.Levels));
    }
}
