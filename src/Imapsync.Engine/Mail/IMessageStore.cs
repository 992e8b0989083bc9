using Imapsync.Imap;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Imapsync.Engine.Mail;

/// <summary>
/// A place to read folders of messages from: an IMAP account, a Maildir tree, a POP3 account. Opened and closed by one job. Methods may be
/// called from several tasks; an open folder belongs to one task. All failures are <see cref="MailException"/>; cancellation leaves the
/// store usable or closes it.
/// </summary>
public interface IMessageStore : IAsyncDisposable
{
    StoreTraits Traits { get; }

    /// <summary>Access to the store's access rights; null where it has none.</summary>
    IAccessControl? AccessControl { get; }

    /// <summary>
    /// Lists every folder, in any order, including those that hold no messages (\Noselect). An entry has the folder's status if the store
    /// reports it without a request per folder, otherwise null. A listing that the server truncated or refused throws.
    /// </summary>
    Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken);

    /// <summary>Returns a folder's counters without opening it (IMAP STATUS).</summary>
    Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken);

    /// <summary>
    /// Asks the store for a folder by its name, independently of any listing. False only if the store says that it does not exist; throws
    /// if that can't be determined.
    /// </summary>
    Task<bool> ExistsAsync(FolderPath path, CancellationToken cancellationToken);

    /// <summary>
    /// Opens a folder for reading: changes nothing, sets no \Seen, writes no file. Throws <see cref="FailureKind.Gone"/> when the folder
    /// does not exist.
    /// </summary>
    Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken);

    /// <summary>
    /// Opens a second time, by the same path, a folder that is already open. The result may only be used for <see
    /// cref="IMessageFolder.ReadAsync"/>.
    /// </summary>
    Task<IMessageFolder> OpenAgainAsync(FolderPath path, CancellationToken cancellationToken);

    /// <summary>
    /// Describes the store for a person who checks the job: software, capabilities, quota, limits, layout. Changes nothing.
    /// </summary>
    Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken);
}

/// <summary>
/// A store that messages can be copied to. It is also read, because its contents decide what is copied. Cancellation never leaves
/// half-written mail.
/// </summary>
public interface ITargetStore : IMessageStore
{
    /// <summary>
    /// Returns the counters that show whether recorded UIDs are still valid. This may cost less than the whole status, and suffices for a
    /// target folder in which nothing is changed.
    /// </summary>
    Task<UidCounters> GetUidCountersAsync(FolderPath path, CancellationToken cancellationToken);

    /// <summary>
    /// Returns why a missing folder could never be created, in the store's words. Null if no obstacle is known without trying.
    /// </summary>
    Task<string?> WhyNeverAsync(FolderPath path, CancellationToken cancellationToken);

    /// <summary>Opens an existing folder for writing.</summary>
    Task<IWritableFolder> OpenForWritingAsync(FolderPath path, CancellationToken cancellationToken);

    /// <summary>
    /// Returns the path under which this store lists a folder created as <paramref name="path"/>. Characters that a name can't have here
    /// are escaped. Valid as of the last listing.
    /// </summary>
    FolderPath ListedAs(FolderPath path);

    /// <summary>
    /// Creates a folder and its missing parents; does nothing if it exists. A name that only had children becomes a folder that holds
    /// messages. Some stores create it under another spelling, which a new listing shows.
    /// </summary>
    Task CreateFolderAsync(FolderPath path, SpecialFolder special, CancellationToken cancellationToken);

    /// <summary>Renames one folder with its messages and their UIDs. Child folders follow where the store can't do otherwise.</summary>
    Task RenameFolderAsync(FolderPath from, FolderPath to, CancellationToken cancellationToken);

    Task SetSubscribedAsync(FolderPath path, bool subscribed, CancellationToken cancellationToken);

    /// <summary>Sets several subscriptions at once; only where <see cref="StoreTraits.SubscribesTogether"/>.</summary>
    /// <param name="wanted">Whether each folder is to be subscribed.</param>
    /// <exception cref="MailException">Folder scope: either none or all of the subscriptions were changed.</exception>
    Task SetSubscribedAsync(IReadOnlyDictionary<FolderPath, bool> wanted, CancellationToken cancellationToken);
}

/// <param name="IsWarning">
/// Whether the person should act on the fact: a limit is nearly reached, or the store is known to change octets.
/// </param>
public readonly record struct StoreFact(string Name, string Value, bool IsWarning = false)
{
    /// <summary>The part of the value that most people need; null for all of it.</summary>
    public string? Brief { get; init; }

    /// <summary>How much more can be stored, if the fact is a limit to the store's contents; otherwise null.</summary>
    public long? Free { get; init; }

    /// <summary>The unit of <see cref="Free"/>, messages or octets.</summary>
    public StoreUnit Unit { get; init; }
}

public enum StoreUnit
{
    Octets,
    Messages,
}

/// <summary>A store's abilities, as data.</summary>
/// <param name="Display">
/// The store's name for people and reports: <c>imaps://alice@imap.example.com</c>, <c>maildir:/var/backups/alice</c>. Never contains a
/// secret.
/// </param>
/// <param name="StatusShowsFlagChanges">Whether the status has HIGHESTMODSEQ, so that an unchanged status means unchanged flags.</param>
/// <param name="MaxConcurrentFolders">How many folders may usefully be open at once; at least 1.</param>
/// <param name="HasLabels">Whether a message may lie in many folders at once and carry labels (Gmail).</param>
public sealed record StoreTraits(string Display, bool StatusShowsFlagChanges, int MaxConcurrentFolders, bool HasLabels = false)
{
    /// <summary>
    /// How many connections may usefully read one folder at once when only a few folders are left. 0 if a second reader gains nothing.
    /// </summary>
    public int MaxReaders { get; init; }

