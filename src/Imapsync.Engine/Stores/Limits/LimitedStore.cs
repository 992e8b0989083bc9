using System.Runtime.CompilerServices;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Views;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Limits;

/// <summary>A store from which messages are read within the limits of its endpoint.</summary>
/// <param name="reading">The gate that each message read has to pass; disposed with the store.</param>
internal sealed class LimitedStore(IMessageStore store, TransferGate reading) : StoreView(store)
{
    public override async Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken) =>
        new LimitedFolder<IMessageFolder>(await Store.OpenAsync(path, cancellationToken), reading);

    public override async Task<IMessageFolder> OpenAgainAsync(FolderPath path, CancellationToken cancellationToken) =>
        new LimitedFolder<IMessageFolder>(await Store.OpenAgainAsync(path, cancellationToken), reading);

    public override async ValueTask DisposeAsync()
    {
        try
        {
            await reading.DisposeAsync();
        }
        finally
        {
            await base.DisposeAsync();
        }
    }
}

/// <summary>A target from which messages are read, and to which they are written, within the limits of its endpoint.</summary>
/// <param name="writing">The gate that each message written has to pass; disposed with the target.</param>
internal sealed class LimitedTarget(ITargetStore target, TransferGate reading, TransferGate writing) : TargetView(target)
{
    public override async Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken) =>
        new LimitedFolder<IMessageFolder>(await Store.OpenAsync(path, cancellationToken), reading);

    public override async Task<IMessageFolder> OpenAgainAsync(FolderPath path, CancellationToken cancellationToken) =>
        new LimitedFolder<IMessageFolder>(await Store.OpenAgainAsync(path, cancellationToken), reading);

    public override async Task<IWritableFolder> OpenForWritingAsync(FolderPath path, CancellationToken cancellationToken) =>
        new LimitedWritableFolder(await Target.OpenForWritingAsync(path, cancellationToken), reading, writing);

    public override async ValueTask DisposeAsync()
    {
        try
        {
            await writing.DisposeAsync();
        }
        finally
        {
            await base.DisposeAsync();
        }
    }
}

/// <summary>
/// A folder from which messages are read within the limits of its store's endpoint. The message that exceeds the day's budget is still read
/// and is the last one, so that a message bigger than the whole budget is copied, too.
/// </summary>
internal class LimitedFolder<T>(T folder, TransferGate reading) : IMessageFolder
    where T : IMessageFolder
{
    public FolderPath Path => folder.Path;

    public FolderStatus Status => folder.Status;

    public UidValidity LastingUidValidity => folder.LastingUidValidity;

    public IReadOnlyDictionary<Uid, Uid> Predecessors => folder.Predecessors;

    public Task<int> RemoveCopiedAsync(UidSet uids, CancellationToken cancellationToken) => folder.RemoveCopiedAsync(uids, cancellationToken);

    protected T Folder => folder;

    public IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, CancellationToken cancellationToken) => folder.ListAsync(request, cancellationToken);

    public IAsyncEnumerable<MessageHeader> ReadHeadersAsync(UidSet uids, CancellationToken cancellationToken) =>
        reading.PaceAsync(folder.ReadHeadersAsync(uids, cancellationToken), cancellationToken);

    public async IAsyncEnumerable<IncomingMessage> ReadAsync(
        IEnumerable<MessageInfo> messages, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Once the budget is spent, no further message is requested.
        await foreach (var message in folder.ReadAsync(messages.Select(Demanded), cancellationToken))
        {
            reading.Require();
            yield return await reading.AdmitAsync(message, cancellationToken);
        }

        MessageInfo Demanded(MessageInfo message)
        {
            reading.Require();
            return message;
        }
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return folder.DisposeAsync();
    }
}

internal sealed class LimitedWritableFolder(IWritableFolder folder, TransferGate reading, TransferGate writing)
    : LimitedFolder<IWritableFolder>(folder, reading), IWritableFolder
{
    public Uid UidNext => Folder.UidNext;

    public Task<IReadOnlyList<AppendReceipt>> AppendAsync(IAsyncEnumerable<IncomingMessage> window, CancellationToken cancellationToken)
    {
        writing.Require();
        return Folder.AppendAsync(AdmitAsync(window, cancellationToken), cancellationToken);
    }

    public Task<int> SetFlagsAsync(IReadOnlyList<FlagChange> changes, CancellationToken cancellationToken) => Folder.SetFlagsAsync(changes, cancellationToken);

    public Task SetLabelsAsync(UidSet uids, bool add, IReadOnlyList<string> labels, CancellationToken cancellationToken) =>
        Folder.SetLabelsAsync(uids, add, labels, cancellationToken);

    public Task<int> RemoveAsync(UidSet uids, FolderPath? trash, CancellationToken cancellationToken) => Folder.RemoveAsync(uids, trash, cancellationToken);

    /// <summary>
    /// Ends the window (the batch of messages to append) after the message that uses up the budget. No further message is taken from
    /// <paramref name="window"/>, since each message taken from it needs a receipt.
    /// </summary>
    private async IAsyncEnumerable<IncomingMessage> AdmitAsync(
        IAsyncEnumerable<IncomingMessage> window, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var message in window.WithCancellation(cancellationToken))
        {
            yield return await writing.AdmitAsync(message, cancellationToken);
            if (writing.IsExhausted)
                yield break;
        }
    }
}
