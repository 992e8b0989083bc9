using Imapsync.Engine.Folders;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Copying;

/// <summary>Distinguishes folders that are gone from the source from folders that still exist but are missing from a listing.</summary>
internal sealed class MissingFolders(JobContext context)
{
    /// <summary>
    /// Checks whether a folder listing is plausible: an empty listing, or one without INBOX, does not prove that the mailbox is empty.
    /// </summary>
    /// <returns>Why the listing is doubtful, in which case no missing folder may be taken as deleted; null if it is plausible.</returns>
    public string? FindDoubt(IEnumerable<PairSummary> remembered, IReadOnlyList<FolderEntry> listed, bool hasRenames)
    {
        var names = listed.Where(f => f.HoldsMessages).Select(f => f.Path).ToHashSet();
        var known = remembered.Where(s => s.Settled > 0 || s.Source.Messages > 0).Select(s => s.Pair.Source).Distinct().ToList();
        var missing = known.Where(p => !names.Contains(p)).ToList();
        // A single missing folder may have been deleted or renamed. But it is implausible that several known folders all vanish while
        // others appear.
        var isAll = missing.Count > 0 && missing.Count == known.Count && !hasRenames && (missing.Count > 1 || names.Count == 0);
        return isAll ? $"the source lists none of the folders that earlier runs knew: {missing.Count}"
            : missing.Any(p => p.IsInbox) ? "the source lists no INBOX, which earlier runs knew"
            : listed.Count == 0 && context.Job.Source.Place is null ? "the server lists no folder at all"
            : null;
    }

    /// <summary>
    /// Returns the pairs whose source folder is gone. Each folder is asked for by name; a folder that may still exist is reported.
    /// </summary>
    /// <param name="unlisted">See <see cref="RenameDetector.FindVanished"/>.</param>
    public async Task<IReadOnlyList<PairSummary>> FindGoneAsync(IEnumerable<PairSummary> unlisted, IReadOnlyList<FolderEntry> listed, CancellationToken abort)
    {
        var gone = new List<PairSummary>();
        foreach (var summary in unlisted)
        {
            var path = summary.Pair.Source;
            // A name that a server still lists here holds no messages itself (\Noselect), so the folder is gone whatever STATUS answers. A
            // store on disk is asked anyway, because there the name may belong to a directory that can't be read.
            var isListed = context.Job.Source.Place is null && listed.Any(f => f.Path.Equals(path));
            var doubt = isListed ? null : await AskForAsync(path, abort);
            if (doubt is null)
                gone.Add(summary);
            else
                context.Report.Problem(new Problem(FailureScope.Folder, path, null, Reasons.Listing, $"the source does not list it, and {doubt}: nothing of it is removed"));
        }

        return gone;
    }

    /// <summary>Returns why the folder may still exist; null if the source confirms that it is gone.</summary>
    private async Task<string?> AskForAsync(FolderPath path, CancellationToken abort)
    {
        try
        {
            return await context.RetryAsync(path.ToString(), c => context.Source.ExistsAsync(path, c), () => 0, abort) ? "knows it by its name" : null;
        }
        catch (MailException e) when (e.Scope != FailureScope.Store)
        {
            return $"does not say that it is gone ({e.Message})";
        }
    }
}
