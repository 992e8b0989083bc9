using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Views;

/// <summary>
/// The base class of views of a store (of a target: <see cref="TargetView"/>). Members that a view does not override are passed on to the
/// store. Disposing the view disposes the store.
/// </summary>
internal abstract class StoreView(IMessageStore store) : IMessageStore
{
    public virtual StoreTraits Traits => store.Traits;

    protected IMessageStore Store => store;

    public virtual Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken) => store.ListFoldersAsync(cancellationToken);

    public virtual Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken) => store.GetStatusAsync(path, cancellationToken);

    public virtual IAccessControl? AccessControl => store.AccessControl;

    public virtual Task<bool> ExistsAsync(FolderPath path, CancellationToken cancellationToken) => store.ExistsAsync(path, cancellationToken);

    public virtual Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken) => store.OpenAsync(path, cancellationToken);

    public virtual Task<IMessageFolder> OpenAgainAsync(FolderPath path, CancellationToken cancellationToken) => store.OpenAgainAsync(path, cancellationToken);

    public Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken) => store.DescribeAsync(cancellationToken);

    public virtual ValueTask DisposeAsync() => store.DisposeAsync();
}

/// <summary>
/// The base class of views of a target. Members that a view does not override are passed on to the target. Disposing the view disposes the
/// target.
/// </summary>
internal abstract class TargetView(ITargetStore target) : StoreView(target), ITargetStore
{
    protected ITargetStore Target => target;

    public virtual Task<UidCounters> GetUidCountersAsync(FolderPath path, CancellationToken cancellationToken) =>
        target.GetUidCountersAsync(path, cancellationToken);

    public Task<string?> WhyNeverAsync(FolderPath path, CancellationToken cancellationToken) => target.WhyNeverAsync(path, cancellationToken);

    public virtual Task<IWritableFolder> OpenForWritingAsync(FolderPath path, CancellationToken cancellationToken) =>
        target.OpenForWritingAsync(path, cancellationToken);

    public FolderPath ListedAs(FolderPath path) => target.ListedAs(path);

    public virtual Task CreateFolderAsync(FolderPath path, SpecialFolder special, CancellationToken cancellationToken) =>
        target.CreateFolderAsync(path, special, cancellationToken);

    public virtual Task RenameFolderAsync(FolderPath from, FolderPath to, CancellationToken cancellationToken) =>
        target.RenameFolderAsync(from, to, cancellationToken);

    public virtual Task SetSubscribedAsync(FolderPath path, bool subscribed, CancellationToken cancellationToken) =>
        target.SetSubscribedAsync(path, subscribed, cancellationToken);

    public virtual Task SetSubscribedAsync(IReadOnlyDictionary<FolderPath, bool> wanted, CancellationToken cancellationToken) =>
        target.SetSubscribedAsync(wanted, cancellationToken);
}

/// <summary>The base class of views of a folder. Disposing the view disposes the folder.</summary>
internal abstract class FolderView(IMessageFolder folder, FolderStatus status) : IMessageFolder
{
    public virtual FolderPath Path => folder.Path;

    public FolderStatus Status { get; } = status;

    public UidValidity LastingUidValidity => folder.LastingUidValidity;

    public IReadOnlyDictionary<Uid, Uid> Predecessors => folder.Predecessors;

    public Task<int> RemoveCopiedAsync(UidSet uids, CancellationToken cancellationToken) => folder.RemoveCopiedAsync(uids, cancellationToken);

    protected IMessageFolder Folder => folder;

    public abstract IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, CancellationToken cancellationToken);

    public IAsyncEnumerable<MessageHeader> ReadHeadersAsync(UidSet uids, CancellationToken cancellationToken) =>
        folder.ReadHeadersAsync(uids, cancellationToken);

    public virtual IAsyncEnumerable<IncomingMessage> ReadAsync(IEnumerable<MessageInfo> messages, CancellationToken cancellationToken) =>
        folder.ReadAsync(messages, cancellationToken);

    public ValueTask DisposeAsync() => folder.DisposeAsync();
}
