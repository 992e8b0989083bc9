using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.State;

/// <summary>
/// The state of one job that is kept between runs. An open store holds the job's lock; opening a second one throws <see
/// cref="CheckpointLockedException"/>. The store's methods may be called from several tasks; each checkpoint must be used by one task only.
/// </summary>
public interface ICheckpointStore : IAsyncDisposable
{
    /// <summary>
    /// The summaries of the folder pairs known from earlier runs. They are read from one small file; no pair's checkpoint is opened for
    /// them.
    /// </summary>
    IReadOnlyDictionary<PairKey, PairSummary> Summaries { get; }

    /// <summary>
    /// Returns every folder pair that has a checkpoint, in order, including pairs that no run has completed. Pairs whose checkpoint can't
    /// be read are left out.
    /// </summary>
    Task<IReadOnlyList<PairKey>> FindPairsAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Opens a folder pair's checkpoint, existing or new. Damage is reported in <see cref="ICheckpoint.Condition"/>, never thrown.
    /// </summary>
    Task<ICheckpoint> OpenAsync(PairKey pair, CancellationToken cancellationToken);

    /// <summary>Saves the summaries of all pairs at the end of a run and replaces the earlier ones. Durable when this returns.</summary>
    Task SaveSummariesAsync(IReadOnlyCollection<PairSummary> summaries, CancellationToken cancellationToken);

    /// <summary>
    /// Gives a folder pair's checkpoint to the pair of the new folder names, after its folders were renamed. Does nothing if there is no
    /// checkpoint.
    /// </summary>
    Task RenameAsync(PairKey from, PairKey to, CancellationToken cancellationToken);
}

/// <summary>A folder pair: one source folder and the target folder it is copied to.</summary>
public readonly record struct PairKey(FolderPath Source, FolderPath Target)
{
    public override string ToString() => $"{Source} → {Target}";
}

/// <summary>
/// The state of a folder pair when a run last completed it. As long as both folders still report the counters recorded here (such as
/// UIDVALIDITY and UIDNEXT), there is nothing to do and neither folder needs to be opened.
/// </summary>
/// <param name="Rules">
/// A digest of the filters and policies in force when the pair was completed, or <see cref="Unsettled"/> or <see cref="Gone"/>.
/// </param>
/// <param name="Settled">How many messages of the source are at the target.</param>
/// <param name="Skipped">How many messages of the source are excluded by a filter.</param>
/// <param name="MailboxId">The source folder's MAILBOXID (OBJECTID, RFC 8474), to recognise the folder after a rename.</param>
/// <param name="Subscribed">Whether the source folder was subscribed when this was last propagated to the target.</param>
public sealed record PairSummary(
    PairKey Pair, FolderStatus Source, FolderStatus? Target, string Rules, long Settled, long Skipped,
    string? MailboxId = null, bool Subscribed = false)
{
    /// <summary>
    /// In place of a digest in <see cref="Rules"/>: some work on the pair is still to be done, so the next run opens its folders.
    /// </summary>
    public const string Unsettled = "?";

    /// <summary>
    /// In place of a digest in <see cref="Rules"/>: the server has confirmed that the source folder is gone, and its copies are kept.
    /// </summary>
    public const string Gone = "gone";
}

/// <summary>
/// The checkpoint of one folder pair. Changes are staged and become durable together at <see cref="CommitAsync"/>. After a crash the
/// checkpoint is in a state at or after the last commit that returned, never in a mixture of states.
/// </summary>
public interface ICheckpoint : IAsyncDisposable
{
    CheckpointCondition Condition { get; }

    /// <summary>A description of the damage, for people; null unless <see cref="Condition"/> is <see cref="CheckpointCondition.Damaged"/>.</summary>
    string? Damage { get; }

    UidValidity SourceValidity { get; }

    UidValidity TargetValidity { get; }

    /// <summary>The source folder's HIGHESTMODSEQ up to which all flag changes have been carried over to the target.</summary>
    ModSeq? SourceModSeq { get; }

    /// <summary>The digest of the filters under which the skipped messages were skipped.</summary>
    string Rules { get; }

    /// <summary>Returns how many messages are recorded with this outcome.</summary>
    int Count(Settlement settlement);

    bool TryGet(Uid source, out SettledMessage message);

    /// <summary>
    /// All recorded messages in ascending order of source UID. Records may be added, changed and removed during the enumeration.
    /// </summary>
    IEnumerable<SettledMessage> Messages { get; }

    /// <summary>
    /// The target's UIDNEXT as of the last commit, or the lower UIDNEXT from before the oldest batch that is still being appended. A target
    /// message with this UID or a higher one that no record mentions is either a copy whose outcome was not recorded, or mail from somebody
    /// else. Such messages are compared with the source messages before anything is copied. So a batch need not be recorded in the
    /// checkpoint before it is appended. None until first set.
    /// </summary>
    Uid KnownTargetUidNext { get; }

