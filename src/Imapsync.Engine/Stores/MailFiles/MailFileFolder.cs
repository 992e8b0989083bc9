using System.Runtime.CompilerServices;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.MailFiles;

/// <summary>
/// A folder of message files, open for reading, with the files that existed when it was opened. The job's state remembers UIDs by name.
/// </summary>
internal sealed class MailFileFolder : IMessageFolder
{
    private readonly IMailTree tree;
    private readonly SortedDictionary<Uid, FiledMessage> messages = [];

    private MailFileFolder(FolderPath path, IMailTree tree) => (Path, this.tree) = (path, tree);

    public FolderPath Path { get; }

    public FolderStatus Status { get; private set; }

    public UidValidity LastingUidValidity { get; private set; }

    public IReadOnlyDictionary<Uid, Uid> Predecessors { get; private set; } = System.Collections.Immutable.ImmutableDictionary<Uid, Uid>.Empty;

    /// <param name="place">The store's root. If it differs from the root of the last run, all messages get new UIDs.</param>
    /// <param name="directories">The directories that form the folder.</param>
    public static MailFileFolder Open(FolderPath path, string place, IReadOnlyList<string> directories, IMailTree tree, StoreContext context, string display)
    {
        var folder = new MailFileFolder(path, tree);
        var leftOut = new LeftOut();
        var found = new Dictionary<string, FiledMessage>(StringComparer.Ordinal);
        foreach (var message in directories.SelectMany(d => tree.Read(d, leftOut)))
            found[message.Key] = message;
        var names = NameMemory.Open(path, place, context);
        // If files were renamed, their names no longer identify messages. Then messages are matched by their contents, as in a first run.
        var areRenamed = names.AreRenamed(found.Values.Where(m => m.Part is null).Select(m => (m.Key, m.File)));
        if (areRenamed)
            context.OnNote($"{display}: {path}: files were renamed since the last run; messages are matched again by identity, nothing is removed");
        names.Add([.. found.Keys.Where(k => !names.Uids.ContainsName(k)).Order(StringComparer.Ordinal)]);
        // A file rewritten under its old name counts as another message and gets a new UID, until its octets prove to be the same.
        names.RenewReplaced(found.Values.Where(m => m.Part is null).Select(m => (m.Key, m.File)));
        foreach (var (key, message) in found)
        {
            if (names.Uids.TryGetUid(key, out var uid))
                folder.messages[new Uid(uid)] = message;
        }

        folder.LastingUidValidity = areRenamed ? UidValidity.None : names.Validity;
        folder.Predecessors = names.Predecessors;
        folder.Status = new FolderStatus(names.IsProvisional || areRenamed ? UidValidity.None : names.Validity, new Uid(names.Next), folder.messages.Count);
        leftOut.Tell(context, display, path);
        return folder;
    }

    public async IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (request.ChangedSince is not null)
            throw new ArgumentException("files have no HIGHESTMODSEQ", nameof(request));
        foreach (var (uid, message) in messages.Where(m => request.Uids?.Contains(m.Key) != false))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var opened = tree.Open(message);
            yield return request.WithDateAndSize ? await FiledReading.DescribeAsync(uid, opened, cancellationToken) : new MessageInfo(uid, opened.Flags);
        }
    }

    public Task<int> RemoveCopiedAsync(UidSet uids, CancellationToken cancellationToken) => throw new NotSupportedException("nothing is removed from this source");

    public async IAsyncEnumerable<MessageHeader> ReadHeadersAsync(UidSet uids, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var (uid, message) in messages.Where(m => uids.Contains(m.Key)))
        {
            if (await FiledReading.TryReadHeaderAsync(tree.Open(message), cancellationToken) is { } header)
                yield return new MessageHeader(uid, header);
        }
    }

    public IAsyncEnumerable<IncomingMessage> ReadAsync(IEnumerable<MessageInfo> messages, CancellationToken cancellationToken) =>
        FiledReading.ReadAsync(messages, uid => this.messages.TryGetValue(uid, out var message) ? tree.Open(message) : null, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
