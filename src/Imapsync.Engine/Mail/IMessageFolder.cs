using Imapsync.Imap;

namespace Imapsync.Engine.Mail;

/// <summary>An open folder, for one task at a time. Messages are known by UID under <see cref="Status"/>'s UIDVALIDITY.</summary>
public interface IMessageFolder : IAsyncDisposable
{
    FolderPath Path { get; }

    /// <summary>As seen when the folder was opened.</summary>
    FolderStatus Status { get; }

    /// <summary>
    /// The UIDVALIDITY that messages seen before keep their UIDs under. It stands also where <see cref="Status"/> has none because
    /// some messages (files that nobody numbered yet, read without writing) have UIDs for this session only, which are higher ones.
    /// </summary>
    UidValidity LastingUidValidity { get; }

    /// <summary>
    /// Messages that lie under a name which another had before, or the same one before it was written again, each with the UID that one had:
    /// only their octets tell whether they are the same mail. Empty for stores where a UID says all.
    /// </summary>
    IReadOnlyDictionary<Uid, Uid> Predecessors { get; }

    /// <summary>
    /// Lists messages in ascending order of UID, each once. A listing that is refused or fails half-way throws.
    /// It may still disagree with <see cref="FolderStatus.Messages"/>: the caller compares.
    /// </summary>
    IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, CancellationToken cancellationToken);

    /// <summary>The header octets (through the empty line, at most 1 MiB) of messages, to tell who they are. What is gone is left out.</summary>
    IAsyncEnumerable<MessageHeader> ReadHeadersAsync(UidSet uids, CancellationToken cancellationToken);

    /// <summary>
    /// Reads whole messages, in about the order asked for. A message that can't be had comes with
    /// <see cref="IncomingMessage.Failure"/> set; one that has vanished meanwhile may not come at all.
    /// Each message must be done with before the next one is asked for.
    /// </summary>
    /// <param name="messages">As listed with date and size; taken as the reading gets on, and never while a message is being used.</param>
    IAsyncEnumerable<IncomingMessage> ReadAsync(IEnumerable<MessageInfo> messages, CancellationToken cancellationToken);

    /// <summary>Removes messages for good; the last that is asked of the folder. Only where the endpoint <see cref="Endpoint.RemovesCopied"/>.</summary>
    /// <returns>How many went: all of them. A store that keeps some says by its exception how many went all the same.</returns>
    Task<int> RemoveCopiedAsync(UidSet uids, CancellationToken cancellationToken);
}

/// <summary>A folder open for writing.</summary>
public interface IWritableFolder : IMessageFolder
{
    /// <summary>
    /// The next UID the folder would give: every message appended from now on gets this one or a higher one.
    /// Current as of the last call on this folder. The mark of an append window.
    /// </summary>
    Uid UidNext { get; }

    /// <summary>
    /// Takes a window of messages. Returns when each is durably accepted or refused, one receipt for each message taken,
    /// in any order. When this throws, nothing is known of the window's messages: they may be there or not.
    /// An exception thrown by the window itself, or by a body, passes through unchanged and leaves no torn message.
    /// </summary>
    Task<IReadOnlyList<AppendReceipt>> AppendAsync(IAsyncEnumerable<IncomingMessage> window, CancellationToken cancellationToken);

    /// <summary>Adds and removes flags; what is not named stays. Messages that are gone are passed over. Returns how many were changed.</summary>
    Task<int> SetFlagsAsync(IReadOnlyList<FlagChange> changes, CancellationToken cancellationToken);

    /// <summary>Adds labels to messages or takes them; only where the store has labels. One that the store refuses is noted and left out.</summary>
    Task SetLabelsAsync(UidSet uids, bool add, IReadOnlyList<string> labels, CancellationToken cancellationToken);

    /// <summary>Removes exactly these messages, for good or into <paramref name="trash"/> (an existing folder). Returns how many went.</summary>
    Task<int> RemoveAsync(UidSet uids, FolderPath? trash, CancellationToken cancellationToken);
}

/// <param name="Uids">Which messages; null for all.</param>
/// <param name="ChangedSince">Only messages new or changed since (RFC 7162); only where the folder's status has HIGHESTMODSEQ.</param>
/// <param name="WithDateAndSize">Fill <see cref="MessageInfo.InternalDate"/> and <see cref="MessageInfo.Size"/>.</param>
/// <param name="Labels">Filled with the labels of the messages listed, ahead of the first of them; only where the store has labels.</param>
public sealed record ListRequest(
    UidSet? Uids = null, ModSeq? ChangedSince = null, bool WithDateAndSize = false, IDictionary<Uid, MessageLabels>? Labels = null);

/// <param name="Identity">The same for the same message in every folder of the account, and for no other.</param>
/// <param name="Labels">UTF-8 names; those that begin with a backslash are the store's own.</param>
public readonly record struct MessageLabels(ulong Identity, IReadOnlyList<string> Labels);

/// <param name="InternalDate">When the store received it; default where not asked for.</param>
/// <param name="Size">Octets, as the store counts them with CRLF line ends; -1 where unknown or not asked for.</param>
public readonly record struct MessageInfo(Uid Uid, FlagSet Flags, DateTimeOffset InternalDate = default, long Size = -1);

public readonly record struct MessageHeader(Uid Uid, ReadOnlyMemory<byte> Octets);

/// <summary>Flags to add to and to take from one message.</summary>
public readonly record struct FlagChange(Uid Uid, FlagSet Add, FlagSet Remove);