    /// <summary>
    /// Whether the store is a backup, where mail is expected to stay: a copied message that is missing there is reported as a problem.
    /// </summary>
    public bool KeepsWhatItGets { get; init; }

    /// <summary>False for the target of a dry run: no messages are passed to it, they are only counted as if they were copied.</summary>
    public bool TakesMessages { get; init; } = true;

    /// <summary>Whether many subscriptions can be changed together at the cost of one change.</summary>
    public bool SubscribesTogether { get; init; }

    /// <summary>
    /// Whether the store's folders apparently form one flat level, with the levels of a name joined by dots (OfflineIMAP's <c>sep = .</c>).
    /// </summary>
    public bool IsFlat { get; init; }

    /// <summary>
    /// Header fields that mail programs add to messages in a store of this kind when they open it. They are not part of the mail.
    /// </summary>
    public IReadOnlyList<string> NotedFields { get; init; } = [];

    /// <summary>How many small queries, such as the status of a folder, may usefully run at once; at least 1.</summary>
    public int MaxConcurrentQuestions { get; init; } = 1;
}

/// <param name="HoldsMessages">False for a name that only has children (\Noselect).</param>
/// <param name="MailboxId">OBJECTID (RFC 8474), which stays the same when the folder is renamed.</param>
public sealed record FolderEntry(
    FolderPath Path,
    bool HoldsMessages = true,
    SpecialFolder Special = SpecialFolder.None,
    bool Subscribed = false,
    FolderStatus? Status = null,
    string? MailboxId = null)
{
    public FolderUse Use { get; init; }

    /// <summary>Whether the folder lies in another user's or in a shared namespace (RFC 2342).</summary>
    public bool IsForeign { get; init; }

    /// <summary>False where the store does not report which folders are subscribed.</summary>
    public bool KnowsSubscription { get; init; } = true;

    /// <summary>False where no folder can be created below it (\Noinferiors).</summary>
    public bool HoldsFolders { get; init; } = true;
}

/// <summary>How a folder takes part in a job if one message can lie in many folders of the store (Gmail).</summary>
public enum FolderUse
{
    /// <summary>The folder is used unchanged.</summary>
    Whole,

    /// <summary>
    /// Only some of the folder's messages are used. Which ones depends on other folders too, so an unchanged status does not prove that
    /// nothing changed.
    /// </summary>
    View,

    /// <summary>The folder is not used, since its messages are also in another folder, which is used.</summary>
    LeftOut,
}

/// <summary>
/// A folder's counters (RFC 9051 §6.3.11). Two equal values of one folder mean that nothing changed, as far as these counters can show.
/// </summary>
/// <param name="Messages">The number of messages; EXISTS once the folder is opened.</param>
public readonly record struct FolderStatus(
    UidValidity UidValidity, Uid UidNext, long Messages, long? Unseen = null, ModSeq? HighestModSeq = null)
{
    /// <summary>Whether the number of messages was not reported; <see cref="Messages"/> is then 0.</summary>
    public bool IsCountUnknown { get; init; }
}

/// <param name="Validity">The folder's UIDVALIDITY.</param>
/// <param name="Next">The UID that the folder would assign next; none where the store does not report it.</param>
public readonly record struct UidCounters(UidValidity Validity, Uid Next);

/// <summary>The services and settings that a store gets from its job.</summary>
/// <param name="OnNote">
/// Called with a text that a person should know though nothing failed: a keyword that can't be stored, an escaped name. May be called from
/// any task.
/// </param>
public sealed record StoreContext(TimeProvider Time, Action<string> OnNote)
{
    /// <summary>Whether a message's octets may be changed when the store refuses them as malformed.</summary>
    public bool Repair { get; init; }

    /// <summary>
    /// Makes a connection to a host (the first argument: host and port). For some time after failures it makes no attempt and throws a
    /// transient <see cref="MailException"/> at once.
    /// </summary>
    public Func<string, Func<Task>, Task> Connecting { get; init; } = (_, connect) => connect();

    /// <summary>The account's share where the host's connections are counted over all accounts; otherwise null.</summary>
    public ConnectionShare? Share { get; init; }

    /// <summary>
    /// Called when the job reaches a limit of its own, with a fixed keyword for programs and a text for people. The job then finishes
    /// appending the current batch and ends as incomplete. May be called from any task, more than once.
    /// </summary>
    public Action<string, string> OnLimit { get; init; } = (_, _) => { };

    /// <summary>
    /// Called for data in the store that may be mail but is not read. Arguments: the folder (null if there is none), a fixed keyword for
    /// programs, and a text for people. At a source it is a problem of the job. May be called from any task, more than once for the same
    /// data.
    /// </summary>
    public Action<FolderPath?, string, string> OnUnread { get; init; } = (_, _, _) => { };

    /// <summary>
    /// The directory where a source may store its own data, such as the UIDs of files. It must not write to the mail's directory. Null if
    /// it must not store anything.
    /// </summary>
    public string? MemoryDirectory { get; init; }

    /// <summary>
    /// How many messages earlier runs have stored in a target, as far as known. An empty target with a number above 0 is probably an
    /// unmounted disk.
    /// </summary>
    public long MessagesHeld { get; init; }

    /// <summary>Whether the files in <see cref="MemoryDirectory"/> may only be read, not changed.</summary>
    public bool MemoryIsReadOnly { get; init; } = true;

    /// <summary>Receives the log of the conversation with a server, without credentials and message texts.</summary>
    public ILogger Log { get; init; } = NullLogger.Instance;
}
