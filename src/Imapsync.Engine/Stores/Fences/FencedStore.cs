using System.Runtime.CompilerServices;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Views;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Fences;

/// <summary>Keeps a run that has lost its exclusive right to a mailbox (its lease has expired) from writing to the mailbox.</summary>
public static class Fence
{
    /// <summary>
    /// Returns an opener whose stores refuse changes once the run may no longer write. The stores check this before each command that
    /// changes something and before each message that is appended. A command that was already sent can't be called back; the next run finds
    /// out its outcome.
    /// </summary>
    /// <param name="require">
    /// Called when a store is opened, in the context of its job. Returns the check that the store runs before each change. If the run may
    /// no longer write, the check throws the exception that ends the job.
    /// </param>
    public static StoreOpener Around(StoreOpener opener, Func<Action> require) => new(
        async (endpoint, context, cancellationToken) => new FencedStore(await opener.OpenAsync(endpoint, context, cancellationToken), require()),
        async (endpoint, forWriting, context, cancellationToken) =>
            new FencedTarget(await opener.OpenTargetAsync(endpoint, forWriting, context, cancellationToken), require()));
}

/// <summary>
/// A source that checks before each change whether the run may still write. Sources are changed, too: messages may be removed from one
/// after they were copied.
/// </summary>
internal sealed class FencedStore(IMessageStore store, Action require) : StoreView(store)
{
    public override async Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken) =>
        new FencedFolder<IMessageFolder>(await Store.OpenAsync(path, cancellationToken), require);
}

internal sealed class FencedTarget(ITargetStore target, Action require) : TargetView(target)
{
    public override IAccessControl? AccessControl => base.AccessControl is { } rights ? new FencedAccessControl(rights, require) : null;

    public override async Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken) =>
        new FencedFolder<IMessageFolder>(await Store.OpenAsync(path, cancellationToken), require);

    public override async Task<IWritableFolder> OpenForWritingAsync(FolderPath path, CancellationToken cancellationToken) =>
        new FencedWritableFolder(await Target.OpenForWritingAsync(path, cancellationToken), require);

    public override Task CreateFolderAsync(FolderPath path, SpecialFolder special, CancellationToken cancellationToken)
    {
        require();
        return base.CreateFolderAsync(path, special, cancellationToken);
    }

    public override Task RenameFolderAsync(FolderPath from, FolderPath to, CancellationToken cancellationToken)
    {
        require();
        return base.RenameFolderAsync(from, to, cancellationToken);
    }

    public override Task SetSubscribedAsync(FolderPath path, bool subscribed, CancellationToken cancellationToken)
    {
        require();
        return base.SetSubscribedAsync(path, subscribed, cancellationToken);
    }

    public override Task SetSubscribedAsync(IReadOnlyDictionary<FolderPath, bool> wanted, CancellationToken cancellationToken)
    {
        require();
        return base.SetSubscribedAsync(wanted, cancellationToken);
    }
}

/// <summary>A folder that checks before each change whether the run may still write.</summary>
internal class FencedFolder<T>(T folder, Action require) : IMessageFolder
    where T : IMessageFolder
{
    public FolderPath Path => folder.Path;

    public FolderStatus Status => folder.Status;

    public UidValidity LastingUidValidity => folder.LastingUidValidity;

    public IReadOnlyDictionary<Uid, Uid> Predecessors => folder.Predecessors;

    protected T Folder => folder;

    public IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, CancellationToken cancellationToken) => folder.ListAsync(request, cancellationToken);

    public IAsyncEnumerable<MessageHeader> ReadHeadersAsync(UidSet uids, CancellationToken cancellationToken) => folder.ReadHeadersAsync(uids, cancellationToken);

    public IAsyncEnumerable<IncomingMessage> ReadAsync(IEnumerable<MessageInfo> messages, CancellationToken cancellationToken) => folder.ReadAsync(messages, cancellationToken);

    public Task<int> RemoveCopiedAsync(UidSet uids, CancellationToken cancellationToken)
    {
        require();
        return folder.RemoveCopiedAsync(uids, cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return folder.DisposeAsync();
    }
}

internal sealed class FencedWritableFolder(IWritableFolder folder, Action require) : FencedFolder<IWritableFolder>(folder, require), IWritableFolder
{
    private readonly Action require = require;

    public Uid UidNext => Folder.UidNext;

    public Task<IReadOnlyList<AppendReceipt>> AppendAsync(IAsyncEnumerable<IncomingMessage> window, CancellationToken cancellationToken)
    {
        require();
        return Folder.AppendAsync(RequireAsync(window, cancellationToken), cancellationToken);
    }

    public Task<int> SetFlagsAsync(IReadOnlyList<FlagChange> changes, CancellationToken cancellationToken)
    {
        require();
        return Folder.SetFlagsAsync(changes, cancellationToken);
    }

    public Task SetLabelsAsync(UidSet uids, bool add, IReadOnlyList<string> labels, CancellationToken cancellationToken)
    {
        require();
        return Folder.SetLabelsAsync(uids, add, labels, cancellationToken);
    }

    public Task<int> RemoveAsync(UidSet uids, FolderPath? trash, CancellationToken cancellationToken)
    {
        require();
        return Folder.RemoveAsync(uids, trash, cancellationToken);
    }

    private async IAsyncEnumerable<IncomingMessage> RequireAsync(IAsyncEnumerable<IncomingMessage> window, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var message in window.WithCancellation(cancellationToken))
        {
            require();
            yield return message;
        }
    }
}

internal sealed class FencedAccessControl(IAccessControl rights, Action require) : IAccessControl
{
    public string Owner => rights.Owner;

    public Task<IReadOnlyList<AccessEntry>> ListAsync(FolderPath path, CancellationToken cancellationToken) => rights.ListAsync(path, cancellationToken);

    public Task<string> AddAsync(FolderPath path, AccessEntry entry, CancellationToken cancellationToken)
    {
        require();
        return rights.AddAsync(path, entry, cancellationToken);
    }
}
