using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Verifying;

public enum FindingKind
{
    /// <summary>At the source (or recorded as copied) and not at the target.</summary>
    Missing,

    /// <summary>At the target and in no pair's checkpoint.</summary>
    Extra,

    /// <summary>The octets are not the same.</summary>
    Octets,

    Flags,

    /// <summary>When it was received (INTERNALDATE), to the second.</summary>
    Date,

    /// <summary>One side lists it and can't give it.</summary>
    Unreadable,
}

/// <summary>A difference between source and target.</summary>
/// <param name="Source">The source folder; null where the message belongs to none.</param>
/// <param name="SourceUid">None where there is no such message.</param>
/// <param name="TargetUid">None where there is no such message.</param>
/// <param name="Text">For people.</param>
/// <param name="IsInformation">Nothing that the job promises is broken: told, but no reason for an exit status of 3.</param>
public sealed record Finding(
    string Job, FindingKind Kind, FolderPath? Source, FolderPath Target, Uid SourceUid, Uid TargetUid, string Text, bool IsInformation = false);
