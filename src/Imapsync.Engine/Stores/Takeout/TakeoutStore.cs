using System.Runtime.CompilerServices;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Engine.Stores.Mbox;
using Imapsync.Engine.Stores.ReadOnly;
using Imapsync.Engine.Stores.Views;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Takeout;

/// <summary>
/// A Gmail account that Google Takeout exported into one mbox. It is presented as by Gmail's IMAP server, so the setting <c>labels</c> has
/// the same meaning. Messages have the UIDs of a read-only mbox (<see cref="MboxMemory"/>), the same in every folder.
/// </summary>
internal sealed class TakeoutStore : ReadOnlyStore
{
    private readonly string file;
    private readonly StoreContext context;
    private readonly SemaphoreSlim turn = new(1, 1);
    private TakeoutContents? contents;

    private TakeoutStore(TakeoutEndpoint endpoint, StoreContext context)
        : base(new StoreTraits(endpoint.Display, StatusShowsFlagChanges: false, MaxConcurrentFolders: 4, HasLabels: true) { NotedFields = MetadataNames.Noted }) =>
        (file, this.context) = (endpoint.File, context);

    public static async Task<IMessageStore> OpenAsync(TakeoutEndpoint endpoint, StoreContext context, CancellationToken cancellationToken)
    {
        if (!File.Exists(endpoint.File))
            throw new MailException(FailureScope.Store, isTransient: false, $"{endpoint.Display}: there is no such file") { Kind = FailureKind.Gone };
        var store = new TakeoutStore(endpoint, context);
        var found = await store.ContentsAsync(cancellationToken);
        if (found.State.Records.Count == 0)
            throw new MailException(FailureScope.Store, isTransient: false, $"{endpoint.Display}: the file holds no message; Takeout's archive has to be unpacked, and the .mbox in it named") { Kind = FailureKind.Gone };
        if (found.Unlabelled > 0)
            context.OnNote($"{endpoint.Display}: messages without labels (X-Gmail-Labels), which are shown in All Mail alone: {found.Unlabelled} of {found.State.Records.Count}");
        if (!found.TellsSeen)
            context.OnNote($"{endpoint.Display}: no label tells which messages were read (in a language that is not known here?), so all are shown as unread");
        return store;
    }

    public override async Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken)
    {
        var found = await ContentsAsync(cancellationToken);
        return [.. found.Folders.Select(f => new FolderEntry(f, Special: TakeoutLabels.UseOf(f), Status: found.StateOf(f).Status) { KnowsSubscription = false })];
    }

    public override async Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken)
    {
        var found = await ContentsAsync(cancellationToken);
        return found.Holds(path) ? found.StateOf(path).Status : throw NoFolder(path);
    }

    public override async Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken)
    {
        var found = await ContentsAsync(cancellationToken);
        if (!found.Holds(path))
            throw NoFolder(path);
        return await LocalFiles.GuardAsync<IMessageFolder>(file, () =>
        {
            var mbox = MboxFolder.Open(file);
            if (MboxStamp.Of(mbox) == found.State.Stamp)
                return Task.FromResult<IMessageFolder>(new TakeoutFolder(new MboxFolder(path, mbox, found.StateOf(path)), found.LabelsOf(path)));
            mbox.Dispose();
            contents = null;
            throw new MailException(FailureScope.Folder, isTransient: true, $"{file} was changed while it was read");
        });
    }

    public override async Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken)
    {
        var found = await ContentsAsync(cancellationToken);
        return
        [
            new StoreFact("file", file),
            new StoreFact("format", "mbox of Google Takeout"),
            new StoreFact("messages", $"{found.State.Records.Count}"),
            new StoreFact("folders", $"{found.Folders.Count()}"),
            new StoreFact("not told by Takeout", "what was answered or forwarded"),
        ];
    }

    public override ValueTask DisposeAsync()
    {
        turn.Dispose();
        return base.DisposeAsync();
    }

    /// <summary>Returns the file's contents. While the store is open, they are read again only if the file changes.</summary>
    private async Task<TakeoutContents> ContentsAsync(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            return contents ??= await LocalFiles.GuardAsync(file, () => ReadAsync(cancellationToken));
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task<TakeoutContents> ReadAsync(CancellationToken cancellationToken)
    {
        var memory = MboxMemory.Of(file, context);
        var (mbox, found) = await QuietMbox.OpenAsync(file, memory?.IndexPath ?? file + FileNames.IndexSuffix, context.Time, cancellationToken);
        using var open = mbox;
        var state = memory is null ? found.State : await memory.KeepAsync(found, cancellationToken);
        if (found.Doubts.Count > 0)
            context.OnUnread(null, Reasons.Doubtful, $"{file}: {found.Doubts[0]}{(found.Doubts.Count > 1 ? $"; {found.Doubts.Count - 1} more such lines" : "")}");
        using var input = new MboxInput(mbox);
        return await TakeoutContents.ReadAsync(state, input, cancellationToken);
    }

    /// <summary>A folder: a part of the file's messages, with their labels.</summary>
    private sealed class TakeoutFolder(IMessageFolder folder, Dictionary<Uid, MessageLabels> labels) : FolderView(folder, folder.Status)
    {
        public override async IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var message in Folder.ListAsync(request, cancellationToken))
            {
                if (request.Labels is not null)
                    request.Labels[message.Uid] = labels[message.Uid];
                yield return message;
            }
        }

        /// <summary>
        /// Returns each message with the flags and metadata in <paramref name="messages"/>. Those in the file are not used, because labels
        /// may have been converted to keywords after the listing.
        /// </summary>
        public override async IAsyncEnumerable<IncomingMessage> ReadAsync(IEnumerable<MessageInfo> messages, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            var asked = default(MessageInfo);
            await foreach (var message in Folder.ReadAsync(messages.Select(m => asked = m), cancellationToken))
                yield return message.Failure is { } failure ? new IncomingMessage(asked, failure) : new IncomingMessage(asked, message.Length, message.Body) { Note = message.Note };
        }
    }
}
