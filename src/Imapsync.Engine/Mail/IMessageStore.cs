using Imapsync.Imap;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Imapsync.Engine.Mail;

/// <summary>
/// A place that holds folders of messages: an IMAP account, a Maildir tree, a folder of mbox files.
/// Opened and closed by one job. Methods may be called from several tasks; a folder, once opened, belongs to one.
/// All failures are <see cref="MailException"/>; cancellation leaves the store usable or closes it, never half-written mail.
/// </summary>
public interface IMessageStore : IAsyncDisposable
{
    StoreTraits Traits { get; }

    /// <summary>Null where the store has no access rights of its own.</summary>
    IAccessControl? AccessControl { get; }

    /// <summary>
    /// Every folder, in no promised order, those that hold no messages (\Noselect) included.
    /// Status is filled where the store gives it at no extra cost a folder, else null.
    /// A listing that the server cut short or refused throws; it is never returned as if it were whole.
    /// </summary>
    Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken);

    /// <summary>A folder's counters without opening it (IMAP STATUS).</summary>
    Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken);

    /// <summary>What says whether UIDs known before still hold: all that has to be looked at in a target that nothing is to be done in.</summary>
    Task<UidCounters> GetUidCountersAsync(FolderPath path, CancellationToken cancellationToken);

    /// <summary>
    /// Asks for a folder by its name, whatever a listing said: false only where the store says that there is none. Throws where
    /// it can't be told.
    /// </summary>
    Task<bool> ExistsAsync(FolderPath path, CancellationToken cancellationToken);

    /// <summary>
    /// Why a folder that is not there could never be made, in the store's words, as far as it says so without trying. Null: nothing
    /// is known against it.
    /// </summary>
    Task<string?> WhyNeverAsync(FolderPath path, CancellationToken cancellationToken);

    /// <summary>Opens for reading: changes nothing, sets no \Seen, writes no file. Throws <see cref="FailureKind.Gone"/> when there is none.</summary>
    Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken);

    /// <summary>Opens once more a folder that is open, by the same path, for nothing but <see cref="IMessageFolder.ReadAsync"/>.</summary>
    Task<IMessageFolder> OpenAgainAsync(FolderPath path, CancellationToken cancellationToken);

    /// <summary>Opens for writing; the folder must exist.</summary>
    Task<IWritableFolder> OpenForWritingAsync(FolderPath path, CancellationToken cancellationToken);

    /// <summary>
    /// The path under which this store lists a folder that is created as <paramref name="path"/>: the same, or with what
    /// can't stand in a name here written otherwise. As of the last listing.
    /// </summary>
    FolderPath ListedAs(FolderPath path);

    /// <summary>
    /// Creates a folder and what parents it needs; a name that only had children becomes a folder of messages. No error when
    /// it is there already, which on some stores another name is enough for: a new listing tells under which name it is.
    /// </summary>
    Task CreateFolderAsync(FolderPath path, SpecialFolder special, CancellationToken cancellationToken);

    /// <summary>Renames one folder, its messages and their UIDs with it. Children follow where the store cannot do otherwise.</summary>
    Task RenameFolderAsync(FolderPath from, FolderPath to, CancellationToken cancellationToken);

    Task SetSubscribedAsync(FolderPath path, bool subscribed, CancellationToken cancellationToken);

    /// <summary>Several at once; only where <see cref="StoreTraits.SubscribesTogether"/>.</summary>
    /// <param name="wanted">Whether each folder is to be subscribed.</param>
    /// <exception cref="MailException">Folder scope: none was changed, or all were.</exception>
    Task SetSubscribedAsync(IReadOnlyDictionary<FolderPath, bool> wanted, CancellationToken cancellationToken);

    /// <summary>What a person checking the job wants to know: software, capabilities, quota, limits, layout. Changes nothing.</summary>
    Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken);
}

/// <param name="IsWarning">It will cost something: a limit that is near, octets the store is known to change.</param>
public readonly record struct StoreFact(string Name, string Value, bool IsWarning = false)
{
    /// <summary>Where the fact is a limit to what the store holds: how much more it takes.</summary>
    public long? Free { get; init; }

    /// <summary>What <see cref="Free"/> counts.</summary>
    public StoreUnit Unit { get; init; }
}

public enum StoreUnit
{
    Octets,
    Messages,
}

/// <summary>What a store can do, as data.</summary>
/// <param name="Display">For people and reports: <c>imaps://alice@imap.example.com</c>, <c>maildir:/var/backups/alice</c>; never a secret.</param>
/// <param name="StatusShowsFlagChanges">Status carries HIGHESTMODSEQ, so that an unchanged status means unchanged flags.</param>
/// <param name="MaxConcurrentFolders">How many folders may usefully be open at once; at least 1.</param>
/// <param name="HasLabels">A message lies in many folders at once and carries labels (Gmail).</param>
public sealed record StoreTraits(string Display, bool StatusShowsFlagChanges, int MaxConcurrentFolders, bool HasLabels = false)
{
    /// <summary>How many open folders the reading of few or one may usefully be spread over; 0 where a second reader of a folder gains nothing.</summary>
    public int MaxReaders { get; init; }

