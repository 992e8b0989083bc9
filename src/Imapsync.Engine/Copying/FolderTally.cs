using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>The counts and failures of one pair in one run, accumulated over its retries.</summary>
internal sealed class FolderTally
{
    private const int MostAlike = 20;
    private const int FewAlike = 3;

    private readonly Dictionary<Uid, Problem> failures = [];
    private readonly HashSet<Uid> hopeless = [];

    /// <summary>Source UIDs of the messages that were appended in this run.</summary>
    public UidSet Copied { get; } = new();

    public long Bytes { get; private set; }

    /// <summary>
    /// The octets actually received of messages that failed, by source UID, because the size that a server lists can be wrong.
    /// </summary>
    public Dictionary<Uid, long> DeliveredLengths { get; } = [];

    public long Adopted { get; set; }

    public long FlagsUpdated { get; set; }

    public long Deleted { get; set; }

    /// <summary>The results of the filter's header rules.</summary>
    public HeaderChoice Headers { get; } = new();

    /// <summary>How many messages the source had at the last listing.</summary>
    public long SourceMessages { get; set; }

    /// <summary>How many messages are in the source folder's message count but were not listed.</summary>
    public long Unlisted { get; set; }

    /// <summary>True if any listing of this run was shorter than the folder's own count.</summary>
    public bool HasListedShort { get; set; }

    public long AlreadyPresent { get; set; }

    public long Skipped { get; set; }

    /// <summary>How many messages are known to be at the target by now.</summary>
    public long InPlace => AlreadyPresent + Copied.Count;

    /// <summary>
    /// A number that grows with each message that is stored at the target, fails permanently, or is selected or excluded by its headers. A
    /// retry during which it does not grow made no progress.
    /// </summary>
    public long Progress => InPlace + (long)hopeless.Count + Headers.MostJudged;

    public IReadOnlyDictionary<Uid, Problem> Failures => failures;

    /// <summary>Clears the failures of the previous attempt, since every attempt processes the whole pair again.</summary>
    public void BeginAttempt() => failures.Clear();

    /// <summary>
    /// Sets the counts from a plan. A message copied in an earlier attempt of this run counts as copied even if it has since disappeared
    /// from the source.
    /// </summary>
    /// <param name="recognized">How many messages were found at the target; they are no longer in the plan.</param>
    public void Count(FolderPlan plan, FolderListing listing, int recognized)
    {
        var inPlace = plan.InPlace + recognized;
        var copiedBefore = listing.Extent == ListingExtent.Changes ? Copied.Count : listing.Messages.LongCount(m => Copied.Contains(m.Uid));
        AlreadyPresent = inPlace - Math.Min(inPlace, copiedBefore);
        Unlisted = listing.MissingCount;
        Skipped = plan.Skipped;
        SourceMessages = AlreadyPresent + Copied.Count + plan.Copy.LongCount(m => !Copied.Contains(m.Uid)) + plan.Unread.Count + Skipped + Unlisted;
    }

    /// <summary>
    /// Sets the counts of a folder pair that needs no work. They are taken from the summary saved when the pair was last up to date.
    /// </summary>
    public void CountUnchanged(PairSummary summary)
    {
        SourceMessages = summary.Source.Messages;
        AlreadyPresent = Math.Max(0, summary.Settled - Copied.Count);
        Skipped = summary.Skipped;
        Unlisted = 0;
    }

    /// <summary>Counts all messages that are not known to be at the target as unlisted, because the folder failed as a whole.</summary>
    public void GiveUp(long sourceMessages)
    {
        SourceMessages = Math.Max(SourceMessages, sourceMessages);
        Unlisted = Math.Max(0, SourceMessages - Copied.Count - AlreadyPresent - Skipped - failures.Count);
    }

    /// <summary>Moves this many messages from "already present" to "unlisted", because the target turned out not to have them.</summary>
    public void Lose(long messages)
    {
        var lost = Math.Min(messages, AlreadyPresent);
        AlreadyPresent -= lost;
        Unlisted += lost;
    }

    public void AddCopied(Uid uid, long bytes)
    {
        failures.Remove(uid);
        Copied.Add(uid);
        Bytes += bytes;
    }

    /// <summary>Records that the message failed permanently, so that requesting it again is useless.</summary>
    public void AddHopeless(Uid uid) => hopeless.Add(uid);

    public void AddFailure(FolderPath folder, Uid uid, string reason, string text) =>
        failures[uid] = new Problem(FailureScope.Message, folder, uid.Value, reason, text);

    public void Describe(Uid uid, Envelope envelope)
    {
        if (failures.TryGetValue(uid, out var problem))
            failures[uid] = problem with { Envelope = envelope };
    }

    /// <summary>
    /// Returns the failures, one problem per message. Where many have the same reason and text, a few are returned singly and the rest as
    /// one problem with their UIDs.
    /// </summary>
    public IEnumerable<Problem> ToProblems()
    {
        foreach (var alike in failures.Values.GroupBy(p => (p.Reason, p.Text)))
        {
            List<Problem> all = [.. alike];
            var shown = all.Count > MostAlike ? FewAlike : all.Count;
            foreach (var problem in all.Take(shown))
                yield return problem;
            if (shown < all.Count)
            {
                var uids = new UidSet(all.Skip(shown).Select(p => new Uid(p.Uid!.Value)));
                yield return all[0] with { Scope = FailureScope.Folder, Uid = null, Envelope = null, Text = $"{uids.Count} more messages, UID {uids}: {alike.Key.Text}" };
            }
        }
    }

    public FolderCounts ToCounts() => new()
    {
        SourceMessages = SourceMessages,
        Copied = Copied.Count,
        AlreadyPresent = AlreadyPresent,
        Adopted = Adopted,
        Skipped = Skipped,
        Failed = failures.Count + Unlisted,
        FlagsUpdated = FlagsUpdated,
        Deleted = Deleted,
        Bytes = Bytes,
    };
}
