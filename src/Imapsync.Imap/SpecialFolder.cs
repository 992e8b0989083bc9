namespace Imapsync.Imap;

/// <summary>A folder's purpose (RFC 6154, RFC 8457), taken from its attribute if the server sends one, else from its name.</summary>
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
