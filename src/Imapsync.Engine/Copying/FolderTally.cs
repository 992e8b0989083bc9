using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Progress;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>What one run did to one pair, added up over its retries.</summary>
internal sealed class FolderTally
{
    private const int MostAlike = 20;
    private const int FewAlike = 3;

    private readonly Dictionary<Uid, Problem> failures = [];
    private readonly HashSet<Uid> hopeless = [];

    /// <summary>Source UIDs appended in this run.</summary>
    public UidSet Copied { get; } = new();

    public long Bytes { get; private set; }

    public long Adopted { get; set; }

    public long FlagsUpdated { get; set; }

    public long Deleted { get; set; }

    /// <summary>What the filter makes of headers.</summary>
    public HeaderChoice Headers { get; } = new();

    /// <summary>Messages of the source at the last listing.</summary>
    public long SourceMessages { get; set; }

    /// <summary>Messages that the source has by its own count but did not list.</summary>
    public long Unlisted { get; set; }

    /// <summary>A listing of this run was shorter than the folder's own count.</summary>
    public bool HasListedShort { get; set; }

    public long AlreadyPresent { get; set; }

    public long Skipped { get; set; }

    /// <summary>Messages known to be in place by now.</summary>
    public long InPlace => AlreadyPresent + Copied.Count;

    /// <summary>Grows when the work gets on: a message is in place, or it is known that it can't or need not be.</summary>
    public long Progress => InPlace + (long)hopeless.Count + Headers.MostJudged;

    public IReadOnlyDictionary<Uid, Problem> Failures => failures;

    /// <summary>A pair is redone whole after a failure: what failed before is asked for again.</summary>
    public void BeginAttempt() => failures.Clear();

    /// <summary>
    /// Counts what a plan leaves to do and what is in place. What an earlier try of this run copied may be gone from the source by
    /// now: it counts as copied all the same.
    /// </summary>
    /// <param name="recognized">Messages found at the target, which are no longer in the plan.</param>
    public void Count(FolderPlan plan, FolderListing listing, int recognized)
    {
        var inPlace = plan.InPlace + recognized;
        var copiedBefore = listing.Extent == ListingExtent.Changes ? Copied.Count : listing.Messages.LongCount(m => Copied.Contains(m.Uid));
        AlreadyPresent = inPlace - Math.Min(inPlace, copiedBefore);
        Unlisted = listing.MissingCount;
        Skipped = plan.Skipped;
        SourceMessages = AlreadyPresent + Copied.Count + plan.Copy.LongCount(m => !Copied.Contains(m.Uid)) + Skipped + Unlisted;
    }

    /// <summary>The folder failed as a whole: whatever of it is not known to be in place is not.</summary>
    public void GiveUp(long sourceMessages)
    {
        SourceMessages = Math.Max(SourceMessages, sourceMessages);
        Unlisted = Math.Max(0, SourceMessages - Copied.Count - AlreadyPresent - Skipped - failures.Count);
    }

    /// <summary>So many that were taken to be in place are not.</summary>
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

    /// <summary>Asking again is of no use.</summary>
    public void AddHopeless(Uid uid) => hopeless.Add(uid);

    public void AddFailure(FolderPath folder, Uid uid, string reason, string text) =>
        failures[uid] = new Problem(FailureScope.Message, folder, uid.Value, reason, text);

    public void Describe(Uid uid, Envelope envelope)
    {
        if (failures.TryGetValue(uid, out var problem))
            failures[uid] = problem with { Envelope = envelope };
    }

    /// <summary>What failed, a line a message; where many failed in the same words, a few of them and then how many more.</summary>
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
