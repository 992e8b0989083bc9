using Imapsync.Engine.Mail;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Folders;

/// <summary>Compares the folder pairs of this run with those recorded by earlier runs. Pure.</summary>
internal static class RenameDetector
{
    /// <summary>
    /// Finds source folders that were renamed: a recorded folder is gone, and a new folder has the same OBJECTID. If the server reports no
    /// OBJECTID, the same UIDVALIDITY suffices, provided that it is unique among the recorded folders and among the present ones.
    /// </summary>
    /// <param name="listed">Every folder of the source, including those that the job's rules exclude.</param>
    public static IReadOnlyList<FolderRename> FindRenames(
        IEnumerable<PairSummary> remembered, IReadOnlyList<FolderPair> pairs, IReadOnlyList<FolderEntry> listed)
    {
        var known = remembered.ToList();
        var names = listed.Select(f => f.Path).ToHashSet();
        var knownNames = known.Select(s => s.Pair.Source).ToHashSet();
        var gone = known.Where(s => !names.Contains(s.Pair.Source)).ToList();
        var renames = new List<FolderRename>();
        foreach (var pair in pairs.Where(p => !knownNames.Contains(p.Source.Path)).OrderBy(p => p.Source.Path.Levels.Length))
        {
            var sameId = gone.Where(g => g.MailboxId is not null && g.MailboxId == pair.Source.MailboxId).ToList();
            var validity = pair.Source.Status?.UidValidity ?? default;
            var sameValidity = validity.IsNone || known.Count(s => s.Source.UidValidity == validity) != 1
                || listed.Count(f => f.Status?.UidValidity == validity) != 1
                ? []
                : gone.Where(g => g.MailboxId is null && g.Source.UidValidity == validity).ToList();
            if (sameId.Concat(sameValidity).FirstOrDefault() is not { } old)
                continue;
            gone.Remove(old);
            renames.Add(new FolderRename(old.Pair, new PairKey(pair.Source.Path, pair.Target), IsProved: sameId.Count == 1));
        }

        return renames;
    }

    /// <summary>Returns the remembered pairs whose source folder no longer exists.</summary>
    public static IReadOnlyList<PairSummary> FindVanished(IEnumerable<PairSummary> remembered, IReadOnlyList<FolderEntry> listed)
    {
        var names = listed.Where(f => f.HoldsMessages).Select(f => f.Path).ToHashSet();
        return [.. remembered.Where(s => !names.Contains(s.Pair.Source))];
    }
}

/// <param name="IsProved">
/// True if the OBJECTID is the same, so that the checkpoint is valid for the new name. Otherwise the messages are compared anew by their
/// headers.
/// </param>
internal sealed record FolderRename(PairKey From, PairKey To, bool IsProved);
