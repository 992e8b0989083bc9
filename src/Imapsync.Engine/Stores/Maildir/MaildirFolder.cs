using System.Runtime.CompilerServices;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>
/// A folder open for reading; nothing is written to it. A message that its uidlist lacks gets a UID from the job's state, or one for this
/// session only.
/// </summary>
internal class MaildirFolder : IMessageFolder
{
    private const int CancellationEvery = 256;

    private const string CourierKeywords = "courierimapkeywords";

    /// <summary>
    /// The most rounds of assigning UIDs: (1) new names, (2) files that share a name, (3) files that appeared during the scans; more rounds
    /// repeat (3).
    /// </summary>
    private const int MaxRoundsOfNaming = 4;
    private NameMemory? names;
    private bool isJustOpened;

    protected MaildirFolder(FolderPath path, MaildirPaths paths, StoreContext context, UidList? list = null)
    {
        (Path, Paths) = (path, paths);
        UidList = list ?? new UidList(paths.Directory, context.Time);
        Keywords = new MaildirKeywords(paths.Directory, context.Time);
        Index = new MaildirIndex(paths.Directory, UidList, Keywords);
        Reader = new MaildirMessageReader(paths.Directory, Index);
    }

    public FolderPath Path { get; }

    public FolderStatus Status { get; protected set; }

    public UidValidity LastingUidValidity => names?.Validity ?? UidList.Validity;

    public IReadOnlyDictionary<Uid, Uid> Predecessors => names?.Predecessors ?? System.Collections.Immutable.ImmutableDictionary<Uid, Uid>.Empty;

    protected MaildirPaths Paths { get; }

    protected UidList UidList { get; }

    protected MaildirKeywords Keywords { get; }

    protected MaildirIndex Index { get; }

    private MaildirMessageReader Reader { get; }

    /// <param name="list">The folder's uidlist if still known from an earlier opening. The folder takes it over.</param>
    public static IMessageFolder Open(FolderPath path, MaildirPaths paths, StoreContext context, UidList? list = null)
    {
        var folder = new MaildirFolder(path, paths, context, list is not null && list.IsOf(paths.Directory) ? list : null);
        folder.UidList.ReadAll();
        var memory = folder.names = NameMemory.Open(path, paths.Directory, new UidCounters(folder.UidList.Validity, folder.UidList.Next), context);
        folder.Index.Remembered = memory.Uids;
        folder.Index.Refresh();
        for (var round = 0; round < MaxRoundsOfNaming && !folder.Index.Unlisted.IsEmpty; round++)
        {
            memory.Add(folder.Index.Unlisted);
            folder.Index.Refresh(force: true);
        }

        // If cur/ is missing, the remembered messages may have been in it. So they must not count as deleted.
        if (folder.Index.Messages.Count < memory.Uids.Count && !Directory.Exists(paths.Cur))
            throw new MailException(FailureScope.Folder, isTransient: false, $"{paths.Cur} is not there, and with it messages that earlier runs saw; put it back, or make an empty one if they are deleted");
        if (memory.RenewReplaced(folder.Index.Messages.Where(m => memory.Uids.TryGetUid(m.UniqueName, out var uid) && uid == m.Uid).Select(m => (m.UniqueName, System.IO.Path.Combine(paths.Directory, m.FileName)))))
            folder.Index.Refresh(force: true);
        var validity = memory.IsProvisional ? UidValidity.None : memory.Validity;
        folder.Status = new FolderStatus(validity, new Uid(memory.Next), folder.Index.Messages.Count);
        folder.isJustOpened = true;
        if (Directory.Exists(System.IO.Path.Combine(paths.Directory, CourierKeywords)))
            context.OnNote($"{path}: keywords that Courier keeps in {System.IO.Path.Combine(paths.Directory, CourierKeywords)} are not read; to copy them too, name the account at its IMAP server as the source");
        Tell(folder.Index.NoFiles, "are directories where messages lie");
        Tell(folder.Index.Unnameable, "have names that are no UTF-8: rename them");
        return folder;

        void Tell(IReadOnlySet<string> what, string why)
        {
            if (what.Count > 0)
                context.OnUnread(path, Reasons.Unreadable, $"not read in {paths.Directory}, entries of new and cur: {what.Count}, {what.Order(StringComparer.Ordinal).First()} first; they {why}");
        }
    }

    public async IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (request.ChangedSince is not null)
            throw new ArgumentException("a Maildir has no HIGHESTMODSEQ", nameof(request));
        // The first listing shows the messages found on opening, so the directories are not read again.
        if (!isJustOpened)
            await RefreshAsync(cancellationToken);
        isJustOpened = false;
        var done = 0;
        var messages = Index.Messages;
        foreach (var at in messages.Positions(request.Uids))
        {
            if (++done % CancellationEvery == 0)
                cancellationToken.ThrowIfCancellationRequested();
            if (!request.WithDateAndSize)
            {
                yield return new MessageInfo(new Uid(messages.UidAt(at)), messages.InfoAt(at).Flags);
                continue;
            }

            var message = messages[at];
            if (LocalFiles.Guard(FailureScope.Folder, message.FileName, () => Reader.Describe(message)) is { } info)
                yield return info;
        }
    }

    public Task<int> RemoveCopiedAsync(UidSet uids, CancellationToken cancellationToken) => throw new NotSupportedException("nothing is removed from this source");

    public async IAsyncEnumerable<MessageHeader> ReadHeadersAsync(UidSet uids, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        await foreach (var header in Reader.ReadHeadersAsync(Chosen(uids), cancellationToken))
            yield return header;
    }

    public async IAsyncEnumerable<IncomingMessage> ReadAsync(
        IEnumerable<MessageInfo> messages, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        await foreach (var message in Reader.ReadAsync(messages, cancellationToken))
            yield return message;
    }

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Brings the index up to date.</summary>
    protected virtual Task RefreshAsync(CancellationToken cancellationToken) =>
        Task.Run(
            () => LocalFiles.Guard(FailureScope.Folder, Path.ToString(), () =>
            {
                Index.Refresh();
                return true;
            }),
            cancellationToken);

    /// <summary>Returns a snapshot of the chosen messages, which later additions or renames don't change.</summary>
    protected IEnumerable<MaildirMessage> Chosen(UidSet? uids)
    {
        var messages = Index.Messages;
        return messages.Positions(uids).Select(at => messages[at]);
    }
}
