using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Lists changed source folders once more before anything is removed. During a run, a message may be moved from a folder not listed yet to
/// one already listed. It is then in neither listing and looks deleted. The second listing of the changed folder finds it.
/// </summary>
/// <param name="rules">The rules that decide whether a folder belongs to the job.</param>
internal sealed class SecondLook(JobReporter report, FolderRules rules)
{
    /// <summary>
    /// How often the folders are listed again before messages are removed. Without a limit, constantly arriving mail would delay removals
    /// forever.
    /// </summary>
    public const int Most = 3;

    /// <summary>
    /// Returns false, and reports why, if folders have appeared or disappeared since the first listing. Messages that have vanished may
    /// then have been moved to a new or renamed folder.
    /// </summary>
    /// <param name="first">The source's folders as they were listed first.</param>
    /// <param name="pairs">The pairs made from these folders.</param>
    public bool KnowsAll(IReadOnlyList<FolderEntry> first, IReadOnlyList<FolderPair> pairs, IReadOnlyList<FolderEntry> now)
    {
        var before = first.Where(f => f.HoldsMessages).Select(f => f.Path).ToHashSet();
        List<FolderEntry> there = [.. now.Where(f => f.HoldsMessages)];
        var appeared = FolderMapper.Map([.. there.Where(f => !before.Contains(f.Path))], rules).Pairs.Select(p => p.Source.Path);
        var disappeared = pairs.Select(p => p.Source.Path).Except(there.Select(f => f.Path));
        List<FolderPath> unknown = [.. appeared.Concat(disappeared).Distinct().Order()];
        if (unknown.Count == 0)
            return true;
        report.Problem(new Problem(
            FailureScope.Store, null, null, Reasons.Removal,
            $"folders appeared or disappeared at the source during the run ({string.Join(", ", unknown.Take(5))}), and messages that vanished may be in them, so none was removed; the next run looks again"));
        return false;
    }

    /// <summary>
    /// Returns whether the folder may have received mail since it was listed. Equal counters prove nothing if the folder is a view of other
    /// folders, or if the store does not report all counters.
    /// </summary>
    public static bool HasChanged(FolderPair before, FolderPair now) =>
        now.Source.Use == FolderUse.View
        || before.Source.Status is not { } then || now.Source.Status is not { } status || then != status
        || status.UidValidity.IsNone || status.UidNext.IsNone || status.IsCountUnknown;

    /// <summary>
    /// Returns the messages that are missing in both listings. A message missing only in the second is left out, because it may have been
    /// moved to a folder that was not listed again.
    /// </summary>
    public static IReadOnlyList<SettledMessage> StillGone(IReadOnlyList<SettledMessage> before, IReadOnlyList<SettledMessage> now)
    {
        var known = before.Select(m => m.Source).ToHashSet();
        return [.. now.Where(m => known.Contains(m.Source))];
    }
}