    /// <summary>
    /// The trash folder's state from before messages of the target are moved there; null while no move is in progress. It is reset to null once the
    /// messages are known to be in the trash folder only.
    /// </summary>
    TrashMark? MoveUnderWay { get; }

    /// <summary>
    /// Messages of the target that were found to be damaged, each with the source UID of the message it is a copy of (none if unknown). They do not count
    /// as copies, and are removed once the message has been stored again.
    /// </summary>
    IReadOnlyDictionary<Uid, Uid> DamagedCopies { get; }

    /// <summary>
    /// Deletes all records and starts over under these UIDVALIDITYs. This must be the first change to a new checkpoint: until then every
    /// other change throws <see cref="InvalidOperationException"/>.
    /// </summary>
    void Reset(UidValidity source, UidValidity target, string rules);

    /// <summary>
    /// Sets <see cref="KnownTargetUidNext"/>. A value that is too low costs extra comparisons; one that is too high may duplicate mail.
    /// </summary>
    void SetKnownTargetUidNext(Uid uidNext);

    /// <summary>Sets <see cref="MoveUnderWay"/>.</summary>
    void SetMoveUnderWay(TrashMark? mark);

    /// <summary>Adds to <see cref="DamagedCopies"/>.</summary>
    void MarkDamaged(Uid target, Uid source);

    /// <summary>Takes a copy out of <see cref="DamagedCopies"/> after it was removed from the target.</summary>
    void ForgetDamaged(Uid target);

    /// <summary>Adds a message's record or replaces it.</summary>
    void Settle(SettledMessage message);

    /// <summary>Removes the record of a message that is gone from the source, when nothing remains to be done about its copy.</summary>
    void Forget(Uid source);

    void SetSourceModSeq(ModSeq? modSeq);

    void SetRules(string rules);

    /// <summary>
    /// Makes all staged changes durable. Concurrent commits to several checkpoints of one store share the cost of one sync. More changes
    /// may be staged before this returns. Cancelling ends the waiting, not the writing. Changes that are never committed are dropped.
    /// </summary>
    /// <exception cref="CheckpointException">
    /// The changes can't be written. The checkpoint accepts no further commit; close it and open it again.
    /// </exception>
    ValueTask CommitAsync(CancellationToken cancellationToken);
}

/// <summary>The trash folder's state before messages were moved to it.</summary>
/// <param name="UidNext">Moved messages have this UID or a higher one in the trash.</param>
public readonly record struct TrashMark(UidValidity Validity, Uid UidNext);

public enum CheckpointCondition
{
    /// <summary>There was no checkpoint.</summary>
    New,

    /// <summary>The checkpoint was read as it was last committed; a torn end of the file, if any, was truncated.</summary>
    Good,

    /// <summary>The checkpoint was damaged and set aside, so the pair is treated as in its first run.</summary>
    Damaged,
}

/// <summary>What became of a source message.</summary>
public enum Settlement : byte
{
    /// <summary>Durably appended by this program.</summary>
    Copied,

    /// <summary>Already at the target and recognised there.</summary>
    Adopted,

    /// <summary>Excluded by a filter.</summary>
    Skipped,

    /// <summary>Refused permanently by the source or the target. The next run tries it again.</summary>
    Failed,

    /// <summary>Copied or adopted, and no longer at the source; the target still has it.</summary>
    Vanished,
}

/// <param name="Target">The UID at the target; none if skipped or failed, or if the target did not report it.</param>
/// <param name="Flags">The flags of the source message when they were last carried over to the target.</param>
/// <param name="Checksum">
/// Check sum of the octets that were copied; for an adopted message, of the octets found equal on both sides. Null if unknown.
/// </param>
/// <param name="Seen">
/// For a message without a check sum: its size and header at the target when it was recognised there. Null if there is a check sum.
/// </param>
public readonly record struct SettledMessage(
    Uid Source, Uid Target, Settlement Settlement, FlagSet Flags, MessageChecksum? Checksum = null, Sighting? Seen = null)
{
    /// <summary>The message's size in octets; null if unknown.</summary>
    public long? Size => Checksum?.Length ?? Seen?.Size;
}

/// <summary>The size and header of a target message that was recognised without being read as a whole.</summary>
/// <param name="Size">The size in octets as listed by the target.</param>
/// <param name="Header">The last 32 bits of the header's digest.</param>
public readonly record struct Sighting(uint Size, uint Header);

/// <summary>Thrown if another run holds the job's lock.</summary>
public sealed class CheckpointLockedException(string message) : Exception(message);

/// <summary>
/// Thrown if the state was written by a newer version of this program. The state is left as it is; the text names the file and the remedy.
/// </summary>
public sealed class CheckpointVersionException(string message) : Exception(message);

/// <summary>Thrown if state can't be read or written: missing permissions, a full disk or a failing one. The text names the file.</summary>
public sealed class CheckpointException(string message, Exception inner) : Exception(message, inner);
