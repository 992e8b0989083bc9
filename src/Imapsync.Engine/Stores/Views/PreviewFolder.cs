using System.Runtime.CompilerServices;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Views;

/// <summary>The changes that a run would make to a folder's messages, collected from all tasks that have the folder open.</summary>
internal sealed class FolderChanges
{
    private readonly Lock turn = new();
    private readonly UidSet removed = new();
    private readonly Dictionary<Uid, FlagSet> flags = [];

    /// <summary>Returns the message as it would be after the changes; null for a message that would be removed.</summary>
    public MessageInfo? Apply(in MessageInfo message)
    {
        lock (turn)
            return removed.Contains(message.Uid) ? null : flags.TryGetValue(message.Uid, out var changed) ? message with { Flags = changed } : message;
    }

    public void SetFlags(Uid uid, FlagSet changed)
    {
        lock (turn)
            flags[uid] = changed;
    }

    public void Remove(Uid uid)
    {
        lock (turn)
            removed.Add(uid);
    }
}

/// <summary>A folder of a target that is not changed, see <see cref="PreviewStore"/>.</summary>
/// <param name="path">The folder's name after the run.</param>
internal sealed class PreviewFolder(IMessageFolder folder, FolderPath path, FolderChanges changes) : FolderView(folder, folder.Status), IWritableFolder
{
    public override FolderPath Path => path;

    public Uid UidNext => Status.UidNext;

    public override async IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var message in Folder.ListAsync(request, cancellationToken))
        {
            if (changes.Apply(message) is { } seen)
                yield return seen;
        }
    }

    public Task<IReadOnlyList<AppendReceipt>> AppendAsync(IAsyncEnumerable<IncomingMessage> window, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("a preview takes no messages");

    /// <summary>Returns the number of changes. Messages that already have the flags or no longer exist do not count.</summary>
    public async Task<int> SetFlagsAsync(IReadOnlyList<FlagChange> changed, CancellationToken cancellationToken)
    {
        var wanted = changed.ToDictionary(c => c.Uid);
        var count = 0;
        await foreach (var there in ListAsync(new ListRequest(new UidSet(wanted.Keys)), cancellationToken))
        {
            if (!wanted.TryGetValue(there.Uid, out var change))
                continue;
            var now = there.Flags.Except(change.Remove).Union(change.Add);
            if (now.Equals(there.Flags))
                continue;
            changes.SetFlags(there.Uid, now);
            count++;
        }

        return count;
    }

    public Task SetLabelsAsync(UidSet uids, bool add, IReadOnlyList<string> labels, CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task<int> RemoveAsync(UidSet uids, FolderPath? trash, CancellationToken cancellationToken)
    {
        var there = await ListAsync(new ListRequest(uids), cancellationToken).ToListAsync(cancellationToken);
        foreach (var message in there)
            changes.Remove(message.Uid);
        return there.Count;
    }
}

/// <summary>A folder that the run would create, shown as empty.</summary>
internal sealed class EmptyFolder(FolderPath path) : IMessageFolder
{
    /// <summary>The status of an empty folder with a UIDVALIDITY that no existing folder has.</summary>
    public static FolderStatus EmptyStatus { get; } = new(new UidValidity(uint.MaxValue), new Uid(1), 0);

    public FolderPath Path => path;

    public FolderStatus Status => EmptyStatus;

    public UidValidity LastingUidValidity => EmptyStatus.UidValidity;

    public IReadOnlyDictionary<Uid, Uid> Predecessors { get; } = new Dictionary<Uid, Uid>();

    public IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, CancellationToken cancellationToken) => AsyncEnumerable.Empty<MessageInfo>();

    public IAsyncEnumerable<MessageHeader> ReadHeadersAsync(UidSet uids, CancellationToken cancellationToken) => AsyncEnumerable.Empty<MessageHeader>();

    public IAsyncEnumerable<IncomingMessage> ReadAsync(IEnumerable<MessageInfo> messages, CancellationToken cancellationToken) => AsyncEnumerable.Empty<IncomingMessage>();

    public Task<int> RemoveCopiedAsync(UidSet uids, CancellationToken cancellationToken) => throw new InvalidOperationException("a preview removes nothing");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
