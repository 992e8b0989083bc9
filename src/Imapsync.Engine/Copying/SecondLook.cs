using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Looks at the source's folders once more before anything is removed. Folders are listed one after the other, so a message that is moved
/// during the run, from a folder not listed yet to one that was, is in neither listing: it looks deleted. A folder that has changed since is
/// listed again, and the message is found there.
/// </summary>
/// <param name="rules">The rules that decide whether a folder belongs to the job.</param>
internal sealed class SecondLook(JobReporter report, FolderRules rules)
{
    /// <summary>Mail that never stops arriving must not keep removals waiting for ever, so after this many looks they are made.</summary>
    public const int Most = 3;

    /// <summary>
    /// Returns false, and reports it, if folders have appeared or disappeared since the first listing: what vanished may have been moved there.
    /// </summary>
    /// <param name="first">The source's folders as they were listed first.</param>
    /// <param name="pairs">The pairs made of them.</param>
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
    /// Returns whether mail may have come to a folder since it was listed. A view depends on other folders, and counters that are not told
    /// prove nothing.
    /// </summary>
    public static bool HasChanged(FolderPair before, FolderPair now) =>
        now.Source.Use == FolderUse.View
        || before.Source.Status is not { } then || now.Source.Status is not { } status || then != status
        || status.UidValidity.IsNone || status.UidNext.IsNone || status.IsCountUnknown;

    /// <summary>
    /// Returns what was known to have vanished before a look and is still not there after it. What vanished meanwhile has not been looked for
    /// in the other folders yet.
    /// </summary>
    public static IReadOnlyList<SettledMessage> StillGone(IReadOnlyList<SettledMessage> before, IReadOnlyList<SettledMessage> now)
    {
        var known = before.Select(m => m.Source).ToHashSet();
        return [.. now.Where(m => known.Contains(m.Source))];
    }
}
