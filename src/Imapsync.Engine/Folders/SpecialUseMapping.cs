using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Folders;

/// <summary>
/// Maps folders for sent mail, drafts, trash, junk and the archive to the target's folder of the same use, whatever its name. Two source
/// folders never get the same target folder. A folder copied by an earlier run keeps its target folder.
/// </summary>
internal static class SpecialUseMapping
{
    // All, Flagged and Important are left out: where a server has these folders, they show other folders' mail.
    private static readonly SpecialFolder[] Uses =
        [SpecialFolder.Sent, SpecialFolder.Drafts, SpecialFolder.Trash, SpecialFolder.Junk, SpecialFolder.Archive];

    /// <summary>
    /// Returns the rules with a map entry added for each source folder whose special use a folder of the target has as well.
    /// </summary>
    /// <param name="included">The source folders that the rules include.</param>
    public static FolderRules Extend(
        FolderRules rules,
        IReadOnlyList<FolderEntry> source,
        IReadOnlyList<FolderPath> included,
        IReadOnlyList<FolderEntry> target,
        IEnumerable<PairKey> remembered)
    {
        var before = remembered.ToLookup(p => p.Source, p => p.Target);
        var plain = included.ToDictionary(p => p, p => FolderMapper.MapPath(p, rules));
        var map = rules.Map;
        foreach (var use in Uses)
        {
            var candidates = FoldersFor(use, target);
            // Source folders that an earlier run copied to one of these target folders come first, so that they keep it.
            foreach (var folder in FoldersFor(use, source).Where(plain.ContainsKey).OrderByDescending(f => before[f].Any(candidates.Contains)).ThenBy(f => f))
            {
                if (rules.Map.Keys.Any(folder.IsAtOrBelow) || before[folder].Contains(plain[folder]))
                    continue;
                var settled = before[folder].Where(candidates.Contains).ToList();
                var there = settled.Count == 1 ? settled[0] : candidates.Count == 1 ? candidates[0] : null;
                if (there is null || there.Equals(folder) || IsInTheWay(there, folder, plain) || map.ContainsValue(there))
                    continue;
                map = map.Add(folder, there);
            }
        }

        return rules with { Map = map };
    }

    /// <summary>Returns the folders of a special use by attribute; where no folder has the attribute, by name.</summary>
    private static List<FolderPath> FoldersFor(SpecialFolder use, IReadOnlyList<FolderEntry> folders)
    {
        var own = folders.Where(f => f is { HoldsMessages: true, IsForeign: false }).ToList();
        var said = own.Where(f => f.Special == use).Select(f => f.Path).ToList();
        return said.Count > 0
            ? said
            : [.. own.Where(f => f.Special == SpecialFolder.None && SpecialFolderNames.UseOf(f.Path) == use).Select(f => f.Path)];
    }

    /// <summary>Returns whether another source folder is mapped by its name to this target folder or to a folder below it.</summary>
    private static bool IsInTheWay(FolderPath there, FolderPath folder, Dictionary<FolderPath, FolderPath> plain) =>
        plain.Any(p => !p.Key.IsAtOrBelow(folder) && p.Value.IsAtOrBelow(there));
}
