using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Verifying;

public enum FindingKind
{
    /// <summary>The message is at the source (or recorded as copied) but not at the target.</summary>
    Missing,

    /// <summary>
    /// The message is at the target only. (1) The job neither copied it nor found a source message for it. (2) Or its source message is
    /// gone, and the job mirrors deletions.
    /// </summary>
    Extra,

    /// <summary>The octets differ.</summary>
    Octets,

    Flags,

    /// <summary>The date received (INTERNALDATE) differs when compared to the second.</summary>
    Date,

    /// <summary>One side lists the message but can't deliver it.</summary>
    Unreadable,
}

/// <summary>A difference between source and target.</summary>
/// <param name="Source">The source folder; null if the message belongs to none.</param>
/// <param name="SourceUid">The UID at the source; none if the message is not there.</param>
/// <param name="TargetUid">The UID at the target; none if the message is not there.</param>
/// <param name="Text">A description for people.</param>
/// <param name="IsInformation">True if the difference breaks none of the job's promises and so does not cause exit status 3.</param>
public sealed record Finding(
    string Job, FindingKind Kind, FolderPath? Source, FolderPath Target, Uid SourceUid, Uid TargetUid, string Text, bool IsInformation = false);
