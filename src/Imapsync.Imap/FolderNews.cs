namespace Imapsync.Imap;

public enum FolderNewsKind
{
    /// <summary>Messages came or went, or their flags changed.</summary>
    Messages,

    /// <summary>A folder was made, renamed or deleted.</summary>
    Folders,

    /// <summary>The server tells no more until it is asked again (NOTIFICATIONOVERFLOW, RFC 5465 §5.8).</summary>
    Overflow,
}

/// <summary>What a server told unasked.</summary>
/// <param name="WireName">The folder; null for the selected one, and where none was named.</param>
public readonly record struct FolderNews(FolderNewsKind Kind, string? WireName = null);
