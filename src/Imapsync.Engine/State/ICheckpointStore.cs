using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.State;

/// <summary>
/// All that is remembered of one job between runs. Holding it is holding the job's lock: a second holder gets
/// <see cref="CheckpointLockedException"/>. Methods may be called from several tasks; a checkpoint belongs to one.
/// </summary>
public interface ICheckpointStore : IAsyncDisposable
{
    /// <summary>The pairs known from earlier runs, from one small file: no pair's checkpoint is opened for this.</summary>
    IReadOnlyDictionary<PairKey, PairSummary> Summaries { get; }

    /// <summary>Every pair that has a checkpoint, in order; also those that were never brought up to date. One that can't be read is left out.</summary>
    Task<IReadOnlyList<PairKey>> FindPairsAsync(CancellationToken cancellationToken);

    /// <summary>Opens a pair's checkpoint, new or as it was left. Damage is reported in <see cref="ICheckpoint.Condition"/>, never thrown.</summary>
    Task<ICheckpoint> OpenAsync(PairKey pair, CancellationToken cancellationToken);

    /// <summary>Remembers how pairs stand at the end of a run, in place of all that was remembered. Durable when this returns.</summary>
    Task SaveSummariesAsync(IReadOnlyCollection<PairSummary> summaries, CancellationToken cancellationToken);

    /// <summary>Moves a pair's checkpoint after its folders were renamed; nothing happens where there is none.</summary>
    Task RenameAsync(PairKey from, PairKey to, CancellationToken cancellationToken);
}

/// <summary>One source folder and the target folder it is copied to.</summary>
public readonly record struct PairKey(FolderPath Source, FolderPath Target)
{
    public override string ToString() => $"{Source} → {Target}";
}

/// <summary>
/// How a pair stood when it was last brought fully up to date. While both folders still show these counters,
/// there is nothing to do and no reason to open anything.
/// </summary>
/// <param name="Rules">A digest of the filters and policies it was brought up to date under, or <see cref="Unsettled"/> or <see cref="Gone"/>.</param>
/// <param name="Settled">Messages of the source that are in place at the target.</param>
/// <param name="Skipped">Messages of the source that a filter leaves out.</param>
/// <param name="MailboxId">The source folder's OBJECTID, to know it again after a rename.</param>
/// <param name="Subscribed">The source's subscription as last propagated.</param>
public sealed record PairSummary(
    PairKey Pair, FolderStatus Source, FolderStatus? Target, string Rules, long Settled, long Skipped,
    string? MailboxId = null, bool Subscribed = false)
{
    /// <summary>No rules: something was left to do.</summary>
    public const string Unsettled = "?";

    /// <summary>No rules: the source's folder is gone, which it has said when it was asked, and what was copied of it is kept.</summary>
    public const string Gone = "gone";
}

/// <summary>
/// What is remembered of one pair. Changes are staged and become durable together at <see cref="CommitAsync"/>;
/// after a crash the state is that of some moment at or after the last commit that returned, never a mixture.
/// </summary>
public interface ICheckpoint : IAsyncDisposable
{
    CheckpointCondition Condition { get; }

    /// <summary>For <see cref="CheckpointCondition.Damaged"/>: what was found, for people.</summary>
    string? Damage { get; }

    UidValidity SourceValidity { get; }

    UidValidity TargetValidity { get; }

    /// <summary>The source's HIGHESTMODSEQ that all flags were propagated up to.</summary>
    ModSeq? SourceModSeq { get; }

    /// <summary>The digest of the filters that skipped messages were skipped under.</summary>
    string Rules { get; }

    /// <summary>How many messages are settled in each way.</summary>
    int Count(Settlement settlement);

    bool TryGet(Uid source, out SettledMessage message);

    /// <summary>All settled messages in ascending order of source UID. Settling and forgetting while reading is fine.</summary>
    IEnumerable<SettledMessage> Messages { get; }

    /// <summary>
    /// The target's UIDNEXT as of the last commit, held back to the start of the oldest append window in flight.
    /// A message at the target with this UID or a higher one, that no settled message points to, came by an append whose
    /// outcome was never recorded or from somebody else: before anything is copied, the two are told apart by identity.
    /// None until first set. This is all that recovery needs; windows themselves are not recorded.
    /// </summary>
    Uid KnownTargetUidNext { get; }