    /// <summary>It is a backup: nobody but its owner's programs takes mail from it, so what was copied has to be there.</summary>
    public bool KeepsWhatItGets { get; init; }

    /// <summary>False where messages are not handed over: that they would be is all there is to tell.</summary>
    public bool TakesMessages { get; init; } = true;

    /// <summary>Many subscriptions cost what one does.</summary>
    public bool SubscribesTogether { get; init; }

    /// <summary>Its folders lie side by side, with the levels of a name joined by dots (OfflineIMAP's <c>sep = .</c>), as far as can be told from outside.</summary>
    public bool IsFlat { get; init; }

    /// <summary>Header fields that mail programs write into the messages of such a store when they open it: they are no part of the mail.</summary>
    public IReadOnlyList<string> NotedFields { get; init; } = [];

    /// <summary>How many small questions, such as the status of a folder, may usefully be asked at once; at least 1.</summary>
    public int MaxConcurrentQuestions { get; init; } = 1;
}

/// <param name="HoldsMessages">False for a name that only has children (\Noselect).</param>
/// <param name="MailboxId">OBJECTID (RFC 8474), which survives a rename.</param>
public sealed record FolderEntry(
    FolderPath Path,
    bool HoldsMessages = true,
    SpecialFolder Special = SpecialFolder.None,
    bool Subscribed = false,
    FolderStatus? Status = null,
    string? MailboxId = null)
{
    public FolderUse Use { get; init; }

    /// <summary>It lies in another user's or a shared namespace (RFC 2342).</summary>
    public bool IsForeign { get; init; }

    /// <summary>False where the store would not say what is subscribed.</summary>
    public bool KnowsSubscription { get; init; } = true;

    /// <summary>False where no folder can be made below it (\Noinferiors).</summary>
    public bool HoldsFolders { get; init; } = true;
}

/// <summary>How a folder takes part where one message lies in many folders.</summary>
public enum FolderUse
{
    /// <summary>As it stands.</summary>
    Whole,

    /// <summary>What it shows depends on more than the folder: its status does not tell that nothing changed.</summary>
    View,

    /// <summary>Not at all: its messages are seen in another folder.</summary>
    LeftOut,
}

/// <summary>A folder's counters (RFC 9051 §6.3.11). Two equal values of one folder mean that nothing changed that they can show.</summary>
/// <param name="Messages">The number of messages; EXISTS once opened.</param>
public readonly record struct FolderStatus(
    UidValidity UidValidity, Uid UidNext, long Messages, long? Unseen = null, ModSeq? HighestModSeq = null)
{
    /// <summary>The number of messages was not told, and stands as 0.</summary>
    public bool IsCountUnknown { get; init; }
}

/// <param name="Validity">The generation of the folder's UIDs.</param>
/// <param name="Next">The UID the folder would give next; none where the store does not say.</param>
public readonly record struct UidCounters(UidValidity Validity, Uid Next);

/// <summary>What a store needs from outside.</summary>
/// <param name="OnNote">Told what a person should know and nothing failed over: a keyword that finds no room, an escaped name. May be called from any task.</param>
public sealed record StoreContext(TimeProvider Time, Action<string> OnNote)
{
    /// <summary>Consent to change a message's octets when the store refuses them as malformed.</summary>
    public bool Repair { get; init; }

    /// <summary>
    /// Makes a connection to a host (host and port). Throws a transient <see cref="MailException"/> without trying while the
    /// host is left alone because connections to it failed.
    /// </summary>
    public Func<string, Func<Task>, Task> Connecting { get; init; } = (_, connect) => connect();

    /// <summary>The store's connections are counted over all accounts of its host; null where they are not.</summary>
    public ConnectionShare? Share { get; init; }

    /// <summary>
    /// Told, with a short fixed word and a text for people, when a limit that the job sets itself is reached: the job then
    /// finishes what is in hand and ends as incomplete. May be called from any task and more than once.
    /// </summary>
    public Action<string, string> OnLimit { get; init; } = (_, _) => { };

    /// <summary>
    /// Told what lies in the store, may be mail and is not read: the folder where there is one, a short fixed word, a text for people.
    /// From a source it is a problem of the job. May be called from any task and more than once for the same.
    /// </summary>
    public Action<FolderPath?, string, string> OnUnread { get; init; } = (_, _, _) => { };

    /// <summary>Where a source may remember what it can't write into the place it reads; null where it is to remember nothing.</summary>
    public string? MemoryDirectory { get; init; }

    /// <summary>Messages that earlier runs have put into a target, as far as known: where it holds nothing now, it is not the one it was.</summary>
    public long MessagesHeld { get; init; }

    /// <summary>What is remembered is looked up and not added to.</summary>
    public bool MemoryIsReadOnly { get; init; } = true;

    /// <summary>Gets the conversation with a server, without credentials and message texts.</summary>
    public ILogger Log { get; init; } = NullLogger.Instance;
}
