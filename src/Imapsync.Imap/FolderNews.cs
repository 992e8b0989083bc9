namespace Imapsync.Imap;

public enum FolderNewsKind
{
    /// <summary>Messages arrived or were removed, or their flags changed.</summary>
    Messages,

    /// <summary>A folder was created, renamed or deleted.</summary>
    Folders,

    /// <summary>The server reports no further changes until NOTIFY is sent again (NOTIFICATIONOVERFLOW, RFC 5465 §5.8).</summary>
    Overflow,
}

/// <summary>A change that the server reported outside the answer to a command.</summary>
/// <param name="WireName">The folder's wire name; null for the selected folder, and if the server named none.</param>
public readonly record struct FolderNews(FolderNewsKind Kind, string? WireName = null);
