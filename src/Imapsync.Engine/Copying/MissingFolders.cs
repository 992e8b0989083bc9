using Imapsync.Engine.Folders;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Copying;

/// <summary>Tells folders that are gone from the source from those that a listing leaves out although they are there.</summary>
internal sealed class MissingFolders(JobContext context)
{
    /// <summary>A listing that says nothing, or lacks INBOX, is not a mailbox without mail, whatever it would be taken for.</summary>
    /// <returns>What speaks against the listing: nothing of what is missing may be removed then. Null where nothing does.</returns>
    public string? FindDoubt(IEnumerable<PairSummary> remembered, IReadOnlyList<FolderEntry> listed, bool hasRenames)
    {
        var names = listed.Where(f => f.HoldsMessages).Select(f => f.Path).ToHashSet();
        var known = remembered.Where(s => s.Settled > 0 || s.Source.Messages > 0).Select(s => s.Pair.Source).Distinct().ToList();
        var missing = known.Where(p => !names.Contains(p)).ToList();
        // One folder may have been deleted or renamed; several do not go at once while others come.
        var isAll = missing.Count > 0 && missing.Count == known.Count && !hasRenames && (missing.Count > 1 || names.Count == 0);
        return isAll ? $"the source lists none of the folders that earlier runs knew: {missing.Count}"
            : missing.Any(p => p.IsInbox) ? "the source lists no INBOX, which earlier runs knew"
            : listed.Count == 0 && context.Job.Source.Place is null ? "the server lists no folder at all"
            : null;
    }

    /// <summary>Those whose folder is gone: each is asked for by name, and told where it is not sure.</summary>
    /// <param name="unlisted">See <see cref="RenameDetector.FindVanished"/>.</param>
    public async Task<IReadOnlyList<PairSummary>> FindGoneAsync(IEnumerable<PairSummary> unlisted, IReadOnlyList<FolderEntry> listed, CancellationToken abort)
    {
        var gone = new List<PairSummary>();
        foreach (var summary in unlisted)
        {
            var path = summary.Pair.Source;
            // A name that only has children holds no mail, whatever its status says.
            var doubt = listed.Any(f => f.Path.Equals(path)) ? null : await AskForAsync(path, abort);
            if (doubt is null)
                gone.Add(summary);
            else
                context.Report.Problem(new Problem(FailureScope.Folder, path, null, Reasons.Listing, $"the source does not list it, and {doubt}: nothing of it is removed"));
        }

        return gone;
    }

    /// <summary>Why it is not sure that the folder is gone.</summary>
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
