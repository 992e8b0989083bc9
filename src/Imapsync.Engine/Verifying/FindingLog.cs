using System.Collections.Immutable;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Verifying;

/// <summary>
/// Reports each finding once, even if a folder is verified again after a failure. Reported UIDs are stored as ranges, which take little
/// memory. Thread-safe.
/// </summary>
internal sealed class FindingLog(string job, Action<Finding> onFinding)
{
    private readonly Lock gate = new();
    private readonly Dictionary<(FindingKind Kind, FolderPath? Source, FolderPath Target), UidSet> told = [];
    private readonly List<Finding> kept = [];
    private VerifyCounts counts = VerifyCounts.None;

    public VerifyCounts Counts
    {
        get
        {
            lock (gate)
                return counts;
        }
    }

    public ImmutableArray<Finding> Kept
    {
        get
        {
            lock (gate)
                return [.. kept];
        }
    }

    public void Add(
        FindingKind kind, FolderPath? source, FolderPath target, Uid sourceUid, Uid targetUid, string text, bool isInformation = false)
    {
        lock (gate)
        {
            var key = (kind, source, target);
            if (!told.TryGetValue(key, out var uids))
                told[key] = uids = new UidSet();
            var uid = sourceUid.IsNone ? targetUid : sourceUid;
            if (uids.Contains(uid))
                return;
            uids.Add(uid);
            counts = counts with
            {
                Found = counts.Found.SetItem(kind, counts[kind] + 1),
                Differences = counts.Differences + (isInformation ? 0 : 1),
            };
            var finding = new Finding(job, kind, source, target, sourceUid, targetUid, text, isInformation);
            if (kept.Count < VerifyReport.MaxFindings)
                kept.Add(finding);
            onFinding(finding);
        }
    }

    /// <summary>Adds the counts of a folder pair that was verified to the end.</summary>
    public void Finished(long messages, long read)
    {
        lock (gate)
            counts = counts with { Folders = counts.Folders + 1, Messages = counts.Messages + messages, Read = counts.Read + read };
    }
}
