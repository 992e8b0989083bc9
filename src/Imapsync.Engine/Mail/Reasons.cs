namespace Imapsync.Engine.Mail;

/// <summary>
/// The reasons why something was not copied or a job ended: one word for programs, part of the report's contract (docs/command-line.md, which a
/// test compares). People read the problem's text instead.
/// </summary>
public static class Reasons
{
    /// <summary>The target refuses the message.</summary>
    public const string Refused = "refused";

    /// <summary>The source lists the message and can't deliver it.</summary>
    public const string Unreadable = "unreadable";

    /// <summary>A listing has fewer messages or folders than exist. Because of that, nothing is removed.</summary>
    public const string Listing = "listing";

    /// <summary>The folder can't be created at the target.</summary>
    public const string Create = "create";

    /// <summary>The folder was renamed at the source and can't be renamed at the target.</summary>
    public const string Rename = "rename";

    /// <summary>Copies of messages that are gone from the source could not be removed from the target.</summary>
    public const string Removal = "removal";

    /// <summary>The folder no longer exists.</summary>
    public const string Gone = "gone";

    /// <summary>A copied message is missing from a backup.</summary>
    public const string MissingAtTarget = "missing_at_target";

    /// <summary>A recorded UID may belong to other mail by now. The messages in question are left untouched.</summary>
    public const string OtherMail = "target";

    /// <summary>The folder failed for any other reason.</summary>
    public const string Folder = "folder";

    /// <summary>The counts of a folder don't add up: a bug.</summary>
    public const string Accounting = "accounting";

    /// <summary>
    /// The checkpoint's records of a folder no longer match the target, so the target can't be verified without the source.
    /// </summary>
    public const string Record = "record";

    /// <summary>Data that may be mail was not read: a compressed file, a link, or a directory in another layout.</summary>
    public const string Unread = "unread";

    /// <summary>A line may or may not begin a message, so the file can be read in two ways.</summary>
    public const string Doubtful = "doubtful";

    /// <summary>There are more distinct sets of flags than can be stored; the keywords of some messages are left out.</summary>
    public const string Flags = "flags";

    /// <summary>The list of subscribed folders can't be read.</summary>
    public const string Subscriptions = "subscriptions";

    /// <summary>The due snapshot of the backup could not be taken.</summary>
    public const string Snapshot = "snapshot";

    public const string Connect = "connect";

    public const string Authentication = "authentication";

    /// <summary>The job as configured can't be run with this store.</summary>
    public const string Configuration = "configuration";

    /// <summary>The target is full.</summary>
    public const string Quota = "quota";

    public const string DeletionLimit = "deletion_limit";

    /// <summary>The server's daily limit is reached.</summary>
    public const string Limit = "limit";

    /// <summary>The server demands a longer pause than the job waits.</summary>
    public const string Throttled = "throttled";

    public const string MaxDuration = "max_duration";

    public const string BytesPerDay = "bytes_per_day";

    /// <summary>Another run holds the job's lock.</summary>
    public const string Locked = "locked";

    /// <summary>The job's state can't be used.</summary>
    public const string State = "state";

    /// <summary>The disk is full, a permission is missing, or too few files may be open.</summary>
    public const string File = "file";

    /// <summary>
    /// No message has the requested Message-ID, the folder rules choose none of the source's folders, or a folder that a restore is to bring back is not
    /// in the backup.
    /// </summary>
    public const string NotFound = "not_found";

    /// <summary>The job did not end after the second interrupt signal, so the process ended without waiting for it.</summary>
    public const string Abandoned = "abandoned";

    public const string Failed = "failed";

    /// <summary>A bug in the program, or a defect of the machine.</summary>
    public const string Unexpected = "unexpected";
}
