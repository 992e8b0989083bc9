namespace Imapsync.Imap;

/// <summary>What a folder is for (RFC 6154, RFC 8457), by attribute where the server says it, else by name.</summary>
public enum SpecialFolder
{
    None,
    Inbox,
    All,
    Archive,
    Drafts,
    Flagged,
    Important,
    Junk,
    Sent,
    Trash,
}
