namespace Imapsync.Engine.Mail;

/// <summary>
/// Why something is not in place or a job ended: one word for programs, part of the report's contract (docs/command-line.md, which a test
/// compares). What people read is the problem's text.
/// </summary>
public static class Reasons
{
    /// <summary>The target does not take the message.</summary>
    public const string Refused = "refused";

    /// <summary>The source lists it and can't give it.</summary>
    public const string Unreadable = "unreadable";

    /// <summary>Fewer messages or folders are listed than there are: nothing is removed on such evidence.</summary>
    public const string Listing = "listing";

    /// <summary>The target can't have the folder.</summary>
    public const string Create = "create";

    /// <summary>The folder was renamed at the source and can't be at the target.</summary>
    public const string Rename = "rename";

    /// <summary>What is gone from the source could not be removed.</summary>
    public const string Removal = "removal";

    /// <summary>The folder is not there any more.</summary>
    public const string Gone = "gone";

    /// <summary>What was copied is gone from a backup.</summary>
    public const string MissingAtTarget = "missing_at_target";

    /// <summary>What lies under the UIDs of copies at the target is other mail: it is not touched.</summary>
    public const string OtherMail = "target";

    /// <summary>Whatever else a folder failed over.</summary>
    public const string Folder = "folder";

    /// <summary>The counts of a folder don't add up: a bug.</summary>
    public const string Accounting = "accounting";

    /// <summary>What is remembered can't be held against the target.</summary>
    public const string Record = "record";

    /// <summary>It may be mail and is not read: a compressed file, a link, a directory in another layout.</summary>
    public const string Unread = "unread";

    /// <summary>It can be read in two ways: a line that may begin a message.</summary>
    public const string Doubtful = "doubtful";

    /// <summary>More sets of flags differ than are held; the keywords of some messages are left out.</summary>
    public const string Flags = "flags";

    /// <summary>Which folders are subscribed can't be read.</summary>
    public const string Subscriptions = "subscriptions";

    /// <summary>A point in time of the backup could not be kept.</summary>
    public const string Snapshot = "snapshot";

    public const string Connect = "connect";

    public const string Authentication = "authentication";

    /// <summary>The job as written can't be run against this store.</summary>
    public const string Configuration = "configuration";

    /// <summary>The target is full.</summary>
    public const string Quota = "quota";

    public const string DeletionLimit = "deletion_limit";

    /// <summary>The server's own limit for a day.</summary>
    public const string Limit = "limit";

    /// <summary>The server wants to be left alone for longer than the job waits.</summary>
    public const string Throttled = "throttled";

    public const string MaxDuration = "max_duration";

    public const string BytesPerDay = "bytes_per_day";

    /// <summary>Another run holds the job.</summary>
    public const string Locked = "locked";

    /// <summary>What is remembered can't be used.</summary>
    public const string State = "state";

    /// <summary>The disk is full, a right is missing, too few files may be open.</summary>
    public const string File = "file";

    /// <summary>No message has the Message-ID asked for.</summary>
    public const string NotFound = "not_found";

    /// <summary>It hung, and was left at the second signal.</summary>
    public const string Abandoned = "abandoned";

    public const string Failed = "failed";

    /// <summary>A bug, or a broken machine.</summary>
    public const string Unexpected = "unexpected";
}
