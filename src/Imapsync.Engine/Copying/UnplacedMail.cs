using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Source messages that could not be copied to the target. One of them may be the same mail as a message that vanished from another folder,
/// because it was moved. The old copy is then the only one at the target, and stays until the message is copied from its new folder.
/// </summary>
/// <param name="failed">Source folders that failed at any time of the run. They may contain messages that no count includes.</param>
/// <param name="sizes">Sizes in octets of the messages that could not be copied, by pair; -1 if unknown.</param>
internal sealed class UnplacedMail(
    JobReporter report, IReadOnlyDictionary<PairKey, FolderTally> tallies, IEnumerable<FolderPath> failed, IReadOnlyDictionary<PairKey, IReadOnlyList<long>> sizes)
{
    /// <summary>
    /// Takes messages out of <paramref name="vanished"/> that may be the same mail as a message that could not be copied. Returns true if
    /// nothing at all may be removed.
    /// </summary>
    public bool MustWait(IDictionary<PairKey, IReadOnlyList<SettledMessage>> vanished)
    {
        if (vanished.Values.All(v => v.Count == 0))
            return false;
        var unseen = tallies.Where(t => t.Value.Unlisted > 0).Select(t => t.Key.Source).Concat(failed).Distinct().Order().ToList();
        if (unseen.Count > 0)
        {
            report.Problem(new Problem(
                FailureScope.Store, null, null, Reasons.Removal,
                $"messages that vanished from a folder may have been moved to one that could not be copied whole ({string.Join(", ", unseen)}), so none was removed"));
            return true;
        }

        foreach (var (pair, messages) in vanished.Where(v => v.Value.Count > 0).ToList())
        {
            var elsewhere = sizes.Where(s => s.Key != pair).SelectMany(s => s.Value).ToHashSet();
            if (elsewhere.Count == 0)
                continue;
            List<SettledMessage> others = [.. messages.Where(m => !elsewhere.Contains(-1) && m.Checksum is { } sum && !elsewhere.Contains(sum.Length))];
            if (others.Count == messages.Count)
                continue;
            vanished[pair] = others;
            report.Problem(new Problem(
                FailureScope.Folder, pair.Source, null, Reasons.Removal,
                $"{messages.Count - others.Count} messages that vanished may be among those that could not be copied from other folders, so they were not removed"));
        }

        return false;
    }
}
