using Imapsync.Imap;

namespace Imapsync.Engine.Mail;

/// <summary>An open folder, for one task at a time. Messages are identified by UID under the UIDVALIDITY of <see cref="Status"/>.</summary>
public interface IMessageFolder : IAsyncDisposable
{
    FolderPath Path { get; }

    /// <summary>The folder's counters when it was opened.</summary>
    FolderStatus Status { get; }

    /// <summary>
    /// The UIDVALIDITY of the messages that have lasting UIDs. It is set even if <see cref="Status"/> has no UIDVALIDITY. That is so if the
    /// folder must not be written to and contains new files, whose UIDs are valid for this session only.
    /// </summary>
    UidValidity LastingUidValidity { get; }

    /// <summary>
    /// Messages that have taken the file name (or POP3 unique-id) of an earlier message, each with the earlier message's UID. File or size
    /// has changed, so only a comparison of the octets shows whether both are the same mail. Empty for stores where the UID suffices.
    /// </summary>
    IReadOnlyDictionary<Uid, Uid> Predecessors { get; }

    /// <summary>
    /// Lists messages in ascending order of UID, each once. A listing that is refused or fails half-way throws. The caller must compare the
    /// result with <see cref="FolderStatus.Messages"/>, because a server may leave messages out.
    /// </summary>
    IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Reads the header octets of messages (through the empty line, at most 1 MiB), to identify the messages. Messages that are gone are
    /// left out.
    /// </summary>
    IAsyncEnumerable<MessageHeader> ReadHeadersAsync(UidSet uids, CancellationToken cancellationToken);

    /// <summary>
    /// Reads whole messages, roughly in the order requested. An unreadable message comes with <see cref="IncomingMessage.Failure"/> set;
    /// one that vanished meanwhile may be missing. The caller must finish with one message before requesting the next.
    /// </summary>
    /// <param name="messages">
    /// As listed with date and size; enumerated as the reading proceeds, and never while a message is being processed.
    /// </param>
    IAsyncEnumerable<IncomingMessage> ReadAsync(IEnumerable<MessageInfo> messages, CancellationToken cancellationToken);

    /// <summary>
    /// Removes messages for good. This must be the last call on the folder. Allowed only if the endpoint has
    /// <see cref="Endpoint.RemovesCopied"/>.
    /// </summary>
    /// <returns>
    /// The number of removed messages, which is all of them. If the store keeps some, it throws, and the exception says how many were
    /// removed.
    /// </returns>
    Task<int> RemoveCopiedAsync(UidSet uids, CancellationToken cancellationToken);
}

/// <summary>A folder open for writing.</summary>
public interface IWritableFolder : IMessageFolder
{
    /// <summary>
    /// The folder's UIDNEXT as of the last call on this folder: every message appended from now on gets this UID or a higher one.
    /// </summary>
    Uid UidNext { get; }

    /// <summary>
    /// Appends a batch of messages, called a window. Returns when each message is durably accepted or refused, with one receipt per
    /// message, in any order. If it throws, it is unknown which messages were appended. An exception from the window itself, or from a
    /// message's body, passes through and leaves no incomplete message.
    /// </summary>
    Task<IReadOnlyList<AppendReceipt>> AppendAsync(IAsyncEnumerable<IncomingMessage> window, CancellationToken cancellationToken);

    /// <summary>
    /// Adds and removes flags; flags that are not named stay. Messages that are gone are skipped. Returns how many messages were changed.
    /// </summary>
    Task<int> SetFlagsAsync(IReadOnlyList<FlagChange> changes, CancellationToken cancellationToken);

    /// <summary>
    /// Adds labels to messages or removes them; only where the store has labels. A label that the store refuses is reported and left out.
    /// </summary>
    Task SetLabelsAsync(UidSet uids, bool add, IReadOnlyList<string> labels, CancellationToken cancellationToken);

    /// <summary>
    /// Removes exactly these messages, for good or into <paramref name="trash"/> (an existing folder). Returns how many were removed.
    /// </summary>
    Task<int> RemoveAsync(UidSet uids, FolderPath? trash, CancellationToken cancellationToken);
}

/// <param name="Uids">The messages to list; null for all.</param>
/// <param name="ChangedSince">
/// List only messages that are new or changed since then (RFC 7162); only where the folder's status has HIGHESTMODSEQ.
/// </param>
/// <param name="WithDateAndSize">Fill <see cref="MessageInfo.InternalDate"/> and <see cref="MessageInfo.Size"/>.</param>
/// <param name="Labels">
/// Filled with the labels of the listed messages before the first of these is returned; only where the store has labels.
/// </param>
public sealed record ListRequest(
    UidSet? Uids = null, ModSeq? ChangedSince = null, bool WithDateAndSize = false, IDictionary<Uid, MessageLabels>? Labels = null);

/// <param name="Identity">Equal for the same message in every folder of the account, and different for any other message.</param>
/// <param name="Labels">UTF-8 names; those with a leading backslash are the store's own.</param>
public readonly record struct MessageLabels(ulong Identity, IReadOnlyList<string> Labels);

/// <param name="InternalDate">When the store received the message; default where not requested.</param>
/// <param name="Size">Octets, as the store counts them with CRLF line ends; -1 where unknown or not requested.</param>
public readonly record struct MessageInfo(Uid Uid, FlagSet Flags, DateTimeOffset InternalDate = default, long Size = -1)
{
    /// <summary>
    /// The IMAP sequence number when the message was listed; 0 if the store has none. A <see cref="MessageList"/> does not keep it.
    /// </summary>
    public uint SequenceNumber { get; init; }
}

public readonly record struct MessageHeader(Uid Uid, ReadOnlyMemory<byte> Octets);

/// <summary>Flags to add to one message and to remove from it.</summary>
public readonly record struct FlagChange(Uid Uid, FlagSet Add, FlagSet Remove);