    /// <summary>Set before messages of the target are moved to its trash folder, null again when they are known to be there and nowhere else.</summary>
    TrashMark? MoveUnderWay { get; }

    /// <summary>
    /// Messages of the target whose octets were seen to be damaged, each with the source message it was a copy of (none where not known any
    /// more). They are nobody's message, until removed, which is once that one is in place anew.
    /// </summary>
    IReadOnlyDictionary<Uid, Uid> DamagedCopies { get; }

    /// <summary>
    /// Forgets every message and starts over under these UIDVALIDITYs. Also how a new checkpoint begins:
    /// until then every other change throws <see cref="InvalidOperationException"/>.
    /// </summary>
    void Reset(UidValidity source, UidValidity target, string rules);

    /// <summary>Sets <see cref="KnownTargetUidNext"/>. A lower value than the true one costs comparing, a higher one may double mail.</summary>
    void SetKnownTargetUidNext(Uid uidNext);

    /// <summary>Sets <see cref="MoveUnderWay"/>.</summary>
    void SetMoveUnderWay(TrashMark? mark);

    /// <summary>Adds to <see cref="DamagedCopies"/>.</summary>
    void MarkDamaged(Uid target, Uid source);

    /// <summary>Takes out of <see cref="DamagedCopies"/> what was removed from the target.</summary>
    void ForgetDamaged(Uid target);

    /// <summary>Adds a message or replaces what was known of it.</summary>
    void Settle(SettledMessage message);

    /// <summary>Forgets a message that is gone from the source and dealt with.</summary>
    void Forget(Uid source);

    void SetSourceModSeq(ModSeq? modSeq);

    void SetRules(string rules);

    /// <summary>
    /// Makes everything staged so far durable. Concurrent commits of one store share the cost of one sync. Going on staging
    /// before it returns is fine; cancelling ends the waiting, not the writing. What is never committed is dropped.
    /// </summary>
    /// <exception cref="CheckpointException">It can't be written. The checkpoint takes no further commit; close it and open it again.</exception>
    ValueTask CommitAsync(CancellationToken cancellationToken);
}

/// <summary>The trash folder as it was before messages were moved to it.</summary>
/// <param name="UidNext">Theirs there is this UID or a higher one.</param>
public readonly record struct TrashMark(UidValidity Validity, Uid UidNext);

public enum CheckpointCondition
{
    /// <summary>Nothing was there.</summary>
    New,

    /// <summary>As it was left, save for a torn tail perhaps, which is cut off.</summary>
    Good,

    /// <summary>It can't be trusted and was set aside: treat the pair as on first meeting.</summary>
    Damaged,
}

/// <summary>How a message was settled.</summary>
public enum Settlement : byte
{
    /// <summary>Appended by this program, durably.</summary>
    Copied,

    /// <summary>It was at the target already.</summary>
    Adopted,

    /// <summary>A filter leaves it out.</summary>
    Skipped,

    /// <summary>Source or target refused it for good; tried again when the next run meets it.</summary>
    Failed,

    /// <summary>It was copied or adopted and is no longer at the source; the target keeps it.</summary>
    Vanished,
}

/// <param name="Target">Its UID at the target; none where skipped, failed, or where the target could not say.</param>
/// <param name="Flags">The source's flags when they were last propagated.</param>
/// <param name="Checksum">Of the octets relayed; of an adopted message, of the octets that both sides were seen to hold. Null where not known.</param>
/// <param name="Seen">Of a message whose octets are not known: how it looked at the target when it was recognised there. Not kept beside a check sum.</param>
public readonly record struct SettledMessage(
    Uid Source, Uid Target, Settlement Settlement, FlagSet Flags, MessageChecksum? Checksum = null, Sighting? Seen = null);

/// <summary>What a target showed of a message that was never read whole.</summary>
/// <param name="Size">As the target listed it.</param>
/// <param name="Header">The last 32 bits of its header's digest.</param>
public readonly record struct Sighting(uint Size, uint Header);

/// <summary>Another run holds this job.</summary>
public sealed class CheckpointLockedException(string message) : Exception(message);

/// <summary>State was written by a newer version of this program. It is left as it is; the text names the file and the remedy.</summary>
public sealed class CheckpointVersionException(string message) : Exception(message);

/// <summary>State can't be read or written: permissions, a full disk, a failing one. The text names the file.</summary>
public sealed class CheckpointException(string message, Exception inner) : Exception(message, inner);
